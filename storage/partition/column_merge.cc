#include "storage/partition/column_merge.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "storage/model/batch.h"

namespace tidemark::storage::partition {
namespace {

// A scaled mantissa stays below this, so that mantissa / 10^scale is exact (model::Batch).
constexpr int64_t kMantissaLimit = int64_t{1} << 53;

// 10^power when that is less than kMantissaLimit, else 0.
int64_t SmallPowerOfTen(int power) {
  int64_t value = 1;
  for (int i = 0; i < power; ++i) {
    value *= 10;
    if (value >= kMantissaLimit) return 0;
  }
  return value;
}

// Whether all mantissas of `column` may be multiplied by `factor`.
bool Fits(const model::Column& column, int64_t factor) {
  const int64_t limit = (kMantissaLimit - 1) / factor;
  bool fits = true;
  for (size_t i = 0; i < column.size(); ++i) fits &= column.ints[i] <= limit && column.ints[i] >= -limit;
  return fits;
}

}  // namespace

model::Column WithoutTimes(const model::Column& column, const model::Times& times, model::ColumnBuffer* buffer) {
  if (column.empty() || times.empty()) return column;
  // Rows before and behind all of `times` need no look.
  const size_t first = column.times.LowerBound(times.front());
  const size_t end = column.times.UpperBound(times.back());
  std::vector<size_t> hidden;
  size_t other = first == end ? 0 : times.LowerBound(column.times[first]);
  for (size_t row = first; row < end; ++row) {
    while (other < times.size && times[other] < column.times[row]) ++other;
    if (other < times.size && times[other] == column.times[row]) hidden.push_back(row);
  }
  if (hidden.empty()) return column;
  buffer->Clear();
  size_t next = 0;
  for (size_t row = 0; row < column.size(); ++row) {
    if (next < hidden.size() && hidden[next] == row) {
      ++next;
      continue;
    }
    buffer->times.push_back(column.times[row]);
    if (column.ints != nullptr) buffer->ints.push_back(column.ints[row]);
    if (column.floats != nullptr) buffer->floats.push_back(column.floats[row]);
    if (column.strings != nullptr) buffer->strings.push_back(column.strings[row]);
  }
  model::Column out = column;
  out.times = {.size = buffer->times.size(), .first_ns = 0, .step_ns = 0, .explicit_ns = buffer->times.data()};
  if (column.ints != nullptr) out.ints = buffer->ints.data();
  if (column.floats != nullptr) out.floats = buffer->floats.data();
  if (column.strings != nullptr) out.strings = buffer->strings.data();
  return out;
}

model::Column ColumnMerger::Merge(std::span<const model::Column> pieces) {
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return pieces[0];
  PlanRuns(pieces);
  buffer_.Clear();
  model::Column out;
  out.ref = pieces[0].ref;
  out.type = pieces[0].type;
  out.scale = pieces[0].scale;
  for (const model::Column& run : runs_) out.times.size += run.size();
  if (!JoinRegular(&out.times)) CopyTimes(&out.times);
  if (out.type == model::FieldType::kFloat) {
    CopyFloats(&out);
  } else if (out.type == model::FieldType::kString) {
    buffer_.strings.reserve(out.times.size);
    for (const model::Column& run : runs_) {
      buffer_.strings.insert(buffer_.strings.end(), run.strings, run.strings + run.size());
    }
    out.strings = buffer_.strings.data();
  } else {
    buffer_.ints.reserve(out.times.size);
    for (const model::Column& run : runs_) buffer_.ints.insert(buffer_.ints.end(), run.ints, run.ints + run.size());
    out.ints = buffer_.ints.data();
  }
  return out;
}

void ColumnMerger::PlanRuns(std::span<const model::Column> pieces) {
  runs_.clear();
  order_.resize(pieces.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
    const int64_t first_a = pieces[a].times.front();
    const int64_t first_b = pieces[b].times.front();
    return first_a != first_b ? first_a < first_b : a < b;
  });
  // Pieces that do not reach into each other are copied whole; only the others are merged row by row.
  for (size_t begin = 0; begin < order_.size();) {
    int64_t last = pieces[order_[begin]].times.back();
    size_t end = begin + 1;
    for (; end < order_.size() && pieces[order_[end]].times.front() <= last; ++end) {
      last = std::max(last, pieces[order_[end]].times.back());
    }
    if (end == begin + 1) {
      runs_.push_back(pieces[order_[begin]]);
    } else {
      PlanOverlap(pieces, std::span<const uint32_t>(order_).subspan(begin, end - begin));
    }
    begin = end;
  }
}

