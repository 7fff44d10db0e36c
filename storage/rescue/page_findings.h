// PageFindings: damage of pages that a store at work has met, by a scrub or by a fold, until their epoch is gone or
// they are read and whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/index/index.h"
#include "storage/model/finding.h"
#include "storage/partition/epoch.h"
#include "storage/scrub.h"

namespace tidemark::storage::rescue {

// The place of damage of an epoch that no single page could be blamed for.
inline constexpr uint64_t kWholeEpoch = ~uint64_t{0};
// The place of damage of an epoch's list of pages.
inline constexpr uint64_t kListOfPages = kWholeEpoch - 1;

// A finding about `epoch` of database `name`, or about `page` of it: ", " and its name, or "".
model::Finding DamageOf(const partition::Epoch& epoch, std::string_view name, std::string_view page, std::string why);
// About page `index` of it, whose directory can be read. `names`: of the database.
model::Finding DamageOfPage(const partition::Epoch& epoch, std::string_view name, const index::Index& names,
                            size_t index, std::string why);

// About its list of pages, after Directory: nullopt when that is as it was written.
std::optional<model::Finding> DamageOfList(const partition::Epoch& epoch, std::string_view name);

// Thread-safe. Nothing is taken under its lock.
class PageFindings {
 public:
  // nullopt: what lies there was read and is whole.
  void Note(const ScrubPlace& place, std::optional<model::Finding> finding);
  // Reads all pages of `epoch` of database `name`, and notes those that are damaged. Returns how many; what it came to
  // when `stop` is set meanwhile.
  uint64_t Look(const partition::Epoch& epoch, std::string_view name, const index::Index& names,
                const std::atomic<bool>& stop);
  // Those of epochs that are `live`, by database and number.
  [[nodiscard]] std::vector<model::Finding> Of(const std::set<std::pair<uint32_t, uint64_t>>& live) const;
  [[nodiscard]] bool empty() const;

 private:
  mutable Mutex mutex_;
  std::map<ScrubPlace, model::Finding> findings_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::rescue
