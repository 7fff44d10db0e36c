#include "query/notify/resend.h"

#include <algorithm>

namespace tidemark::query::notify {

void ResendBook::Put(const std::vector<Alert>& alerts, int64_t now_ns) {
  for (const Alert& alert : alerts) {
    const bool ended = alert.ResolvedAt(now_ns);
    const auto [at, is_new] = entries_.try_emplace(alert.labels);
    Entry& entry = at->second;
    if (is_new || entry.ended != ended || entry.alert.starts_at_ns != alert.starts_at_ns) entry.due_ns = now_ns;
    entry.alert = alert;
    entry.ended = ended;
  }
}

std::vector<Alert> ResendBook::Due(int64_t now_ns) {
  std::vector<Alert> due;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const Entry& entry = at->second;
    // One that fires and of which nothing more was heard has ended there by itself.
    const bool over =
        entry.alert.ResolvedAt(now_ns) && (!entry.ended || now_ns - entry.alert.ends_at_ns > kEndedToldNs);
    if (over) {
      at = entries_.erase(at);
      continue;
    }
    // The clock may have been set back.
    if (due.size() < kBatchMax && (entry.due_ns <= now_ns || entry.due_ns > now_ns + resend_ns_)) {
      due.push_back(entry.alert);
    }
    ++at;
  }
  return due;
}

void ResendBook::Sent(const std::vector<Alert>& alerts, int64_t now_ns) {
  for (const Alert& alert : alerts) {
    const auto at = entries_.find(alert.labels);
    // What has changed meanwhile is to be told.
    if (at == entries_.end() || at->second.alert.starts_at_ns != alert.starts_at_ns ||
        at->second.ended != alert.ResolvedAt(now_ns)) {
      continue;
    }
    at->second.due_ns = now_ns + resend_ns_;
  }
}

int64_t ResendBook::NextDueNs() const {
  int64_t next_ns = INT64_MAX;
  for (const auto& [labels, entry] : entries_) next_ns = std::min(next_ns, entry.due_ns);
  return next_ns;
}

}  // namespace tidemark::query::notify
