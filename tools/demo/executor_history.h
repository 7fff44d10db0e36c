// ExecutorHistory: six weeks of runs of a pipeline, in the measurements of executor/README.md, as if `tidemark exec
// run` had reported them. The pipeline is called demo-ci, so that nobody takes it for a real one.
//
// A run's row says how many tasks it had; only one task of each kind has a row of its own.
#pragma once

#include <cstdint>
#include <string>

#include "tools/demo/point_emitter.h"
#include "tools/demo/story.h"

namespace tidemark::demo {

// Not thread-safe.
class ExecutorHistory {
 public:
  static constexpr int64_t kRunEvery = 600 * kSecond;

  ExecutorHistory(uint64_t seed, int64_t today_ns, std::string database, PointEmitter emit);

  // Emits the run that ends at `end_ns`.
  void Run(int64_t end_ns);

 private:
  void Tasks(const Week& week, double seconds, bool failed, int64_t index, int64_t end_ns);
  void Agents(const Week& week, double seconds, int64_t index, int64_t end_ns);
  client::Point& Row(std::string_view measurement, const Week& week);

  const Chance chance_;
  const int64_t today_ns_;
  const std::string database_;
  const PointEmitter emit_;
  client::Point point_;
  std::string run_id_;
};

}  // namespace tidemark::demo
