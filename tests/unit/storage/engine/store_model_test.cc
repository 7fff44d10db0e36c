// The store against a plain map: random writes (in order, late, again, over others, of all types, in several
// partitions) with freezes, checkpoints, compactions, closes and crashes between them. Whatever happens, a scan gives
// what the map has.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <tuple>

#include "store_fixture.h"
#include "tests/test_seed.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

using SeriesName = std::tuple<std::string, std::string, std::string>;  // measurement, host, field
using Model = std::map<SeriesName, std::map<int64_t, model::FieldValue>>;

std::string Text(const model::FieldValue& value) {
  if (const auto* d = std::get_if<double>(&value)) {
    return fmt::format("float {} {:016x}", *d, std::bit_cast<uint64_t>(*d));
  }
  if (const auto* i = std::get_if<int64_t>(&value)) return fmt::format("int {}", *i);
  if (const auto* u = std::get_if<uint64_t>(&value)) return fmt::format("uint {}", *u);
  if (const auto* b = std::get_if<bool>(&value)) return fmt::format("bool {}", *b);
  return "string " + std::get<std::string>(value);
}

// Spells doubles that are short decimals as mantissa and scale, as text protocols do.
void SpellAsDecimals(model::Batch* batch, std::mt19937_64* random) {
  for (const model::Row& row : batch->rows) {
    const model::Shape& shape = batch->shapes[row.shape];
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      if (shape.fields[f].type != model::FieldType::kFloat) continue;
      const size_t at = row.first_value + f;
      const double value = model::FloatOf(batch->values[at], batch->scales[at]);
      const auto scale = static_cast<uint8_t>((*random)() % 6);
      if (!(std::fabs(value) < 1e9) || (value == 0 && std::signbit(value))) continue;
      const auto mantissa = static_cast<int64_t>(std::llround(value * model::PowerOfTen(scale)));
      if (model::FloatOf(mantissa, scale) != value) continue;
      batch->values[at] = mantissa;
      batch->scales[at] = scale;
    }
  }
}

