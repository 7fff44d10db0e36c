#include "storage/database/database.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/base/log.h"

namespace tidemark::storage::database {

Database::Database(model::DatabaseId id, std::string name, const DatabaseOptions& options,
                   const index::IndexOptions& limits, uint32_t head_shards, std::shared_ptr<head::BlockPool> blocks)
    : id_(id),
      names_({std::move(name)}),
      name_(&names_.front()),
      head_shards_(head_shards),
      blocks_(std::move(blocks)),
      index_(index::Index::Create(limits)),
      definitions_(index_.get()),
      live_(std::make_shared<StagedSet>(0, NewHeads())),
      options_(options) {
  auto state = std::make_shared<DatabaseState>();
  state->live = live_;
  state_ = std::move(state);
  SetOptions(options);
}

void Database::Rename(std::string name) {
  MutexLock lock(mutex_);
  names_.push_back(std::move(name));
  name_.store(&names_.back(), std::memory_order_release);
}

std::unique_ptr<head::HeadSet> Database::NewHeads() {
  return head::HeadSet::Create(
      head_shards_,
      [this](std::span<const model::SeriesId> series, std::span<const model::ResolvedField> fields) {
        index_->NoteFields(series, fields);
      },
      blocks_);
}

DatabaseOptions Database::options() const {
  MutexLock lock(mutex_);
  return options_;
}

void Database::SetOptions(const DatabaseOptions& options) {
  std::shared_ptr<const retention::KeepRules> rules;
  if (!options.selectors.empty()) {
    // Checked when the option was set; expressions that this version refuses keep their points.
    auto made = retention::KeepRules::Make(options.selectors);
    if (made.ok()) rules = std::move(made).value();
  }
  MutexLock lock(mutex_);
  options_ = options;
  keep_rules_ = std::move(rules);
  selected_.reset();
}

retention::MaskList Database::HiddenRows(int64_t now_ns) const {
  retention::MaskList masks = state()->masks;
  for (auto& mask : RetentionMasks(now_ns)) masks.push_back(std::move(mask));
  return masks;
}

std::shared_ptr<const retention::KeepRules> Database::keep_rules() const {
  MutexLock lock(mutex_);
  return keep_rules_;
}

std::shared_ptr<const DatabaseState> Database::state() const {
  MutexLock lock(mutex_);
  return state_;
}

std::shared_ptr<StagedSet> Database::Freeze(uint64_t next_set_number) {
  if (!live_->has_tickets()) return nullptr;
  std::shared_ptr<StagedSet> frozen = std::exchange(live_, std::make_shared<StagedSet>(next_set_number, NewHeads()));
  MutexLock lock(mutex_);
  auto state = std::make_shared<DatabaseState>(*state_);
  state->frozen.push_back(frozen);
  state->live = live_;
  state_ = std::move(state);
  return frozen;
}

void Database::ReplaceFrozen(const StagedSet* frozen, std::vector<std::shared_ptr<const partition::Slab>> slabs) {
  MutexLock lock(mutex_);
  auto state = std::make_shared<DatabaseState>(*state_);
  std::erase_if(state->frozen, [&](const auto& set) { return set.get() == frozen; });
  for (auto& slab : slabs) state->slabs.push_back(std::move(slab));
  std::sort(state->slabs.begin(), state->slabs.end(),
            [](const auto& a, const auto& b) { return a->number() < b->number(); });
  state_ = std::move(state);
}

void Database::ReplacePages(const std::vector<std::shared_ptr<const partition::Slab>>& old_slabs,
                            const std::vector<std::shared_ptr<const partition::Epoch>>& old_epochs,
                            std::vector<std::shared_ptr<const partition::Epoch>> epochs) {
  // Of a compaction they are a thousand among many thousands.
  const auto among = [](auto list) {
    std::sort(list.begin(), list.end());
    return [list = std::move(list)](const auto& item) { return std::binary_search(list.begin(), list.end(), item); };
  };
  MutexLock lock(mutex_);
  auto state = std::make_shared<DatabaseState>(*state_);
  std::erase_if(state->slabs, among(old_slabs));
  std::erase_if(state->epochs, among(old_epochs));
  for (auto& epoch : epochs) state->epochs.push_back(std::move(epoch));
  std::sort(state->epochs.begin(), state->epochs.end(),
            [](const auto& a, const auto& b) { return a->record().precedence < b->record().precedence; });
  state_ = std::move(state);
}

void Database::RaiseRawFloor(int64_t floor_ns) {
  int64_t now = raw_floor_ns();
  while (now < floor_ns && !raw_floor_ns_.compare_exchange_weak(now, floor_ns, std::memory_order_relaxed)) {
  }
}

void Database::AddMask(std::shared_ptr<const retention::Mask> mask) {
  MutexLock lock(mutex_);
  auto state = std::make_shared<DatabaseState>(*state_);
  state->masks.push_back(std::move(mask));
  state_ = std::move(state);
}

void Database::RemoveMasks(const retention::MaskList& masks) {
  if (masks.empty()) return;
  MutexLock lock(mutex_);
  auto state = std::make_shared<DatabaseState>(*state_);
  std::erase_if(state->masks,
                [&](const auto& mask) { return std::find(masks.begin(), masks.end(), mask) != masks.end(); });
  state_ = std::move(state);
}

retention::MaskList Database::RetentionMasks(int64_t now_ns) const {
  MutexLock lock(mutex_);
  if (options_.selectors.empty()) return {};
  // Read before the selection, so that what is noted meanwhile makes the next call select again.
  const uint64_t version = index_->version();
  if (!selected_.has_value() || selected_->index_version != version) {
    Selected selected{version, {}};
    for (const SelectorRetention& selector : options_.selectors) {
      meta::MaskSpec spec;
      spec.selectors.push_back(selector.matchers);
      auto refs = retention::RefSet::Select(spec, *index_, /*open_end=*/true);
      // Checked when the option was set; an expression that this version refuses keeps its points.
      if (!refs.ok()) TM_LOG(kError, "a retention of database {} is not applied: {}", name(), refs.error().message);
      selected.refs.push_back(
          std::make_shared<const retention::RefSet>(refs.ok() ? std::move(refs).value() : retention::RefSet()));
    }
    selected_ = std::move(selected);
  }
  retention::MaskList out;
  for (size_t i = 0; i < options_.selectors.size(); ++i) {
    int64_t oldest_ns = 0;
    if (__builtin_sub_overflow(now_ns, options_.selectors[i].keep_ns, &oldest_ns)) continue;
    if (oldest_ns == std::numeric_limits<int64_t>::min()) continue;
    const model::TimeRange range{model::Timestamp::Min(), {oldest_ns - 1}};
    out.push_back(std::make_shared<const retention::Mask>(retention::Mask::kRetention, retention::Mask::kRetention,
                                                          range, selected_->refs[i]));
  }
  return out;
}

}  // namespace tidemark::storage::database
