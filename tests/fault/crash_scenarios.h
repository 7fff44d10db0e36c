// The jobs of a store that a crash may cut short, each as a few steps with what they change for a reader.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "row_model.h"
#include "storage/base/clock.h"
#include "storage/storage.h"

namespace tidemark::fault {

// One step is old or new for a reader, never something between; and it can be done again.
struct CrashStep {
  std::function<Result<void>(storage::Store&, ManualClock&)> run;
  // Null: readers see no change.
  std::function<void(RowModel*)> effect = nullptr;
};

struct CrashScenario {
  std::string name;
  // Done first, undisturbed, in a store that is then left without a checkpoint, as by a kill. None: there is no store
  // yet, and the steps begin with the making of one.
  std::vector<CrashStep> prepare;
  // Where the last step of `prepare` is killed; none: nowhere.
  std::string_view prepare_killed_at = {};
  std::vector<CrashStep> steps;
  // 0: each epoch is a file. A scenario's data is small enough to lie in `meta` otherwise.
  uint64_t small_epoch_bytes = 0;
};

// When they are prepared, and how much later their steps begin.
inline constexpr int64_t kScenarioStartNs = 1'699'999'200'000'000'000;  // an hour begins
inline constexpr int64_t kScenarioLateNs = 4 * storage::kNsPerHour;

// Options of the store of a scenario: small segments, and jobs that are due soon.
storage::StoreOptions ScenarioOptions(const CrashScenario& scenario, const std::string& directory, Clock* clock);
const std::vector<CrashScenario>& CrashScenarios();

}  // namespace tidemark::fault
