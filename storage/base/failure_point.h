// Failure points: named places between two writes to disk, where a fault test may end the process or take the power
// away. Whoever opens the store afterwards must find the old state or the new one, never something between.
//
//   FailurePoint("fold.committed");     // a name that is not in kFailurePoints does not compile
//
// Not armed, which is always so outside of tests, a point is one relaxed load of a global pointer and a branch never
// taken: nothing beside the disk writes that it stands between. It is never placed in a loop over rows.
//
// To add one: its name in kFailurePoints, and the call between the two writes. tests/fault/failure_points_test kills at
// every name of the table, and fails when none of its scenarios comes by a point.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

namespace tidemark {

// Each name: the job, and what has just been done.
inline constexpr std::array kFailurePoints = std::to_array<std::string_view>({
    // The journal. A segment is created, filled, and deleted once a checkpoint holds its records.
    "journal.segment_written",
    "journal.segment_created",
    "journal.written",
    "journal.synced",
    "journal.marked",
    "journal.segment_deleted",
    // Copies of names and records, before the journal is trimmed.
    "copy.names_synced",
    "copy.meta_written",
    // How far the store had come, beside it.
    "watermark.written",
    "watermark.begun",
    "watermark.meta_noted",
    // The file of one epoch, on its way into RocksDB.
    "epoch.page_written",
    "epoch.file_finished",
    // Every change of `meta`, whoever asked for it.
    "meta.before_write",
    "meta.written",
    // A change of documents, which are records of `meta`.
    "documents.committed",
    // Changes of `index` and `meta` on their way from RocksDB's log into table files: nothing is deleted before.
    "files.family_flushed",
    // Files of RocksDB that nothing names any more.
    "files.flushed",
    "files.before_values_dropped",
    "files.values_dropped",
    "files.before_drop",
    "files.dropped",
    "checkpoint.frozen",
    "checkpoint.slabs_made",
    "checkpoint.files_finished",
    "checkpoint.ingested",
    "checkpoint.committed",
    "checkpoint.published",
    "checkpoint.flushed",
    "checkpoint.orphans_dropped",
    "checkpoint.trimmed",
    // A fold of epochs, for their number, for what a deletion hides, or to seal.
    "fold.merged",
    "fold.file_finished",
    "fold.ingested",
    "fold.committed",
    "fold.published",
    // The same of several partitions, into a longer one.
    "merge.chosen",
    "merge.made",
    "merge.done",
    // One partition into shorter ones.
    "split.chosen",
    "split.pieces_made",
    "split.done",
    "seal.chosen",
    "seal.done",
    "reduce.chosen",
    "reduce.done",
    "retention.chosen",
    "retention.deletion_durable",
    "retention.committed",
    "retention.published",
    "delete.in_line",
    "delete.durable",
    "delete.visible",
    "deletions.spent",
    "deletions.forgotten",
    "database.created",
    "database.dropped",
    "database.options_set",
    "database.renamed",
    "close.flushed",
    "close.watermark_kept",
    // Making a store. The identity file stands at its beginning and at its end.
    "identity.written",
    "identity.renamed",
    "create.meta_written",
    "create.flushed",
    // Opening after a crash is a job like the others, and may be cut short too.
    "open.looked",
    "open.entered",
    "open.replayed",
});

// The place of `name` in kFailurePoints; kFailurePoints.size() when it is not there.
constexpr size_t FindFailurePoint(std::string_view name) {
  size_t index = 0;
  while (index < kFailurePoints.size() && kFailurePoints[index] != name) ++index;
  return index;
}

// A name of the table, checked while compiling.
class FailurePointName {
 public:
  // Implicit, so that a point is one short call.
  consteval FailurePointName(const char* name) : index_(FindFailurePoint(name)) {
    if (index_ == kFailurePoints.size()) throw "not in kFailurePoints";
  }
  [[nodiscard]] constexpr size_t index() const { return index_; }

 private:
  size_t index_;
};

// Called on the thread that comes by, with the point's place in kFailurePoints; it may hold locks of the store, so the
// handler may not call the store.
using FailurePointHandler = void (*)(size_t index);

namespace failure_point_internal {
inline constinit std::atomic<FailurePointHandler> armed = nullptr;
}  // namespace failure_point_internal

// Null disarms. For the whole process: tests arm in a child of their own.
inline void ArmFailurePoints(FailurePointHandler handler) {
  failure_point_internal::armed.store(handler, std::memory_order_release);
}

inline void FailurePoint(FailurePointName name) {
  if (const FailurePointHandler handler = failure_point_internal::armed.load(std::memory_order_relaxed)) [[unlikely]] {
    handler(name.index());
  }
}

}  // namespace tidemark
