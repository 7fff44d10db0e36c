#include "query/notify/inhibit.h"

#include <algorithm>
#include <utility>

namespace tidemark::query::notify {
namespace {

auto At(std::vector<std::shared_ptr<const Alert>>& alerts, uint64_t fingerprint) {
  return std::lower_bound(alerts.begin(), alerts.end(), fingerprint,
                          [](const auto& alert, uint64_t value) { return alert->fingerprint < value; });
}

// Whether some labels may pass both.
bool MayMeet(const Matchers& a, const Matchers& b) {
  const auto refuses = [](const Matcher& fixed, const Matchers& others) {
    return fixed.op() == model::MatchOp::kEqual && std::any_of(others.begin(), others.end(), [&](const Matcher& other) {
             return other.name() == fixed.name() && !other.Matches(fixed.value());
           });
  };
  const auto any_refuses = [&](const Matchers& fixed, const Matchers& others) {
    return std::any_of(fixed.begin(), fixed.end(), [&](const Matcher& matcher) { return refuses(matcher, others); });
  };
  return !any_refuses(a, b) && !any_refuses(b, a);
}

}  // namespace

void Inhibitor::Update(std::shared_ptr<const Alert> alert) {
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!AllMatch(rules_[i].source, alert->labels)) continue;
    const auto at = At(sources_[i], alert->fingerprint);
    if (at != sources_[i].end() && (*at)->fingerprint == alert->fingerprint) {
      *at = alert;
    } else {
      sources_[i].insert(at, alert);
    }
  }
}

void Inhibitor::Forget(uint64_t fingerprint) {
  for (auto& sources : sources_) {
    const auto at = At(sources, fingerprint);
    if (at != sources.end() && (*at)->fingerprint == fingerprint) sources.erase(at);
  }
}

uint64_t Inhibitor::InhibitedBy(const model::Labels& labels, int64_t now_ns) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const InhibitRule& rule = rules_[i];
    if (!AllMatch(rule.target, labels)) continue;
    const bool both = AllMatch(rule.source, labels);
    for (const auto& source : sources_[i]) {
      if (source->ResolvedAt(now_ns)) continue;
      const bool alike = std::all_of(rule.equal.begin(), rule.equal.end(), [&](const std::string& name) {
        return ValueOf(source->labels, name) == ValueOf(labels, name);
      });
      if (alike && !(both && AllMatch(rule.target, source->labels))) return source->fingerprint;
    }
  }
  return 0;
}

std::vector<std::pair<size_t, size_t>> InhibitionCycles(const std::vector<InhibitRule>& rules) {
  std::vector<std::pair<size_t, size_t>> cycles;
  for (size_t i = 0; i < rules.size(); ++i) {
    // A rule by itself makes none: who is source and target at once is not inhibited by such a one.
    for (size_t j = i + 1; j < rules.size(); ++j) {
      if (MayMeet(rules[i].source, rules[j].target) && MayMeet(rules[j].source, rules[i].target)) {
        cycles.emplace_back(i, j);
      }
    }
  }
  return cycles;
}

}  // namespace tidemark::query::notify
