// ResendBook: what another Alertmanager is to be told of our rules' alerts, and when.
//
//   book.Put(alerts, now);
//   const std::vector<Alert> due = book.Due(now);
//   if (... they have arrived ...) book.Sent(due, now);
//
// An alert is told of at once when it begins or ends, and again each `resend_ns`, since an Alertmanager that has
// restarted knows nothing and one that hears nothing lets it end. One that has ended is told of for 15 minutes.
// Source: prometheus/prometheus 2.42, rules/alerting.go (needsSending, resolvedRetention).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "query/notify/alert.h"
#include "storage/model/labels.h"

namespace tidemark::query::notify {

// Not thread-safe. All times in nanoseconds since 1970.
class ResendBook {
 public:
  static constexpr int64_t kEndedToldNs = 900'000'000'000;
  // Alerts of one message.
  static constexpr size_t kBatchMax = 64;

  explicit ResendBook(int64_t resend_ns) : resend_ns_(resend_ns) {}

  // Alerts that fire, with the time at which they end unless more is heard, and alerts that have ended.
  void Put(const std::vector<Alert>& alerts, int64_t now_ns);
  // What is to be told now, at most kBatchMax, by labels.
  [[nodiscard]] std::vector<Alert> Due(int64_t now_ns);
  // `alerts`, as Due gave them, have arrived.
  void Sent(const std::vector<Alert>& alerts, int64_t now_ns);
  // When something is due; INT64_MAX: nothing is.
  [[nodiscard]] int64_t NextDueNs() const;
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Alert alert;
    bool ended = false;
    int64_t due_ns = 0;
  };

  const int64_t resend_ns_;
  std::map<model::Labels, Entry> entries_;
};

}  // namespace tidemark::query::notify
