#include "tools/server/watch/told_before.h"

#include <algorithm>
#include <map>
#include <utility>

#include "query/rules/alert_update.h"
#include "storage/base/log.h"

namespace tidemark::server {
namespace {

using query::notify::Alert;

using ByLabels = std::map<model::Labels, LastFiring>;

// Reads each database once.
class LastWritten {
 public:
  LastWritten(const storage::Store& store, int64_t now_ms) : store_(store), now_ms_(now_ms) {}

  LastFiring Find(const std::string& database, const model::Labels& labels, int64_t within_ms) {
    const auto [at, is_new] = read_.try_emplace({database, within_ms});
    if (is_new) {
      Result<ByLabels> read = ReadLastFiring(store_, database, now_ms_ - within_ms, now_ms_);
      if (read.ok()) {
        at->second = std::move(*read);
      } else {
        TM_LOG(kWarn, "when alerts fired last before the restart is not known: {}", read.error().message);
      }
    }
    const auto found = at->second.find(labels);
    return found == at->second.end() ? LastFiring() : found->second;
  }

 private:
  const storage::Store& store_;
  const int64_t now_ms_;
  std::map<std::pair<std::string, int64_t>, ByLabels> read_;
};

// Whether an alert is one that its rule writes; others are of the rule itself, or of one that flaps.
bool IsWritten(const Alert& alert, const query::rules::Rule& rule) {
  if (query::notify::ValueOf(alert.labels, query::rules::kAlertName) != rule.name) return false;
  return rule.flapping.changes == 0 || query::notify::ValueOf(alert.labels, "flapping").empty();
}

}  // namespace

std::vector<RuleNotices::Before> ToldBefore(const storage::Store& store, const std::vector<Alert>& own,
                                            const query::rules::Snapshot& rules, const std::string& database,
                                            int64_t now_ms) {
  std::vector<RuleNotices::Before> out;
  LastWritten written(store, now_ms);
  std::multimap<std::pair<std::string, std::string>, std::pair<const query::rules::Rule*, int64_t>> by_name;
  for (const query::rules::GroupStatus& group : rules.groups) {
    for (const query::rules::RuleStatus& rule : group.rules) {
      by_name.emplace(std::pair(RuleNotices::NameOf(group), rule.rule->name),
                      std::pair(rule.rule, RuleNotices::KnownMs(group)));
    }
  }
  for (const Alert& alert : own) {
    if (alert.ResolvedAt(now_ms * 1'000'000)) continue;
    RuleNotices::Before& before = out.emplace_back(RuleNotices::Before{.alert = alert, .last = {}});
    const auto [begin, end] = by_name.equal_range({alert.rule_group, alert.rule});
    bool is_written = begin == end;
    for (auto at = begin; at != end; ++at) {
      const auto& [rule, known_ms] = at->second;
      if (!IsWritten(alert, *rule)) continue;
      is_written = true;
      const LastFiring last = written.Find(rule->into.empty() ? database : rule->into, alert.labels, known_ms);
      if (last.last_ms >= before.last.last_ms) before.last = last;
    }
    // Of others the first evaluation knows all.
    if (!is_written) before.last.ended = true;
  }
  return out;
}

}  // namespace tidemark::server
