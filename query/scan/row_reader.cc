#include "query/scan/row_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "query/frame/column_union.h"
#include "query/scan/even_rows.h"
#include "query/scan/tier_choice.h"

namespace tidemark::query::scan {
namespace {

using plan::Interval;
using run::QueryState;

// Rows on a line. One that is level stays so to the bit, and where it is infinitely high.
void AppendLine(const EvenRows& rows, double first, double last, std::vector<double>* out) {
  const int64_t steps = rows.count() - 1;
  const double rise = first == last ? 0 : last - first;
  for (int64_t row = 0; row <= steps; ++row) {
    out->push_back(steps == 0 ? first : first + rise * (static_cast<double>(row) / static_cast<double>(steps)));
  }
}

// Rows of a counter whose increase is that of the bucket, however a kernel adds it up: they fall once or never, as each
// fall is a reset to it. They fall where the counter that rises evenly would have room for the last value behind it.
// What falls below zero is no counter: its rows fall once at most, too.
void AppendCounter(const TierPart& bucket, const EvenRows& rows, std::vector<double>* out) {
  const int64_t last = rows.count() - 1;
  const EvenCounter counter(rows, {bucket.first, bucket.last, bucket.Increase(), bucket.min, bucket.max});
  if (last < 2 || !counter.has_reset()) {
    // By the values, as the increase may be a little less.
    AppendLine(rows, bucket.first, std::max(bucket.first, bucket.last), out);
    out->back() = bucket.last;
    return;
  }
  const double peak = counter.Peak();
  int64_t reset = peak > bucket.first ? 2 : 1;
  while (reset < last && !counter.IsBehindReset(reset)) ++reset;
  const double climb = peak - bucket.first;
  out->push_back(bucket.first);
  for (int64_t row = 1; row < reset; ++row) {
    out->push_back(bucket.first + climb * static_cast<double>(row) / static_cast<double>(reset - 1));
  }
  // As evenly as leaves the first row behind the reset below the one before it.
  const double low = std::min({bucket.last, bucket.last / static_cast<double>(last - reset + 1), peak / 2});
  for (int64_t row = reset; row < last; ++row) {
    out->push_back(low + (bucket.last - low) * static_cast<double>(row - reset) / static_cast<double>(last - reset));
  }
  out->push_back(bucket.last);  // to the bit, or the next bucket might begin below it
}

void AppendRow(int64_t time_ns, double value, model::ColumnBuffer* out) {
  out->times.push_back(time_ns);
  out->floats.push_back(value);
}

void AppendEnds(const TierPart& bucket, model::ColumnBuffer* out) {
  AppendRow(bucket.first_ns, bucket.first, out);
  if (bucket.last_ns != bucket.first_ns) AppendRow(bucket.last_ns, bucket.last, out);
}

// Values that fall exactly once where those of the bucket did, else never.
void AppendReset(const TierPart& bucket, const EvenRows& rows, model::ColumnBuffer* out) {
  const EvenCounter counter(rows, {bucket.first, bucket.last, bucket.Increase(), bucket.min, bucket.max});
  const int64_t span_ns = bucket.last_ns - bucket.first_ns;
  // A fall from the first to the last is one by itself; so few rows have no room for another.
  if (!counter.has_reset() || bucket.last < bucket.first || span_ns < 3) return AppendEnds(bucket, out);
  AppendRow(bucket.first_ns, bucket.first, out);
  if (bucket.max > bucket.first) AppendRow(bucket.first_ns + span_ns / 3, bucket.max, out);
  if (bucket.min < bucket.last) AppendRow(bucket.first_ns + span_ns / 3 * 2, bucket.min, out);
  AppendRow(bucket.last_ns, bucket.last, out);
}

bool IsKnown(const TierPart& bucket) { return bucket.count <= 2 || bucket.min == bucket.max; }

}  // namespace

uint64_t RowsFor(const TierPart& bucket, GoneRows as) {
  switch (as) {
    case GoneRows::kEnds: return 2;
    case GoneRows::kReset: return 4;
    case GoneRows::kKnown: return IsKnown(bucket) ? static_cast<uint64_t>(bucket.count) : 0;
    default: return static_cast<uint64_t>(bucket.count);
  }
}

void AppendRows(const TierPart& bucket, GoneRows as, model::ColumnBuffer* out) {
  if (bucket.count == 0) return;
  if (as == GoneRows::kEnds) return AppendEnds(bucket, out);
  if (as == GoneRows::kKnown && !IsKnown(bucket)) return;
  if (as == GoneRows::kKnown && bucket.count <= 2) return AppendEnds(bucket, out);
  const EvenRows rows(static_cast<int64_t>(bucket.count), bucket.first_ns, bucket.last_ns);
  if (as == GoneRows::kReset) return AppendReset(bucket, rows, out);
  for (int64_t row = 0; row < rows.count(); ++row) out->times.push_back(rows.TimeOf(row));
  const double mean = bucket.Mean();
  const double half = (bucket.last - bucket.first) / 2;
  switch (as) {
    case GoneRows::kCounter: AppendCounter(bucket, rows, &out->floats); break;
    case GoneRows::kChord: AppendLine(rows, bucket.first, bucket.last, &out->floats); break;
    case GoneRows::kLine: AppendLine(rows, mean - half, mean + half, &out->floats); break;
    case GoneRows::kKnown:
    case GoneRows::kMin: AppendLine(rows, bucket.min, bucket.min, &out->floats); break;
    case GoneRows::kMax: AppendLine(rows, bucket.max, bucket.max, &out->floats); break;
    default: AppendLine(rows, mean, mean, &out->floats); break;
  }
}

RowReader::RowReader(std::span<const model::SeriesRef> refs, model::TimeRange range, GoneRows gone, QueryState* state)
    : range_(range), gone_rows_(gone), state_(state), rows_(state->view().Scan(refs, range)), memory_(state) {
  if (gone == GoneRows::kAnswered) return;
  width_ns_ = TierForRows(range, gone, *state);
  if (width_ns_ == 0) return;
  gone_ = GoneIn(range, width_ns_, *state);
  const Interval wanted =
      plan::Meet({range.first == model::Timestamp::Min() ? range.first.ns : range.first.ns - 1, range.last.ns}, *gone_);
  if (wanted.length_ns() <= 0) return;
  const Interval whole = plan::WholeBuckets(wanted, width_ns_);
  buckets_ = state->view().ScanTier(refs, {{whole.after_ns + 1}, {whole.last_ns}}, width_ns_);
}

Status RowReader::NextParts(model::Column* rows, std::vector<GoneBucket>* gone) {
  TM_TRY_ASSIGN(const bool more, rows_->Next(rows));
  if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
  if (buckets_ == nullptr) return {};
  storage::TierColumn tier;
  TM_TRY_ASSIGN(const bool more_buckets, buckets_->Next(&tier));
  if (!more_buckets) return MakeError(ErrorCode::kInternal, "a tier ended before its last series");
  for (size_t i = 0; i < tier.buckets; ++i) {
    const int64_t start_ns = tier.first_start_ns + static_cast<int64_t>(i) * width_ns_;
    if (start_ns >= gone_->last_ns) break;
    if (tier.trusted[i] != 0 && tier.count[i] != 0) gone->push_back({start_ns, TierPart::OfBucket(tier, i)});
  }
  return {};
}

void RowReader::Unite(std::vector<GoneBucket>* gone) {
  std::ranges::stable_sort(*gone, [](const GoneBucket& a, const GoneBucket& b) {
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.part.first_ns < b.part.first_ns;
  });
  size_t kept = 0;
  for (size_t i = 1; i < gone->size(); ++i) {
    GoneBucket& last = (*gone)[kept];
    const GoneBucket& next = (*gone)[i];
    if (next.start_ns == last.start_ns && next.part.first_ns <= last.part.last_ns) {
      last.part.AddAmong(next.part);
      mixed_ = true;
    } else {
      (*gone)[++kept] = next;
    }
  }
  if (!gone->empty()) gone->resize(kept + 1);
}

Result<bool> RowReader::Reserve(uint64_t rows, std::span<const GoneBucket> gone) {
  uint64_t count = rows;
  for (const GoneBucket& bucket : gone) {
    const uint64_t stand = RowsFor(bucket.part, gone_rows_);
    count += stand;
    // Those that the range has a part of, at least.
    left_out_ |= stand == 0 && bucket.part.first_ns <= range_.last.ns && bucket.part.last_ns >= range_.first.ns;
  }
  if (count == rows) return false;
  TM_RETURN_IF_ERROR(memory_.Set(count * (sizeof(int64_t) + sizeof(double))));
  TM_RETURN_IF_ERROR(state_->CheckInterrupt());
  return true;
}

model::Column RowReader::WriteOut(std::span<const GoneBucket> gone) {
  buffer_.Clear();
  for (const GoneBucket& bucket : gone) AppendRows(bucket.part, gone_rows_, &buffer_);
  // Buckets at the ends of the range may have rows before and behind it.
  const auto begin = std::ranges::lower_bound(buffer_.times, range_.first.ns) - buffer_.times.begin();
  const auto end = std::ranges::upper_bound(buffer_.times, range_.last.ns) - buffer_.times.begin();
  return {.type = model::FieldType::kFloat,
          .scale = model::kBinaryScale,
          .times = {.size = static_cast<size_t>(end - begin),
                    .first_ns = 0,
                    .step_ns = 0,
                    .explicit_ns = buffer_.times.data() + begin},
          .floats = buffer_.floats.data() + begin};
}

Status RowReader::Next(model::Column* column) {
  gone_buckets_.clear();
  TM_RETURN_IF_ERROR(NextParts(column, &gone_buckets_));
  TM_TRY_ASSIGN(const bool any, Reserve(column->size(), gone_buckets_));
  if (!any) return {};
  model::Column written = WriteOut(gone_buckets_);
  written.ref = column->ref;
  if (column->empty()) {
    *column = written;
    return {};
  }
  // Rows that are still there come behind.
  const std::vector<model::ColumnBuffer> both{frame::CopyAsDoubles(written), frame::CopyAsDoubles(*column)};
  *column = frame::UniteColumns(both, &united_);
  column->ref = written.ref;
  return {};
}

Status RowReader::NextUnited(std::span<const model::SeriesRef> refs, model::Column* column) {
  std::vector<model::ColumnBuffer> rows;
  // By the name; first and last rows are those that there were, and each of them counts.
  std::map<model::FieldId, std::vector<GoneBucket>> gone;
  uint64_t count = 0;
  for (const model::SeriesRef ref : refs) {
    const model::FieldId name = gone_rows_ == GoneRows::kEnds ? ref.field : state_->view().NewestOf(ref.field);
    TM_RETURN_IF_ERROR(NextParts(column, &gone[name]));
    count += column->size();
    rows.push_back(frame::CopyAsDoubles(*column));
  }
  std::vector<model::ColumnBuffer> columns;
  for (auto& [_, buckets] : gone) {
    Unite(&buckets);
    TM_TRY_ASSIGN(const bool any, Reserve(count, buckets));
    if (!any) continue;
    columns.push_back(frame::CopyAsDoubles(WriteOut(buckets)));
    count += columns.back().times.size();
  }
  // Rows that are still there come behind.
  std::ranges::move(rows, std::back_inserter(columns));
  *column = frame::UniteColumns(columns, &united_);
  column->ref = refs.front();
  return {};
}

void RowReader::Finish() {
  for (const std::string& warning : rows_->warnings()) state_->WarnMissing(warning);
  if (buckets_ == nullptr) return;
  if (left_out_) WarnOfLeftOut(*gone_, width_ns_, *state_);
  if (mixed_ && (gone_rows_ == GoneRows::kCounter || gone_rows_ == GoneRows::kReset)) {
    WarnOfMixed(*gone_, width_ns_, *state_);
  }
  for (std::string& warning : buckets_->Warnings()) state_->WarnMissing(std::move(warning));
}

}  // namespace tidemark::query::scan
