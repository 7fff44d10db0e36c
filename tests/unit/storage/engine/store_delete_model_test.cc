// Deletions and retentions of selectors against a plain map: random writes (in order, late, over others, over what was
// deleted) with deletions, freezes, checkpoints, compactions, closes, crashes and a clock that moves between them.
// Whatever happens, a scan gives what the map has, a trusted tier bucket what the map's rows add up to, and views that
// were opened earlier what the map had then.
#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <tuple>

#include "store_fixture.h"
#include "tests/test_seed.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = (1'700'000'000'000'000'000 / kNsPerHour) * kNsPerHour;

using SeriesName = std::tuple<std::string, std::string, std::string>;  // measurement, host, field
using Model = std::map<SeriesName, std::map<int64_t, int64_t>>;

class StoreDeleteModelTest : public StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  struct Kept {
    std::shared_ptr<const View> view;
    Model model;
  };

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  int64_t RandomTime() {
    switch (Below(6)) {
      case 0:  // other partitions, many of which a compaction merges
        return kStart - static_cast<int64_t>(Below(Below(2) == 0 ? 4 * 3600 : 200 * 3600)) * kSecond;
      case 1: return kStart + static_cast<int64_t>(Below(200)) * kSecond;       // over what there is
      case 2: return kStart + kNsPerHour + static_cast<int64_t>(Below(3)) - 1;  // at a border
      default: return now_ += 4 * kSecond;
    }
  }

  // Rows every 10 s of an hour, so that a tier is worth its bytes.
  void WriteDense() {
    model::BatchBuilder builder;
    const std::string measurement = "m" + std::to_string(Below(2));
    const std::string host = "h" + std::to_string(Below(4));
    const int64_t from = kStart - static_cast<int64_t>(Below(4)) * kNsPerHour;
    uint64_t refused = 0;
    for (int64_t time = from; time < from + kNsPerHour; time += 10 * kSecond) {
      const auto value = static_cast<int64_t>(Below(1000));
      builder.Row(measurement, {{"host", host}}, {time}).Field("a", value);
      model_[{measurement, host, "a"}][time] = value;
      refused += TooOld(measurement, host, time) ? 1 : 0;
    }
    WriteBut(refused, builder.batch());
  }

  void WriteSome() {
    model::BatchBuilder builder;
    const size_t rows = 1 + Below(40);
    uint64_t refused = 0;
    for (size_t r = 0; r < rows; ++r) {
      const std::string measurement = "m" + std::to_string(Below(2));
      const std::string host = "h" + std::to_string(Below(4));
      const int64_t time = RandomTime();
      refused += TooOld(measurement, host, time) ? 1 : 0;
      builder.Row(measurement, {{"host", host}}, {time});
      for (const char* field : {"a", "b"}) {
        if (field[0] == 'b' && Below(2) == 0) continue;
        const auto value = static_cast<int64_t>(Below(1000));
        builder.Field(field, value);
        model_[{measurement, host, field}][time] = value;
      }
    }
    WriteBut(refused, builder.batch());
  }

  // Before there is a retention that forbids it, and when whatever there is lies whole in a longer partition that is
  // past.
  static constexpr int kMergeStep = 45;
  void MergeSome() {
    clock_.Advance(16 * kNsPerHour);
    ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
    const std::vector<PartitionInfo> partitions = store_->OpenView("").value()->Partitions();
    const auto is_long = [](const PartitionInfo& partition) {
      return partition.bounds.last.ns - partition.bounds.first.ns >= kNsPerHour;
    };
    EXPECT_TRUE(std::any_of(partitions.begin(), partitions.end(), is_long)) << partitions.size() << " partitions";
  }

  // The selector of SetSelectors refuses these; ForgetOld takes them out of the model again.
  [[nodiscard]] bool TooOld(const std::string& measurement, const std::string& host, int64_t time) const {
    return keep_m0_h1_ns_ != 0 && measurement == "m0" && host == "h1" && time < clock_.NowNs() - keep_m0_h1_ns_;
  }
  void WriteBut(uint64_t refused, const model::Batch& batch) {
    auto report = store_->Write("", batch);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->rows_rejected, refused);
  }

  void DeleteSome() {
    DeleteRequest request;
    std::vector<std::function<bool(const SeriesName&)>> selected;
    const size_t selectors = 1 + Below(2);
    for (size_t i = 0; i < selectors; ++i) {
      const std::string host = "h" + std::to_string(Below(4));
      switch (Below(5)) {
        case 0:
          request.selectors.push_back({Equal("host", host)});
          selected.emplace_back([host](const SeriesName& name) { return std::get<1>(name) == host; });
          break;
        case 1:
          request.selectors.push_back({{model::MatchOp::kRegex, "__name__", "m0_.*"}});
          selected.emplace_back([](const SeriesName& name) { return std::get<0>(name) == "m0"; });
          break;
        case 2:
          request.selectors.push_back({{model::MatchOp::kNotEqual, "host", host}});
          selected.emplace_back([host](const SeriesName& name) { return std::get<1>(name) != host; });
          break;
        case 3:
          request.selectors.push_back({Equal("__name__", "m1_b"), {model::MatchOp::kNotRegex, "host", "h[01]"}});
          selected.emplace_back([](const SeriesName& name) {
            return std::get<0>(name) == "m1" && std::get<2>(name) == "b" && std::get<1>(name) > "h1";
          });
          break;
        default:
          request.selectors.push_back({Equal("host", "nobody")});
          selected.emplace_back([](const SeriesName&) { return false; });
          break;
      }
    }
    if (Below(3) == 0) request.fields.push_back(Below(2) == 0 ? "a" : "b");
    if (Below(4) != 0) {
      request.range.first.ns = kStart - 4 * kNsPerHour + static_cast<int64_t>(Below(6 * 3600)) * kSecond;
      request.range.last.ns = request.range.first.ns + static_cast<int64_t>(Below(3 * 3600)) * kSecond;
    }
    Model gone;
    for (const auto& [name, rows] : model_) {
      const bool named = request.fields.empty() || std::get<2>(name) == request.fields[0];
      if (!named || std::none_of(selected.begin(), selected.end(), [&](const auto& s) { return s(name); })) continue;
      gone[name] = {rows.lower_bound(request.range.first.ns), rows.upper_bound(request.range.last.ns)};
    }
    request.dry_run = true;
    ASSERT_TRUE(store_->Delete("", request).ok());
    Compare(*store_->OpenView("").value(), model_);
    if (HasFatalFailure()) return;
    request.dry_run = false;
    auto report = store_->Delete("", request);
    ASSERT_TRUE(report.ok()) << report.error().message;
    for (const auto& [name, rows] : gone) {
      for (const auto& [time, value] : rows) model_[name].erase(time);
    }
  }

  void SetSelectors() {
    DatabaseOptions changed = Options().new_database;
    changed.partition_ns = kNsPerHour;
    keep_m0_h1_ns_ = 6 * kNsPerHour;
    changed.selectors.push_back({{Equal("host", "h1"), {model::MatchOp::kRegex, "__name__", "m0_.+"}}, keep_m0_h1_ns_});
    ASSERT_TRUE(store_->SetDatabaseOptions("", changed).ok());
  }

  // What the selector keeps from now on.
  void ForgetOld() {
    if (keep_m0_h1_ns_ == 0) return;
    for (auto& [name, rows] : model_) {
      if (std::get<0>(name) != "m0" || std::get<1>(name) != "h1") continue;
      rows.erase(rows.begin(), rows.lower_bound(clock_.NowNs() - keep_m0_h1_ns_));
    }
  }

  void Compare(const View& view, const Model& expected) {
    auto refs = view.Select({}, {}, {.numeric = true, .strings = true, .max_series = 0});
    ASSERT_TRUE(refs.ok()) << refs.error().message;
    size_t left = 0;
    for (const auto& [name, rows] : expected) left += rows.size();
    auto cursor = view.Scan(*refs, {});
    model::Column column;
    for (const model::SeriesRef ref : *refs) {
      auto more = cursor->Next(&column);
      ASSERT_TRUE(more.ok()) << more.error().message;
      const SeriesName name = NameOf(view, ref);
      const auto found = expected.find(name);
      const std::map<int64_t, int64_t> none;
      const auto& rows = found == expected.end() ? none : found->second;
      const std::string what = fmt::format("{} {} {}", std::get<0>(name), std::get<1>(name), std::get<2>(name));
      ASSERT_EQ(column.size(), rows.size()) << what;
      size_t row = 0;
      for (const auto& [time, value] : rows) {
        ASSERT_EQ(column.times[row], time) << what;
        ASSERT_EQ(column.ints[row], value) << what << " at " << time;
        ++row;
      }
      left -= row;
    }
    ASSERT_EQ(left, 0U) << "rows are missing";
    ASSERT_TRUE(cursor->warnings().empty()) << cursor->warnings()[0];
  }

  void CompareTiers(const View& view, const Model& expected) {
    auto refs = view.Select({}, {}).value();
    for (const int64_t width_ns : view.Tiers()) {
      auto cursor = view.ScanTier(refs, {}, width_ns);
      TierColumn tier;
      for (const model::SeriesRef ref : refs) {
        auto more = cursor->Next(&tier);
        ASSERT_TRUE(more.ok()) << more.error().message;
        const auto found = expected.find(NameOf(view, ref));
        for (size_t i = 0; i < tier.buckets; ++i) {
          if (tier.trusted[i] == 0) continue;
          const int64_t begin_ns = tier.first_start_ns + static_cast<int64_t>(i) * width_ns;
          uint64_t count = 0;
          int64_t sum = 0;
          if (found != expected.end()) {
            const auto& rows = found->second;
            for (auto at = rows.upper_bound(begin_ns); at != rows.upper_bound(begin_ns + width_ns); ++at) {
              ++count;
              sum += at->second;
            }
          }
          ASSERT_EQ(tier.count[i], count) << "bucket after " << begin_ns;
          if (count == 0) continue;
          ASSERT_EQ(tier.sum[i], static_cast<double>(sum)) << "bucket after " << begin_ns;
          ++trusted_buckets_;
        }
      }
    }
  }

  static SeriesName NameOf(const View& view, model::SeriesRef ref) {
    model::LabelViews labels;
    view.LabelsOf(ref, &labels);
    std::string metric;
    std::string host;
    for (const model::LabelView& label : labels) {
      if (label.name == "__name__") metric = label.value;
      if (label.name == "host") host = label.value;
    }
    return {metric.substr(0, 2), host, metric.substr(3)};
  }

  std::mt19937_64 random_;
  Model model_;
  std::deque<Kept> kept_;
  int64_t now_ = kStart;
  int64_t keep_m0_h1_ns_ = 0;
  uint64_t trusted_buckets_ = 0;
};

