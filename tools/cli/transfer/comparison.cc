#include "tools/cli/transfer/comparison.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>
#include <utility>

#include "query/promql/quote.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/model/timestamp.h"
#include "tools/transfer/value_text.h"

namespace tidemark::cli {
namespace {

using transfer::LogicalHash;
using transfer::Piece;

// More metrics than this are not named in selectors: reading all is as quick.
constexpr size_t kMetricsMax = 50;

using SeriesSet = std::unordered_set<Hash128, transfer::SeriesSums::LowBits>;

std::string TimeText(int64_t ns) {
  std::string out;
  text::AppendRfc3339(&out, ns);
  return out;
}

// A value with its type; of a string the type alone.
struct Value {
  model::FieldType type = model::FieldType::kFloat;
  uint64_t bits = 0;
};

std::string ValueText(const Piece& piece, size_t row) {
  std::string out;
  if (piece.is_text()) {
    text::AppendJsonString(&out, piece.strings[row]);
  } else {
    transfer::AppendValue(&out, piece.type, piece.bits[row]);
  }
  return out;
}

// Whether two values of different types are the same number.
bool SameNumber(const Value& a, const Value& b) {
  const Value& whole = a.type == model::FieldType::kFloat ? b : a;
  const Value& other = a.type == model::FieldType::kFloat ? a : b;
  if (whole.type == model::FieldType::kInt && other.type == model::FieldType::kUInt) {
    return whole.bits == other.bits && static_cast<int64_t>(whole.bits) >= 0;
  }
  if (whole.type == model::FieldType::kUInt && other.type == model::FieldType::kInt) return SameNumber(b, a);
  if (other.type != model::FieldType::kFloat) return false;
  const auto number = std::bit_cast<double>(other.bits);
  // Both ways: above 2^53 several integers give one double. The largest ones give a double beyond the type.
  if (whole.type == model::FieldType::kInt) {
    const auto own = static_cast<int64_t>(whole.bits);
    return static_cast<double>(own) == number && number < 0x1p63 && static_cast<int64_t>(number) == own;
  }
  if (whole.type != model::FieldType::kUInt) return false;
  return static_cast<double>(whole.bits) == number && number < 0x1p64 && static_cast<uint64_t>(number) == whole.bits;
}

constexpr model::FieldType kTypes[] = {model::FieldType::kFloat, model::FieldType::kInt, model::FieldType::kUInt,
                                       model::FieldType::kBool, model::FieldType::kString};

// The rows of a piece within a time.
void Keep(int64_t first_ns, int64_t last_ns, Piece* piece) {
  Piece out = *piece;
  out.ClearValues();
  for (size_t row = 0; row < piece->size(); ++row) {
    if (piece->times_ns[row] < first_ns || piece->times_ns[row] > last_ns) continue;
    out.times_ns.push_back(piece->times_ns[row]);
    if (piece->is_text()) {
      out.strings.push_back(std::move(piece->strings[row]));
    } else {
      out.bits.push_back(piece->bits[row]);
    }
  }
  *piece = std::move(out);
}

int64_t FloorMs(int64_t ns) { return model::Timestamp{ns}.FloorMs(); }

Wanted WantedOf(const SourceSums& source, const std::string& database) {
  return {.database = database,
          .match = source.Selectors(),
          .start_ms = FloorMs(source.first_ns()),
          .end_ms = FloorMs(source.last_ns())};
}

// The points of the series that are different, by value.
class Close {
 public:
  Close(const SourceSums& source, SeriesSet different, std::function<void(const std::string&)> name)
      : source_(source), different_(std::move(different)), name_(std::move(name)) {}

  Status TakeSource(const Piece& piece) {
    const Hash128 series = transfer::SeriesHash(piece);
    if (!different_.contains(series)) return {};
    const auto held = series_.find(series);
    if (held == series_.end()) {
      // All of a series or nothing of it.
      const uint64_t points = source_.sums().series().at(series).points;
      if (held_ > 0 && held_ + points > kHeldMax) {
        unseen_.insert(series);
        return {};
      }
      held_ += points;
    }
    Series& own = series_[series];
    if (own.name.empty()) {
      own.name = Describe(piece);
      own.type = piece.type;
    }
    for (size_t row = 0; row < piece.size(); ++row) {
      std::string value = ValueText(piece, row);
      const auto [at, added] =
          own.points.try_emplace(piece.times_ns[row], Point{.value = value, .bits = BitsOf(piece, row)});
      if (added) continue;
      if (at->second.value == value) {
        ++out_.repeated;
        continue;
      }
      ++out_.ambiguous;
      Name(fmt::format("{} at {}: the source has {} and then {}", own.name, TimeText(piece.times_ns[row]),
                       at->second.value, value));
      at->second.value = std::move(value);
      at->second.bits = BitsOf(piece, row);
    }
    return {};
  }

  void TakeStored(const Piece& piece) {
    // The source's values of another type at the times of these: a name has one value at a time.
    std::vector<Series*> retyped;
    Piece names = piece;
    names.ClearValues();
    for (const model::FieldType type : kTypes) {
      names.type = type;
      if (type == piece.type) continue;
      if (const auto other = series_.find(transfer::SeriesHash(names)); other != series_.end()) {
        retyped.push_back(&other->second);
      }
    }
    const auto held = series_.find(transfer::SeriesHash(piece));
    for (size_t row = 0; row < piece.size(); ++row) {
      bool known = false;
      for (Series* series : retyped) known = TakeRetyped(piece, row, series) || known;
      if (held == series_.end()) continue;
      const auto at = held->second.points.find(piece.times_ns[row]);
      if (at == held->second.points.end()) {
        if (!known) ++out_.others;
        continue;
      }
      at->second.found = true;
      const std::string value = ValueText(piece, row);
      if (at->second.value == value) continue;
      ++out_.different;
      Name(fmt::format("{} at {}: the source has {}, the database {}", held->second.name, TimeText(at->first),
                       at->second.value, value));
    }
  }

