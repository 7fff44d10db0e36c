// A kill, or a power cut, at every named failure point (storage/base/failure_point.h) that a job comes by: whoever
// opens the store then finds the old state or the new one, no file that nothing names, and can do the job again.
//
// TIDEMARK_FULL=1 kills and cuts each time that a point is reached; otherwise the first time, or the first and the
// last, by one or the other.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <sstream>

#include "child_process.h"
#include "crash_scenarios.h"
#include "forgetful_file_system.h"
#include "orphans.h"
#include "storage/base/failure_point.h"
#include "tests/test_seed.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::fault {
namespace {

// Set in the child only.
struct Plan {
  size_t point = kFailurePoints.size();                  // none
  uint64_t hit = 0;                                      // from 1
  std::shared_ptr<ForgetfulFileSystem> power = nullptr;  // what loses it; null: a kill
  uint64_t seed = 0;
};
Plan plan;
std::array<uint64_t, kFailurePoints.size()> hits;

void OnPoint(size_t index) {
  if (++hits[index] != plan.hit || index != plan.point) return;
  if (plan.power != nullptr) {
    plan.power->PowerOffAfter(0);
    plan.power->RestoreDurable(plan.seed);
  }
  EndChild(kKilled, {});
}

// What the child had got to when it was killed; shared with the parent.
struct Progress {
  size_t steps_done = 0;
  bool opened = false;
};

std::string DoSteps(const std::vector<CrashStep>& steps, size_t first, storage::Store& store, ManualClock& clock,
                    Progress* progress) {
  for (size_t i = first; i < steps.size(); ++i) {
    if (auto done = steps[i].run(store, clock); !done.ok()) return done.error().message;
    if (progress != nullptr) progress->steps_done = i + 1;
  }
  return {};
}

class FailurePointsTest : public ::testing::Test {
 protected:
  FailurePointsTest() {
    void* const shared =
        mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, /*fd=*/-1, 0);
    progress_ = new (shared) Progress();
  }
  ~FailurePointsTest() override { munmap(progress_, sizeof(Progress)); }

  [[nodiscard]] std::string prepared() const { return directory_.path() + "/prepared"; }
  [[nodiscard]] std::string work() const { return directory_.path() + "/work"; }

  // The directory that each run of `scenario` begins with, and what the model says after each of its steps.
  void Prepare(const CrashScenario& scenario) {
    std::filesystem::remove_all(prepared());
    std::filesystem::create_directories(prepared());
    if (!scenario.prepare.empty()) {
      ASSERT_NO_FATAL_FAILURE(DoPrepare(scenario));
    }
    RowModel model;
    for (const CrashStep& step : scenario.prepare) {
      if (step.effect) step.effect(&model);
    }
    models_ = {model};
    for (const CrashStep& step : scenario.steps) {
      if (step.effect) step.effect(&model);
      models_.push_back(model);
    }
  }

  void DoPrepare(const CrashScenario& scenario) {
    const ChildResult done = RunInChild([&]() -> std::string {
      ManualClock clock(kScenarioStartNs);
      auto store = storage::Store::Open(Options(scenario, prepared(), &clock));
      if (!store.ok()) return store.error().message;
      const std::vector<CrashStep>& steps = scenario.prepare;
      const std::vector<CrashStep> last(steps.end() - 1, steps.end());
      if (std::string wrong = DoSteps({steps.begin(), steps.end() - 1}, 0, **store, clock, nullptr); !wrong.empty()) {
        return wrong;
      }
      if (!scenario.prepare_killed_at.empty()) Arm({.point = FindFailurePoint(scenario.prepare_killed_at), .hit = 1});
      return DoSteps(last, 0, **store, clock, nullptr);
    });
    ASSERT_EQ(done.text, "") << "preparing " << scenario.name;
    ASSERT_EQ(done.exit_code, scenario.prepare_killed_at.empty() ? 0 : kKilled) << "preparing " << scenario.name;
  }

  void CopyPrepared() {
    std::filesystem::remove_all(work());
    std::filesystem::copy(prepared(), work(), std::filesystem::copy_options::recursive);
  }

  static void Arm(Plan wanted) {
    plan = std::move(wanted);
    hits.fill(0);
    ArmFailurePoints(OnPoint);
  }

  // How often each point is reached when nothing is killed.
  std::array<uint64_t, kFailurePoints.size()> CountHits(const CrashScenario& scenario) {
    CopyPrepared();
    std::array<uint64_t, kFailurePoints.size()> counts{};
    const ChildResult done = RunInChild([&]() -> std::string {
      Arm({});
      ManualClock clock(ClockAt());
      auto store = storage::Store::Open(Options(scenario, work(), &clock));
      if (!store.ok()) return store.error().message;
      if (std::string wrong = DoSteps(scenario.steps, 0, **store, clock, nullptr); !wrong.empty()) return wrong;
      ArmFailurePoints(nullptr);
      auto rows = ReadAll(**store);
      if (rows.ok()) {
        if (std::string wrong = Difference(models_.back(), *rows); !wrong.empty()) return wrong;
      }
      std::string text = "counts";
      for (const uint64_t count : hits) text += " " + std::to_string(count);
      return text;
    });
    std::istringstream text(done.text);
    std::string word;
    text >> word;
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_EQ(word, "counts") << scenario.name << ": " << done.text;
    for (uint64_t& count : counts) text >> count;
    return counts;
  }