TEST_P(StoreDeleteModelTest, AScanGivesWhatWasNotDeleted) {
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  clock_.Set(kStart + 2 * kNsPerHour);
  StoreOptions options = Options();
  options.staged_bytes = 1;  // RunMaintenance makes slabs whenever there is anything
  options.max_epochs = 2 + static_cast<uint32_t>(Below(4));
  // None, some or all epochs in meta.
  if (Below(2) == 0) options.small_epoch_bytes = uint64_t{1} << (9 + Below(8));
  options.new_database.partition_ns = kNsPerHour;
  Open(options);
  WriteSome();
  for (int step = 0; step < 150; ++step) {
    SCOPED_TRACE(step);
    switch (Below(16)) {
      case 0: ASSERT_TRUE(store_->Checkpoint().ok()); break;
      case 1:
      case 2: {
        clock_.Advance(61 * kSecond);
        const auto maintained = store_->RunMaintenance();
        ASSERT_TRUE(maintained.ok()) << maintained.error().message;
        break;
      }
      case 3: {
        auto compacted = store_->Compact("default", {}, nullptr);
        ASSERT_TRUE(compacted.ok()) << compacted.error().message;
        break;
      }
      case 4:
        kept_.clear();
        if (Below(2) == 0) {
          ASSERT_TRUE(store_->Close().ok());
        }
        Open(options);
        break;
      case 5: clock_.Advance(static_cast<int64_t>(Below(900)) * kSecond); break;
      case 6:
        if (step > 50 && keep_m0_h1_ns_ == 0) SetSelectors();
        break;
      case 7:
      case 8:
      case 9: DeleteSome(); break;
      case 10:
      case 11: WriteDense(); break;
      default: WriteSome(); break;
    }
    if (HasFatalFailure()) return;
    if (step == kMergeStep) MergeSome();
    if (HasFatalFailure()) return;
    ForgetOld();
    auto view = store_->OpenView("").value();
    Compare(*view, model_);
    if (HasFatalFailure()) return;
    CompareTiers(*view, model_);
    if (HasFatalFailure()) return;
    if (Below(4) == 0) kept_.push_back({view, model_});
    if (kept_.size() > 6) kept_.pop_front();
    for (const Kept& kept : kept_) {
      Compare(*kept.view, kept.model);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(trusted_buckets_, 0U);
}

INSTANTIATE_TEST_SUITE_P(Rounds, StoreDeleteModelTest, ::testing::Range(0, 6));

}  // namespace
}  // namespace tidemark::storage
