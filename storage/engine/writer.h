// Writer: the way of a batch into journal and heads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database/batch_resolver.h"
#include "storage/engine/checkpointer.h"
#include "storage/engine/store_parts.h"

namespace tidemark::storage {

// Thread-safe: writers do their work on their own threads.
class Writer {
 public:
  // Both outlive it.
  Writer(StoreParts* parts, Checkpointer* checkpointer) : parts_(*parts), checkpointer_(*checkpointer) {}

  // See model::PointSink.
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch);
  Result<DatabasePtr> CreateDatabase(std::string_view name, const DatabaseOptions& options);
  // After rows were staged: has slabs made when heads are full, and waits when they are too full. Without a background
  // that does it, the caller makes them.
  // `record_bytes`: of what the journal has of them.
  void KeepWithinBudget(const database::Database& database, uint64_t points, uint64_t record_bytes);
  // Whether a background makes slabs from now on.
  void SetBackground(bool background) { background_.store(background); }

 private:
  Result<DatabasePtr> FindOrCreateDatabase(std::string_view name);
  // What a batch was resolved with.
  struct Premise {
    int64_t oldest_ns = 0;
    uint64_t types_version = 0;  // of the index
  };
  // kConflict when some rows have become too old since, or fields have got other types.
  Result<void> JournalAndApply(database::Database& database, const model::ResolvedBatch& batch, const Premise& premise,
                               std::string* record);
  // The oldest time of which a database takes rows; INT64_MIN when it takes all.
  [[nodiscard]] int64_t OldestNs(const database::Database& database) const;
  std::unique_ptr<database::BatchResolver> TakeResolver();
  void ReturnResolver(std::unique_ptr<database::BatchResolver> resolver);

  StoreParts& parts_;
  Checkpointer& checkpointer_;
  std::atomic<bool> background_ = false;
  Mutex resolvers_mutex_;
  std::vector<std::unique_ptr<database::BatchResolver>> resolvers_ TM_GUARDED_BY(resolvers_mutex_);
};

}  // namespace tidemark::storage