  // The numbers, of the series that are different.
  Compared Finish() {
    for (const Hash128& series : unseen_) out_.unseen += source_.sums().series().at(series).points;
    for (const auto& [hash, series] : series_) {
      out_.points += series.points.size();
      for (const auto& [ns, point] : series.points) {
        if (point.found) continue;
        ++out_.missing;
        Name(fmt::format("{} at {}: the source has {}, the database nothing", series.name, TimeText(ns), point.value));
      }
    }
    return out_;
  }

 private:
  void Name(const std::string& text) {
    if (named_++ < kNamedMax) name_(text);
  }

  static uint64_t BitsOf(const Piece& piece, size_t row) { return piece.is_text() ? 0 : piece.bits[row]; }

  struct Point {
    std::string value;
    uint64_t bits = 0;  // of all types but string
    bool found = false;
  };
  struct Series {
    std::string name;
    model::FieldType type = model::FieldType::kFloat;
    std::map<int64_t, Point> points;
  };

  // Whether the series has a point at the time of the row, which is of another type.
  bool TakeRetyped(const Piece& piece, size_t row, Series* series) {
    const auto at = series->points.find(piece.times_ns[row]);
    if (at == series->points.end()) return false;
    at->second.found = true;
    const bool same = SameNumber({series->type, at->second.bits}, {piece.type, BitsOf(piece, row)});
    ++(same ? out_.retyped : out_.different);
    Name(fmt::format("{} at {}: the source has the {} {}, the database the {} {}: its field is of that type",
                     series->name, TimeText(at->first), model::Name(series->type), at->second.value,
                     model::Name(piece.type), ValueText(piece, row)));
    return true;
  }

  const SourceSums& source_;
  const SeriesSet different_;
  const std::function<void(const std::string&)> name_;
  std::unordered_map<Hash128, Series, transfer::SeriesSums::LowBits> series_;
  SeriesSet unseen_;
  uint64_t held_ = 0;
  size_t named_ = 0;
  Compared out_;
};

// The series of the source that the database does not have alike.
Result<SeriesSet> FindDifferent(const SourceSums& source, const std::string& database, Target* target) {
  transfer::SeriesSums stored;
  const auto take = [&](Piece* piece) -> Status {
    if (!source.sums().series().contains(transfer::SeriesHash(*piece))) return {};
    Keep(source.first_ns(), source.last_ns(), piece);
    if (piece->size() > 0) stored.Add(*piece);
    return {};
  };
  const Result<transfer::ExportEnd> read = target->Read(WantedOf(source, database), take);
  // Nothing of it could be written: all of it is missing.
  if (!read.ok() && read.error().code != ErrorCode::kNotFound) return read.error();
  SeriesSet different;
  for (const auto& [series, sum] : source.sums().series()) {
    const auto at = stored.series().find(series);
    if (at == stored.series().end() || at->second != sum) different.insert(series);
  }
  return different;
}

}  // namespace

void SourceSums::Add(const Piece& piece) {
  sums_.Add(piece);
  for (const int64_t ns : piece.times_ns) {
    first_ns_ = std::min(first_ns_, ns);
    last_ns_ = std::max(last_ns_, ns);
  }
  if (many_metrics_) return;
  metrics_.insert(model::MetricName(piece.measurement, piece.field));
  many_metrics_ = metrics_.size() > kMetricsMax;
}

std::vector<std::string> SourceSums::Selectors() const {
  std::vector<std::string> out;
  if (many_metrics_) return out;
  for (const std::string& metric : metrics_) out.push_back("{__name__=" + query::promql::Quote(metric) + "}");
  return out;
}

Result<Compared> Compare(const SourceSums& source, const ComparedDatabase& database, Target* target,
                         const Reopen& reopen, const std::function<void(const std::string&)>& name) {
  const uint64_t all = source.sums().all().points;
  if (all == 0) return Compared{};
  TM_TRY_ASSIGN(SeriesSet different, FindDifferent(source, database.name, target));
  if (different.empty()) return Compared{.points = all};
  uint64_t alike = all;
  for (const Hash128& series : different) alike -= source.sums().series().at(series).points;
  if (!reopen) {
    name(fmt::format("{} series are not alike; what is different is told of a source that can be read twice",
                     different.size()));
    return Compared{.points = alike, .unseen = all - alike};
  }
  Close close(source, std::move(different), name);
  TM_TRY_ASSIGN(const std::unique_ptr<PieceReader> reader, reopen());
  for (Piece piece;;) {
    TM_TRY_ASSIGN(const bool more, reader->Next(&piece));
    if (!more) break;
    if (reader->DatabaseFor(database.wanted) != database.name) continue;
    TM_RETURN_IF_ERROR(close.TakeSource(piece));
  }
  const auto take = [&](Piece* piece) -> Status {
    Keep(source.first_ns(), source.last_ns(), piece);
    close.TakeStored(*piece);
    return {};
  };
  const Result<transfer::ExportEnd> read = target->Read(WantedOf(source, database.name), take);
  if (!read.ok() && read.error().code != ErrorCode::kNotFound) return read.error();
  Compared out = close.Finish();
  out.points += alike;
  return out;
}

}  // namespace tidemark::cli
