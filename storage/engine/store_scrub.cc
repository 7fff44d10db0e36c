// Reads pages of a store that is at work, to know of damage before a query meets it.
#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "storage/engine/store_impl.h"
#include "storage/model/repair_remedy.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_names.h"

namespace tidemark::storage {
namespace {

struct ScrubEpoch {
  DatabasePtr database;
  std::shared_ptr<const partition::Epoch> epoch;
};

// In the order of their places, from `from` on.
std::vector<ScrubEpoch> EpochsFrom(const DatabaseTable& databases, const ScrubPlace& from) {
  std::vector<ScrubEpoch> out;
  for (const DatabasePtr& database : databases.All()) {
    for (const auto& epoch : database->state()->epochs) {
      if (std::pair(model::Number(database->id()), epoch->record().epoch) < std::pair(from.database, from.epoch))
        continue;
      out.push_back({database, epoch});
    }
  }
  std::sort(out.begin(), out.end(), [](const ScrubEpoch& a, const ScrubEpoch& b) {
    return std::pair(a.database->id(), a.epoch->record().epoch) < std::pair(b.database->id(), b.epoch->record().epoch);
  });
  return out;
}

model::Finding Damaged(const ScrubEpoch& at, std::string page, std::string why) {
  model::Finding finding{.area = model::FindingArea::kPages,
                         .place = rescue::NameOf(at.epoch->record(), at.database->name()) + std::move(page),
                         .what = std::move(why),
                         .stops_writes = false};
  finding.remedy = model::kRepairRemedy;
  return finding;
}

}  // namespace

Result<ScrubStep> StoreImpl::Scrub(ScrubPlace from, uint64_t bytes) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  ScrubStep step;
  const auto note = [&](const ScrubPlace& place, std::optional<model::Finding> finding) {
    MutexLock lock(scrub_mutex_);
    if (!finding) {
      scrub_findings_.erase(place);
      return;
    }
    scrub_findings_.insert_or_assign(place, std::move(*finding));
    step.damaged.push_back(place);
  };
  for (const ScrubEpoch& at : EpochsFrom(parts_.databases, from)) {
    ScrubPlace place{model::Number(at.database->id()), at.epoch->record().epoch, 0};
    if (place.database == from.database && place.epoch == from.epoch) place.page = from.page;
    const auto directory = at.epoch->Directory();
    if (!directory.ok()) {
      place.page = 0;
      ++step.pages;
      note(place, Damaged(at, "", directory.error().message));
      continue;
    }
    const std::vector<partition::PageInfo>& pages = (*directory)->pages();
    for (; place.page < pages.size(); ++place.page) {
      if (parts_.closing.load()) return MakeError(ErrorCode::kUnavailable, "the store is closing");
      if (step.pages > 0 && step.bytes >= bytes) {
        step.next = place;
        return step;
      }
      const auto checked = rescue::CheckPage(*at.epoch, place.page);
      ++step.pages;
      step.bytes += pages[place.page].bytes;
      if (checked.ok()) {
        note(place, std::nullopt);
        continue;
      }
      note(place,
           Damaged(at,
                   ", " + rescue::NameOf(pages[place.page], &at.database->index()) + ", " + at.epoch->Name(place.page),
                   checked.error().message));
    }
  }
  step.round_done = true;
  return step;
}

std::vector<model::Finding> StoreImpl::ScrubFindings() const {
  MutexLock lock(scrub_mutex_);
  std::vector<model::Finding> out;
  if (scrub_findings_.empty()) return out;
  std::set<std::pair<uint32_t, uint64_t>> live;
  for (const DatabasePtr& database : parts_.databases.All()) {
    for (const auto& epoch : database->state()->epochs)
      live.emplace(model::Number(database->id()), epoch->record().epoch);
  }
  for (const auto& [place, finding] : scrub_findings_) {
    if (live.contains({place.database, place.epoch})) out.push_back(finding);
  }
  return out;
}

}  // namespace tidemark::storage
