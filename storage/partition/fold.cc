#include "storage/partition/fold.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/base/background.h"
#include "storage/partition/unit_folder.h"

namespace tidemark::storage::partition {
namespace {

// Bytes of pages that a task reads: decoded and encoded again in some 10 to 30 ms, after which a worker of the pool
// looks whether something more urgent waits.
constexpr uint64_t kTaskBytes = uint64_t{512} << 10;
constexpr size_t kTasksPerRound = 2;  // of each thread
constexpr size_t kMaxThreads = 4;
// Folds of fewer tasks are over before anybody could wait for them.
constexpr size_t kBackgroundTasks = 4;

class Folder {
 public:
  Folder(const std::vector<std::shared_ptr<const PageSet>>& sources, std::atomic<uint64_t>* corrupt_pages,
         const std::vector<retention::SourceMasks>& masks, const FoldOptions& options)
      : options_(options),
        build_{.tiers = true, .named = options.tiers, .effort = options.effort, .raw = options.raw},
        timelines_({.effort = options.effort}),
        out_(std::make_shared<PageSpool>(options.spool_directory, std::max(options.memory_bytes, kLeastFoldMemory) / 4,
                                         options.memory)),
        sources_(sources),
        shared_{sources, directories_, masks, options_, build_, corrupt_pages, &timelines_, &out_} {}

  Result<PartitionPages> Run(PartitionBounds bounds) {
    for (const auto& source : sources_) {
      TM_TRY_ASSIGN(const PageDirectory* directory, source->Directory());
      directories_.push_back(directory);
    }
    plan_ = PlanFold(directories_, options_.newest_of, kTaskBytes);
    series_.resize(plan_.units.size());
    if (options_.progress != nullptr) options_.progress->bytes_total.store(plan_.bytes);
    TM_RETURN_IF_ERROR(RunTasks());
    TM_RETURN_IF_ERROR(out_.Take(model::MeasurementId{}, timelines_.Finish()));
    return out_.Finish(bounds, options_.tiers, ListSeries());
  }

 private:
  Result<void> RunTasks() {
    const size_t tasks = plan_.task_ends.size();
    size_t threads = options_.scheduler == nullptr ? 1 : options_.scheduler->concurrency();
    // Each has a page of every source open, and a piece of a series beside.
    const uint64_t of_thread = (uint64_t{6} << 20) + sources_.size() * (uint64_t{48} << 10);
    const uint64_t room = std::max(options_.memory_bytes, kLeastFoldMemory) / 4 * 3;
    threads = std::min({threads, kMaxThreads, tasks, std::max<size_t>(1, room / of_thread)});
    std::vector<Result<void>> results;
    for (size_t begin = 0; begin < tasks; begin += results.size()) {
      results.assign(std::min(tasks - begin, threads * kTasksPerRound), {});
      const auto run = [&](size_t i) { results[i] = RunTask(begin + i, tasks >= kBackgroundTasks); };
      if (threads > 1) {
        options_.scheduler->ParallelFor(options_.kind, results.size(), run);
      } else {
        for (size_t i = 0; i < results.size(); ++i) run(i);
      }
      for (Result<void>& result : results) TM_RETURN_IF_ERROR(std::move(result));
    }
    return {};
  }

  Result<void> RunTask(size_t task, bool long_fold) {
    std::optional<BackgroundScope> background;
    if (options_.in_background && long_fold) background.emplace(BackgroundLimits{.stop = options_.cancel});
    UnitFolder folder(&shared_);
    for (size_t unit = task == 0 ? 0 : plan_.task_ends[task - 1]; unit < plan_.task_ends[task]; ++unit) {
      TM_RETURN_IF_ERROR(folder.Run(plan_.units[unit], &series_[unit]));
      if (options_.progress != nullptr) options_.progress->bytes_done.fetch_add(plan_.units[unit].bytes);
    }
    return {};
  }

  SeriesList ListSeries() {
    SeriesListBuilder list;
    for (size_t i = 0; i < plan_.units.size(); ++i) {
      const FoldUnit& unit = plan_.units[i];
      if (i > 0 && plan_.units[i - 1].measurement != unit.measurement) list.FinishMeasurement();
      for (const SeriesRun& run : series_[i]) list.Add(unit.field, run, unit.place);
      std::vector<SeriesRun>().swap(series_[i]);
    }
    return list.Finish();
  }

  const FoldOptions& options_;
  const BuildOptions build_;
  page::TimelineWriter timelines_;
  PageCollector out_;
  const std::vector<std::shared_ptr<const PageSet>>& sources_;
  std::vector<const PageDirectory*> directories_;
  FoldShared shared_;
  FoldPlan plan_;
  std::vector<std::vector<SeriesRun>> series_;  // of each unit
};

}  // namespace

Result<PartitionPages> Fold(const std::vector<std::shared_ptr<const PageSet>>& sources, PartitionBounds bounds,
                            std::atomic<uint64_t>* corrupt_pages, const std::vector<retention::SourceMasks>& masks,
                            const FoldOptions& options) {
  auto folded = Folder(sources, corrupt_pages, masks, options).Run(bounds);
  if (options.progress != nullptr) {
    options.progress->bytes_total.store(0);
    options.progress->bytes_done.store(0);
  }
  return folded;
}

}  // namespace tidemark::storage::partition
