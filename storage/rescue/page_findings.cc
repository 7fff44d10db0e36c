#include "storage/rescue/page_findings.h"

#include "storage/model/repair_remedy.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_names.h"

namespace tidemark::storage::rescue {

model::Finding DamageOf(const partition::Epoch& epoch, std::string_view name, std::string_view page, std::string why) {
  model::Finding finding{.area = model::FindingArea::kPages,
                         .place = NameOf(epoch.record(), std::string(name)) + std::string(page),
                         .what = std::move(why),
                         .stops_writes = false};
  finding.remedy = model::kRepairRemedy;
  return finding;
}

model::Finding DamageOfPage(const partition::Epoch& epoch, std::string_view name, const index::Index& names,
                            size_t index, std::string why) {
  const auto directory = epoch.Directory();
  if (!directory.ok()) return DamageOf(epoch, name, "", std::move(why));
  return DamageOf(epoch, name, ", " + NameOf((*directory)->pages()[index], &names) + ", " + epoch.Name(index),
                  std::move(why));
}

std::optional<model::Finding> DamageOfList(const partition::Epoch& epoch, std::string_view name) {
  const std::string damage = epoch.DirectoryDamage();
  if (damage.empty()) return std::nullopt;
  const std::string loss = epoch.Loss();
  if (!loss.empty()) return DamageOf(epoch, name, "", loss);
  return DamageOf(epoch, name, "",
                  "its list of pages is damaged, and was made anew of the pages, which are all there: " + damage);
}

void PageFindings::Note(const ScrubPlace& place, std::optional<model::Finding> finding) {
  MutexLock lock(mutex_);
  if (finding) {
    findings_.insert_or_assign(place, std::move(*finding));
  } else {
    findings_.erase(place);
  }
}

uint64_t PageFindings::Look(const partition::Epoch& epoch, std::string_view name, const index::Index& names,
                            const std::atomic<bool>& stop) {
  ScrubPlace place{model::Number(epoch.record().database), epoch.record().epoch, 0};
  const auto directory = epoch.Directory();
  if (!directory.ok()) {
    Note(place, DamageOf(epoch, name, "", directory.error().message));
    return 1;
  }
  uint64_t damaged = epoch.Loss().empty() ? 0 : 1;
  Note({place.database, place.epoch, kListOfPages}, DamageOfList(epoch, name));
  for (; place.page < (*directory)->pages().size() && !stop.load(); ++place.page) {
    const auto checked = CheckPage(epoch, place.page);
    if (checked.ok()) {
      Note(place, std::nullopt);
      continue;
    }
    ++damaged;
    Note(place, DamageOfPage(epoch, name, names, place.page, checked.error().message));
  }
  return damaged;
}

std::vector<model::Finding> PageFindings::Of(const std::set<std::pair<uint32_t, uint64_t>>& live) const {
  MutexLock lock(mutex_);
  std::vector<model::Finding> out;
  for (const auto& [place, finding] : findings_) {
    if (live.contains({place.database, place.epoch})) out.push_back(finding);
  }
  return out;
}

bool PageFindings::empty() const {
  MutexLock lock(mutex_);
  return findings_.empty();
}

}  // namespace tidemark::storage::rescue