class StoreModelTest : public StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  double RandomDouble() {
    switch (Below(10)) {
      case 0: return std::bit_cast<double>(uint64_t{0x7ff0000000000002});  // stale marker
      case 1: return std::bit_cast<double>(random_());
      case 2: return -0.0;
      case 3: return std::numeric_limits<double>::infinity();
      default: return static_cast<double>(Below(100'000)) / 100.0;
    }
  }
  int64_t RandomInt() { return Below(8) == 0 ? static_cast<int64_t>(random_()) : static_cast<int64_t>(Below(1000)); }

  int64_t RandomTime() {
    switch (Below(8)) {
      case 0:  // other partitions, many of which a compaction merges
        return kStart - static_cast<int64_t>(Below(Below(2) == 0 ? 8 * 3600 : 400 * 3600)) * kSecond;
      case 1: return kStart + static_cast<int64_t>(Below(200)) * kSecond;  // over what there is
      case 2: return static_cast<int64_t>(Below(5)) - 2;                   // about 1970
      case 3: return kNextPartition + static_cast<int64_t>(Below(3)) - 1;  // at a border
      default: return now_ += kSecond;
    }
  }

  void WriteSome() {
    model::BatchBuilder builder;
    const size_t rows = 1 + Below(60);
    for (size_t r = 0; r < rows; ++r) {
      const std::string measurement = "m" + std::to_string(Below(2));
      const std::string host = "h" + std::to_string(Below(4));
      const int64_t time = RandomTime();
      builder.Row(measurement, {{"host", host}}, {time});
      const auto note = [&](const char* field, model::FieldValue value) {
        model_[{measurement, host, field}][time] = std::move(value);
      };
      bool any = false;
      const auto chosen = [&] { return !any || Below(2) == 0 ? (any = true) : false; };
      if (chosen()) {
        const double value = RandomDouble();
        builder.Field("f", value);
        note("f", value);
      }
      if (chosen()) {
        const int64_t value = RandomInt();
        builder.Field("i", value);
        note("i", value);
      }
      if (chosen()) {
        const uint64_t value = random_();
        builder.Field("u", value);
        note("u", value);
      }
      if (chosen()) {
        const bool value = Below(2) == 0;
        builder.Field("b", value);
        note("b", value);
      }
      if (chosen()) {
        const std::string value(Below(40), static_cast<char>('a' + Below(26)));
        builder.Field("s", std::string_view(value));
        note("s", value);
      }
      if (chosen() && mixed_is_float_) {
        // A float field that gets integers, which a float is equal to: others are refused.
        const int64_t value = RandomInt() >> 11;
        builder.Field("mixed", value);
        note("mixed", static_cast<double>(value));
      }
    }
    SpellAsDecimals(&builder.batch(), &random_);
    Write(builder.batch());
  }

  void FixMixedType() {
    for (const char* measurement : {"m0", "m1"}) {
      model::BatchBuilder builder;
      builder.Row(measurement, {{"host", "h0"}}, {kStart}).Field("mixed", 0.25);
      Write(builder.batch());
      model_[{measurement, "h0", "mixed"}][kStart] = 0.25;
    }
    mixed_is_float_ = true;
  }

  void Compare(model::TimeRange range) {
    auto view = store_->OpenView("");
    ASSERT_TRUE(view.ok()) << view.error().message;
    auto refs = (*view)->Select({}, range, {.numeric = true, .strings = true, .max_series = 0});
    ASSERT_TRUE(refs.ok()) << refs.error().message;
    Model left;
    for (const auto& [name, rows] : model_) {
      const auto begin = rows.lower_bound(range.first.ns);
      const auto end = rows.upper_bound(range.last.ns);
      if (begin != end) left[name] = {begin, end};
    }
    // Some scans take only every so many series, so that cursors skip.
    auto cursor = (*view)->Scan(*refs, range);
    model::Column column;
    model::LabelViews labels;
    for (const model::SeriesRef ref : *refs) {
      auto more = cursor->Next(&column);
      ASSERT_TRUE(more.ok()) << more.error().message;
      ASSERT_TRUE(*more);
      ASSERT_EQ(column.ref, ref);
      (*view)->LabelsOf(ref, &labels);
      std::string metric;
      std::string host;
      for (const model::LabelView& label : labels) {
        if (label.name == "__name__") metric = label.value;
        if (label.name == "host") host = label.value;
      }
      const SeriesName name{metric.substr(0, 2), host, metric.substr(3)};
      const auto found = left.find(name);
      if (found == left.end()) {
        ASSERT_TRUE(column.empty()) << metric << " " << host << " has rows that were never written";
        continue;
      }
      ASSERT_EQ(column.size(), found->second.size()) << metric << " " << host;
      size_t row = 0;
      for (const auto& [time, value] : found->second) {
        ASSERT_EQ(column.times[row], time) << metric << " " << host << " row " << row;
        ASSERT_EQ(Text(ValueOf(column, row)), Text(value)) << metric << " " << host << " at " << time;
        ++row;
      }
      left.erase(found);
    }
    ASSERT_TRUE(left.empty()) << left.size() << " series are missing";
    ASSERT_TRUE(cursor->warnings().empty()) << cursor->warnings()[0];
  }

  void Check() {
    Compare({});
    const int64_t first = kStart - 4 * kNsPerHour + static_cast<int64_t>(Below(5 * 3600)) * kSecond;
    Compare({{first}, {first + static_cast<int64_t>(Below(3 * 3600)) * kSecond}});
  }

  static constexpr int64_t kNextPartition = (kStart / kNsPerHour + 1) * kNsPerHour;
  std::mt19937_64 random_;
  Model model_;
  int64_t now_ = kStart;
  bool mixed_is_float_ = false;
};

TEST_P(StoreModelTest, AScanGivesWhatWasWritten) {
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  StoreOptions options = Options();
  options.staged_bytes = 1;  // RunMaintenance makes slabs whenever there is anything
  options.max_epochs = 2 + static_cast<uint32_t>(Below(4));
  // None, some or all epochs in meta.
  if (Below(2) == 0) options.small_epoch_bytes = uint64_t{1} << (9 + Below(8));
  options.new_database.partition_ns = kNsPerHour;
  Open(options);
  FixMixedType();
  for (int step = 0; step < 120; ++step) {
    SCOPED_TRACE(step);
    switch (Below(12)) {
      case 0: ASSERT_TRUE(store_->Checkpoint().ok()); break;
      case 1:
      case 2: ASSERT_TRUE(store_->RunMaintenance().ok()); break;
      case 3: {
        auto compacted = store_->Compact("default", {}, nullptr);
        ASSERT_TRUE(compacted.ok()) << compacted.error().message;
        break;
      }
      case 4:
        if (Below(2) == 0) {
          auto closed = store_->Close();
          ASSERT_TRUE(closed.ok()) << closed.error().message;
        }
        Open(options);
        break;
      case 5: {
        // Later partitions get another length; what lies there already keeps its own.
        DatabaseOptions changed = options.new_database;
        changed.partition_ns = (1 + static_cast<int64_t>(Below(4))) * kNsPerHour / 2;
        ASSERT_TRUE(store_->SetDatabaseOptions("default", changed).ok());
        break;
      }
      default: WriteSome(); break;
    }
    if (HasFatalFailure()) return;
    Check();
    if (HasFatalFailure()) return;
  }
  Check();
}

INSTANTIATE_TEST_SUITE_P(Rounds, StoreModelTest, ::testing::Range(0, 6));

}  // namespace
}  // namespace tidemark::storage
