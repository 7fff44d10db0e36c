#include "tools/server/write/write_group.h"

#include <exception>
#include <new>

namespace tidemark::server {

WriteGroup::Place::~Place() {
  if (group_ == nullptr) return;
  WriteGroup& group = *group_;
  MutexLock lock(group.mutex_);
  --group.places_;
}

bool WriteGroup::Place::Add(const model::Batch* batch, Done done) {
  // The place is the entry's now.
  WriteGroup& group = *std::exchange(group_, nullptr);
  MutexLock lock(group.mutex_);
  group.waiting_.push_back({batch, std::move(done)});
  return !std::exchange(group.running_, true);
}

WriteGroup::Place WriteGroup::TakePlace(std::string_view database) {
  MutexLock lock(mutex_);
  if (places_ >= kMaxPlaces || (places_ > 0 && database_ != database)) return Place(nullptr);
  if (places_ == 0) database_ = database;
  waiting_.reserve(kMaxPlaces);
  ++places_;
  return Place(this);
}

void WriteGroup::WriteGroupOf(std::string_view database, std::vector<Entry>* group) {
  std::vector<Result<model::WriteReport>> reports;
  try {
    std::vector<const model::Batch*> batches;
    batches.reserve(group->size());
    for (const Entry& entry : *group) batches.push_back(entry.batch);
    reports = write_(database, batches);
  } catch (const std::bad_alloc&) {
    reports.assign(group->size(), MakeError(ErrorCode::kResourceExhausted, "out of memory; try again"));
  }
  for (size_t i = 0; i < group->size(); ++i) (*group)[i].done(std::move(reports[i]));
}

void WriteGroup::Run(bool may_run) {
  std::vector<Entry> group;
  std::string database;
  for (size_t groups = 0;; ++groups) {
    group.clear();
    {
      MutexLock lock(mutex_);
      group.swap(waiting_);
      places_ -= group.size();
      database = database_;
      if (groups == kGroupsInARow) places_ += kMaxPlaces;
      if (group.empty() || !may_run) running_ = false;
      if (group.empty()) {
        if (groups >= kGroupsInARow) places_ -= kMaxPlaces;
        return;
      }
    }
    if (may_run) {
      WriteGroupOf(database, &group);
      continue;
    }
    for (Entry& entry : group) {
      entry.done(MakeError(ErrorCode::kUnavailable, "too many requests wait for a thread"));
    }
    return;
  }
}

}  // namespace tidemark::server
