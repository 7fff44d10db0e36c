#include "storage/engine/database_table.h"

#include <fmt/core.h>

#include <utility>

#include "storage/meta/mask_spec.h"
#include "storage/retention/mask.h"

namespace tidemark::storage {
namespace {

// Tiers have numbers of one byte, and storage adds some of its own.
constexpr size_t kMaxNamedTiers = 32;
constexpr int64_t kMinTierWidthNs = 1'000'000'000;
constexpr int64_t kMinPartitionNs = 60'000'000'000;
constexpr int64_t kMaxPartitionNs = 366 * kNsPerDay;

}  // namespace

DatabasePtr DatabaseTable::Find(std::string_view name) const {
  ReaderLock lock(mutex_);
  const auto found = databases_.find(name.empty() ? kDefaultDatabase : name);
  return found == databases_.end() ? nullptr : found->second;
}

std::vector<DatabasePtr> DatabaseTable::All() const {
  ReaderLock lock(mutex_);
  std::vector<DatabasePtr> out;
  out.reserve(databases_.size());
  for (const auto& [_, database] : databases_) out.push_back(database);
  return out;
}

size_t DatabaseTable::size() const {
  ReaderLock lock(mutex_);
  return databases_.size();
}

void DatabaseTable::Add(DatabasePtr database) {
  WriterLock lock(mutex_);
  const std::string name = database->name();
  databases_.emplace(name, std::move(database));
}

void DatabaseTable::Remove(std::string_view name) {
  WriterLock lock(mutex_);
  const auto found = databases_.find(name);
  if (found != databases_.end()) databases_.erase(found);
}

void DatabaseTable::Rename(const DatabasePtr& database, std::string name) {
  WriterLock lock(mutex_);
  databases_.erase(database->name());
  database->Rename(name);
  databases_.emplace(std::move(name), database);
}

Result<void> CheckOptions(const DatabaseOptions& options) {
  if (options.partition_ns < kMinPartitionNs || options.partition_ns > kMaxPartitionNs) {
    return InvalidArgument("a partition is from 1 minute to 366 days long");
  }
  if (options.retention_ns < 0) return InvalidArgument("a retention is not negative");
  if (options.sync_interval_ns < 0) return InvalidArgument("a sync interval is not negative");
  for (const SelectorRetention& selector : options.selectors) {
    if (selector.keep_ns <= 0) return InvalidArgument("a selector keeps its points for some time");
    if (selector.matchers.empty()) return InvalidArgument("a selector has at least one matcher");
    // An empty index shows whether the expressions can be read.
    meta::MaskSpec spec;
    spec.selectors.push_back(selector.matchers);
    if (auto read = retention::RefSet::Select(spec, *index::Index::Create({.max_series = 1}), true); !read.ok()) {
      return std::move(read).error();
    }
  }
  if (options.tiers.size() > kMaxNamedTiers) return InvalidArgument("a database names at most 32 tiers");
  for (size_t i = 0; i < options.tiers.size(); ++i) {
    const RollupTier& tier = options.tiers[i];
    if (tier.width_ns <= 0 || tier.keep_ns < 0) return InvalidArgument("a tier has a width and a time that it is kept");
    if (tier.width_ns < kMinTierWidthNs || tier.width_ns > kMaxPartitionNs) {
      return InvalidArgument("a tier is from 1 second to 366 days wide");
    }
    if (i > 0 && tier.width_ns <= options.tiers[i - 1].width_ns) {
      return InvalidArgument("tiers ascend by their widths, each once");
    }
  }
  return {};
}

Error NoDatabase(std::string_view name) {
  return NotFound(fmt::format("database not found: \"{}\"", name.empty() ? kDefaultDatabase : name));
}

}  // namespace tidemark::storage