void ColumnMerger::PlanOverlap(std::span<const model::Column> pieces, std::span<const uint32_t> members) {
  at_.assign(members.size(), 0);
  constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  const auto time_at = [&](size_t m) {
    const model::Times& times = pieces[members[m]].times;
    return at_[m] < times.size ? times[at_[m]] : kNone;
  };
  while (true) {
    // kNone is no time that a row can have (model::kMaxTime).
    int64_t first = kNone;
    size_t winner = 0;
    for (size_t m = 0; m < members.size(); ++m) {
      const int64_t time = time_at(m);
      if (time < first || (time == first && time != kNone && members[m] > members[winner])) {
        first = time;
        winner = m;
      }
    }
    if (first == kNone) return;
    int64_t bound = kNone;
    for (size_t m = 0; m < members.size(); ++m) {
      if (m == winner) continue;
      if (time_at(m) == first) ++at_[m];
      bound = std::min(bound, time_at(m));
    }
    const model::Column& piece = pieces[members[winner]];
    const size_t begin = at_[winner];
    size_t end = begin + 1;
    if (end < piece.size() && piece.times[end] < bound) {
      end = bound == kNone ? piece.size() : std::max(end, piece.times.LowerBound(bound));
    }
    runs_.push_back(piece.Slice(begin, end));
    at_[winner] = end;
  }
}

bool ColumnMerger::JoinRegular(model::Times* times) const {
  int64_t step = 0;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const model::Times& run = runs_[i].times;
    if (!run.regular()) return false;
    // Differences wrap around for times that are centuries apart; such a step is negative and refused.
    if (run.size > 1) {
      if (step == 0) step = run.step_ns;
      if (run.step_ns != step) return false;
    }
    if (i > 0) {
      const auto gap =
          static_cast<int64_t>(static_cast<uint64_t>(run.front()) - static_cast<uint64_t>(runs_[i - 1].times.back()));
      if (gap <= 0) return false;
      if (step == 0) step = gap;
      if (gap != step) return false;
    }
  }
  times->first_ns = runs_[0].times.front();
  times->step_ns = step;
  return true;
}

void ColumnMerger::CopyTimes(model::Times* times) {
  buffer_.times.resize(times->size);
  int64_t* out = buffer_.times.data();
  for (const model::Column& run : runs_) {
    const model::Times& from = run.times;
    if (from.regular()) {
      for (size_t i = 0; i < from.size; ++i) out[i] = from.first_ns + static_cast<int64_t>(i) * from.step_ns;
    } else {
      std::copy_n(from.explicit_ns, from.size, out);
    }
    out += from.size;
  }
  times->explicit_ns = buffer_.times.data();
}

void ColumnMerger::CopyFloats(model::Column* out) {
  uint8_t scale = 0;
  bool scaled = true;
  for (const model::Column& run : runs_) {
    scaled &= run.scaled();
    if (scaled) scale = std::max(scale, run.scale);
  }
  for (size_t i = 0; i < runs_.size() && scaled; ++i) {
    if (runs_[i].scale == scale) continue;
    const int64_t factor = SmallPowerOfTen(scale - runs_[i].scale);
    scaled = factor != 0 && Fits(runs_[i], factor);
  }
  if (!scaled) {
    buffer_.floats.resize(out->times.size);
    double* to = buffer_.floats.data();
    for (const model::Column& run : runs_) {
      model::ToDoubles(run, 0, run.size(), to);
      to += run.size();
    }
    out->scale = model::kBinaryScale;
    out->floats = buffer_.floats.data();
    return;
  }
  buffer_.ints.resize(out->times.size);
  int64_t* to = buffer_.ints.data();
  for (const model::Column& run : runs_) {
    if (run.scale == scale) {
      std::copy_n(run.ints, run.size(), to);
    } else {
      const int64_t factor = SmallPowerOfTen(scale - run.scale);
      for (size_t i = 0; i < run.size(); ++i) to[i] = run.ints[i] * factor;
    }
    to += run.size();
  }
  out->scale = scale;
  out->ints = buffer_.ints.data();
}

}  // namespace tidemark::storage::partition
