// Reads pages of a store that is at work, to know of damage before a query meets it.
#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "storage/engine/store_impl.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_findings.h"

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

}  // namespace

Result<ScrubStep> StoreImpl::Scrub(ScrubPlace from, uint64_t bytes) {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  ScrubStep step;
  const auto note = [&](const ScrubPlace& place, std::optional<model::Finding> finding) {
    if (finding) step.damaged.push_back(place);
    parts_.page_findings.Note(place, std::move(finding));
  };
  for (const ScrubEpoch& at : EpochsFrom(parts_.databases, from)) {
    ScrubPlace place{model::Number(at.database->id()), at.epoch->record().epoch, 0};
    if (place.database == from.database && place.epoch == from.epoch) place.page = from.page;
    const auto directory = at.epoch->Directory();
    if (!directory.ok()) {
      place.page = 0;
      ++step.pages;
      note(place, rescue::DamageOf(*at.epoch, at.database->name(), "", directory.error().message));
      continue;
    }
    const std::vector<partition::PageInfo>& pages = (*directory)->pages();
    if (place.page == 0) {
      note({place.database, place.epoch, rescue::kListOfPages}, rescue::DamageOfList(*at.epoch, at.database->name()));
    }
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
      note(place, rescue::DamageOfPage(*at.epoch, at.database->name(), at.database->index(), place.page,
                                       checked.error().message));
    }
  }
  step.round_done = true;
  return step;
}

std::vector<model::Finding> StoreImpl::DamagedPages() const {
  if (parts_.page_findings.empty()) return {};
  std::set<std::pair<uint32_t, uint64_t>> live;
  for (const DatabasePtr& database : parts_.databases.All()) {
    for (const auto& epoch : database->state()->epochs)
      live.emplace(model::Number(database->id()), epoch->record().epoch);
  }
  return parts_.page_findings.Of(live);
}

}  // namespace tidemark::storage
