// InhibitRule: as long as a source alert fires, nobody is told of its targets.
//
// Source: prometheus/alertmanager 0.25, inhibit/inhibit.go. An alert that is both source and target is inhibited only
// by one that is not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "query/notify/alert.h"
#include "query/notify/matcher.h"

namespace tidemark::query::notify {

struct InhibitRule {
  Matchers source;
  Matchers target;
  // Labels that both have alike; a label that both are without is alike.
  std::vector<std::string> equal;
};

// The alerts that may inhibit, by rule. Not thread-safe.
class Inhibitor {
 public:
  explicit Inhibitor(std::vector<InhibitRule> rules) : rules_(std::move(rules)), sources_(rules_.size()) {}

  // Takes notice of an alert that is new or has changed.
  void Update(std::shared_ptr<const Alert> alert);
  void Forget(uint64_t fingerprint);
  // The fingerprint of an alert that inhibits one with these labels now; none: 0.
  [[nodiscard]] uint64_t InhibitedBy(const model::Labels& labels, int64_t now_ns) const;

 private:
  std::vector<InhibitRule> rules_;
  std::vector<std::vector<std::shared_ptr<const Alert>>> sources_;  // by rule; sorted by fingerprint
};

// Pairs of rules, by number, of which each may inhibit the sources of the other: two alerts may silence each other.
// Only what equal conditions (=) rule out is known not to match.
std::vector<std::pair<size_t, size_t>> InhibitionCycles(const std::vector<InhibitRule>& rules);

}  // namespace tidemark::query::notify