  // Through the forgetful files also where no power is cut: RocksDB reserves tens of megabytes ahead of its logs, which
  // takes most of the time of a run in memory, and those do not let it.
  static storage::StoreOptions Options(const CrashScenario& scenario, const std::string& directory, Clock* clock,
                                       std::shared_ptr<ForgetfulFileSystem> files = nullptr) {
    storage::StoreOptions options = ScenarioOptions(scenario, directory, clock);
    options.file_system = files != nullptr ? std::move(files) : std::make_shared<ForgetfulFileSystem>(directory);
    return options;
  }
  [[nodiscard]] static int64_t ClockAt() { return kScenarioStartNs + kScenarioLateNs; }

  // One crash: killed there, opened, looked at, the job done again, looked at.
  void Crash(const CrashScenario& scenario, size_t point, uint64_t hit, bool power_cut, uint64_t seed) {
    SCOPED_TRACE(fmt::format("{}: {} at {}, time {}, seed {}", scenario.name, power_cut ? "power cut" : "kill",
                             kFailurePoints[point], hit, seed));
    CopyPrepared();
    *progress_ = Progress();
    const ChildResult killed = RunInChild([&]() -> std::string {
      ManualClock clock(ClockAt());
      auto files = std::make_shared<ForgetfulFileSystem>(work());
      Arm({point, hit, power_cut ? files : nullptr, seed});
      auto store = storage::Store::Open(Options(scenario, work(), &clock, files));
      if (!store.ok()) return store.error().message;
      progress_->opened = true;
      return DoSteps(scenario.steps, 0, **store, clock, progress_);
    });
    ASSERT_EQ(killed.text, "");
    ASSERT_EQ(killed.exit_code, kKilled);
    const ChildResult checked = RunInChild([&]() -> std::string {
      ManualClock clock(ClockAt());
      {
        auto store = storage::Store::Open(Options(scenario, work(), &clock));
        if (!store.ok()) return "opening: " + store.error().message;
        auto rows = ReadAll(**store);
        if (!rows.ok()) return rows.error().message;
        const size_t done = progress_->steps_done;
        const std::string from_old = Difference(models_[done], *rows);
        const std::string from_new =
            Difference(models_[std::min(done + (progress_->opened ? 1 : 0), models_.size() - 1)], *rows);
        if (!from_old.empty() && !from_new.empty()) {
          return fmt::format("neither old ({}) nor new ({}), {} steps done", from_old, from_new, done);
        }
        // Orphans go at the first checkpoint after an open, when meta is in table files.
        if (auto taken = (*store)->Checkpoint(); !taken.ok()) return "a checkpoint: " + taken.error().message;
      }
      if (std::string wrong = FindOrphans(work()); !wrong.empty()) return "after the crash: " + wrong;
      {
        auto store = storage::Store::Open(Options(scenario, work(), &clock));
        if (!store.ok()) return "opening once more: " + store.error().message;
        const std::string wrong = DoSteps(scenario.steps, progress_->steps_done, **store, clock, nullptr);
        if (!wrong.empty()) return "the job done again: " + wrong;
      }
      {
        auto store = storage::Store::Open(Options(scenario, work(), &clock));
        if (!store.ok()) return "opening at last: " + store.error().message;
        auto rows = ReadAll(**store);
        if (!rows.ok()) return rows.error().message;
        if (std::string wrong = Difference(models_.back(), *rows); !wrong.empty()) return "at last: " + wrong;
        if (auto taken = (*store)->Checkpoint(); !taken.ok()) return "a checkpoint at last: " + taken.error().message;
      }
      if (std::string wrong = FindOrphans(work()); !wrong.empty()) return "at last: " + wrong;
      return {};
    });
    EXPECT_EQ(checked.text, "");
    EXPECT_EQ(checked.exit_code, 0);
  }

  TempDirectory directory_;
  Progress* progress_ = nullptr;
  std::vector<RowModel> models_;
};

class CrashTest : public FailurePointsTest, public ::testing::WithParamInterface<size_t> {};

bool Full() { return std::getenv("TIDEMARK_FULL") != nullptr; }

TEST_P(CrashTest, ACrashLeavesTheOldStateOrTheNew) {
  const CrashScenario& scenario = CrashScenarios()[GetParam()];
  std::mt19937_64 random(TestSeed());
  ASSERT_NO_FATAL_FAILURE(Prepare(scenario));
  const auto counts = CountHits(scenario);
  size_t crashes = 0;
  for (size_t point = 0; point < counts.size() && !HasFailure(); ++point) {
    if (counts[point] == 0) continue;
    const bool swap = random() % 2 == 0;
    for (uint64_t hit = 1; hit <= counts[point]; ++hit) {
      // The first time by one kind of crash, the last by the other; all of them by both.
      const bool first = hit == 1;
      const bool last = hit == counts[point];
      for (const bool power_cut : {false, true}) {
        if (!Full() && !(first && power_cut == swap) && !(last && !first && power_cut != swap)) continue;
        Crash(scenario, point, hit, power_cut, random());
        ++crashes;
      }
    }
  }
  std::cout << crashes << " crashes\n";
}

INSTANTIATE_TEST_SUITE_P(Jobs, CrashTest, ::testing::Range<size_t>(0, CrashScenarios().size()),
                         [](const auto& param) { return CrashScenarios()[param.param].name; });

// A point that no scenario comes by is not tested, whatever the table says.
TEST_F(FailurePointsTest, EveryPointIsReachedBySomeJob) {
  std::array<uint64_t, kFailurePoints.size()> all{};
  for (const CrashScenario& scenario : CrashScenarios()) {
    ASSERT_NO_FATAL_FAILURE(Prepare(scenario));
    const auto counts = CountHits(scenario);
    for (size_t i = 0; i < all.size(); ++i) all[i] += counts[i];
  }
  for (size_t i = 0; i < all.size(); ++i) EXPECT_GT(all[i], 0U) << kFailurePoints[i] << " is reached by no scenario";
}

}  // namespace
}  // namespace tidemark::fault
