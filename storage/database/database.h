// Database: one database of a store: its names, its options and where its rows lie.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/database/change_log.h"
#include "storage/database/database_state.h"
#include "storage/database/definition_ledger.h"
#include "storage/database/field_watch.h"
#include "storage/database/living_fields.h"
#include "storage/database/shape_cache.h"
#include "storage/head/block_pool.h"
#include "storage/index/index.h"
#include "storage/retention/keep_rules.h"
#include "storage/storage.h"

namespace tidemark::storage::database {

// Thread-safe. Views hold it, so it may outlive its store's interest in it.
class Database {
 public:
  Database(model::DatabaseId id, std::string name, const DatabaseOptions& options, const index::IndexOptions& limits,
           uint32_t head_shards, std::shared_ptr<head::BlockPool> blocks);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] model::DatabaseId id() const { return id_; }
  // Stays where it is, also when the database gets another one.
  [[nodiscard]] const std::string& name() const { return *name_.load(std::memory_order_acquire); }
  void Rename(std::string name);
  [[nodiscard]] index::Index& index() { return *index_; }
  [[nodiscard]] const index::Index& index() const { return *index_; }
  [[nodiscard]] ShapeCache& shapes() { return shapes_; }
  [[nodiscard]] DefinitionLedger& definitions() { return definitions_; }
  [[nodiscard]] LivingFields& living_fields() { return living_fields_; }
  // Under the store's order mutex.
  [[nodiscard]] FieldWatch& watch() { return watch_; }
  // Every change of what views show is noted here by whoever makes it.
  [[nodiscard]] ChangeLog& changes() const { return changes_; }

  [[nodiscard]] DatabaseOptions options() const;
  void SetOptions(const DatabaseOptions& options);

  [[nodiscard]] std::shared_ptr<const DatabaseState> state() const;

  // The set that takes writes now. Changed by Freeze only; both are called under the store's order mutex, so that the
  // order of tickets is that of the journal.
  [[nodiscard]] const std::shared_ptr<StagedSet>& live() const { return live_; }
  // Puts an empty set in the place of the live one, which joins the frozen ones. {} when it is empty.
  std::shared_ptr<StagedSet> Freeze(uint64_t next_set_number);

  // The slabs made of a frozen set take its place.
  void ReplaceFrozen(const StagedSet* frozen, std::vector<std::shared_ptr<const partition::Slab>> slabs);
  // `epochs` take the place of the slabs and epochs named.
  void ReplacePages(const std::vector<std::shared_ptr<const partition::Slab>>& old_slabs,
                    const std::vector<std::shared_ptr<const partition::Epoch>>& old_epochs,
                    std::vector<std::shared_ptr<const partition::Epoch>> epochs);

  // Numbers ascend.
  void AddMask(std::shared_ptr<const retention::Mask> mask);
  void RemoveMasks(const retention::MaskList& masks);
  // What the selectors of the retention hide at `now_ns`; empty without selectors. Kept until series get new fields.
  [[nodiscard]] retention::MaskList RetentionMasks(int64_t now_ns) const;

  // Everything that hides rows at `now_ns`: deletions, ascending by number, and retentions of selectors behind them.
  [[nodiscard]] retention::MaskList HiddenRows(int64_t now_ns) const;

  // The same rules for points that come; null without selectors.
  [[nodiscard]] std::shared_ptr<const retention::KeepRules> keep_rules() const;

  // Rows before this are refused, whatever is said of retention: partitions there are reduced to tiers, or about to be.
  // Ascends while the store is open.
  [[nodiscard]] int64_t raw_floor_ns() const { return raw_floor_ns_.load(std::memory_order_relaxed); }
  // Under the store's order mutex, so that no row gets its place in line after it.
  void RaiseRawFloor(int64_t floor_ns);

  // Set once, by DropDatabase: no more writes, and nothing of it goes to disk any more.
  [[nodiscard]] bool dropped() const { return dropped_.load(std::memory_order_relaxed); }
  void SetDropped() { dropped_.store(true, std::memory_order_relaxed); }

  // Whether writes since the last sync wait for one (durability by interval).
  std::atomic<bool> unsynced = false;

 private:
  [[nodiscard]] std::unique_ptr<head::HeadSet> NewHeads();

  const model::DatabaseId id_;
  // All that it has had; what name() handed out stays.
  std::deque<std::string> names_ TM_GUARDED_BY(mutex_);
  std::atomic<const std::string*> name_;
  const uint32_t head_shards_;
  const std::shared_ptr<head::BlockPool> blocks_;
  const std::unique_ptr<index::Index> index_;
  ShapeCache shapes_;
  DefinitionLedger definitions_;
  LivingFields living_fields_;
  FieldWatch watch_;
  mutable ChangeLog changes_;
  std::atomic<bool> dropped_ = false;
  std::atomic<int64_t> raw_floor_ns_ = std::numeric_limits<int64_t>::min();
  std::shared_ptr<StagedSet> live_;
  mutable Mutex mutex_;
  DatabaseOptions options_ TM_GUARDED_BY(mutex_);
  std::shared_ptr<const retention::KeepRules> keep_rules_ TM_GUARDED_BY(mutex_);  // of options_
  // What the selectors select, as of a version of the index.
  struct Selected {
    uint64_t index_version = 0;
    std::vector<std::shared_ptr<const retention::RefSet>> refs;
  };
  mutable std::optional<Selected> selected_ TM_GUARDED_BY(mutex_);
  std::shared_ptr<const DatabaseState> state_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::database
