#include "query/notify/alert.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "query/promql/quote.h"
#include "storage/base/utf8.h"

namespace tidemark::query::notify {

uint64_t FingerprintOf(const model::Labels& labels) {
  uint64_t hash = 14695981039346656037ULL;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const model::Label& label : labels) {
    for (const char c : label.name) add(static_cast<unsigned char>(c));
    add(0xFF);
    for (const char c : label.value) add(static_cast<unsigned char>(c));
    add(0xFF);
  }
  return hash;
}

std::string FingerprintText(uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

std::string_view ValueOf(const model::Labels& labels, std::string_view name) {
  const auto at = std::lower_bound(labels.begin(), labels.end(), name,
                                   [](const model::Label& label, std::string_view n) { return label.name < n; });
  return at != labels.end() && at->name == name ? std::string_view(at->value) : std::string_view();
}

std::string LabelSetText(const model::Labels& labels) {
  std::string text = "{";
  for (const model::Label& label : labels) {
    if (text.size() > 1) text += ", ";
    text += label.name + "=" + promql::Quote(label.value);
  }
  return text + "}";
}

bool LabelSetBefore(const model::Labels& left, const model::Labels& right) {
  if (left.size() != right.size()) return left.size() < right.size();
  for (size_t i = 0; i < left.size(); ++i) {
    // At the first name that only one has, the other one comes first.
    if (left[i].name != right[i].name) return left[i].name > right[i].name;
    if (left[i].value != right[i].value) return left[i].value < right[i].value;
  }
  return false;
}

bool AlertBefore(const Alert& left, const Alert& right) {
  for (const std::string_view name : {std::string_view("job"), std::string_view("instance")}) {
    const std::string_view a = ValueOf(left.labels, name);
    const std::string_view b = ValueOf(right.labels, name);
    if (a == b) continue;
    if (a.empty() || b.empty()) return b.empty();
    return a < b;
  }
  return LabelSetBefore(left.labels, right.labels);
}

bool IsLabelName(std::string_view text) { return promql::IsPlainLabelName(text); }

Status CheckAlert(const Alert& alert) {
  const auto check = [](const model::Labels& labels) -> Status {
    for (const model::Label& label : labels) {
      if (!IsLabelName(label.name)) return InvalidArgument(fmt::format("invalid name {}", promql::Quote(label.name)));
      if (!IsUtf8(label.value)) return InvalidArgument(fmt::format("invalid value {}", promql::Quote(label.value)));
    }
    return {};
  };
  if (alert.ends_at_ns != 0 && alert.ends_at_ns < alert.starts_at_ns) {
    return InvalidArgument("start time must be before end time");
  }
  if (const Status labels = check(alert.labels); !labels.ok()) return labels.error().Within("invalid label set");
  if (alert.labels.empty()) return InvalidArgument("at least one label pair required");
  if (const Status texts = check(alert.annotations); !texts.ok()) return texts.error().Within("invalid annotations");
  return {};
}

Alert Merge(const Alert& old, Alert news, int64_t now_ns) {
  const bool overlap = (news.ends_at_ns > old.starts_at_ns && news.ends_at_ns < old.ends_at_ns) ||
                       (news.starts_at_ns > old.starts_at_ns && news.starts_at_ns < old.ends_at_ns);
  if (!overlap) return news;
  news.starts_at_ns = std::min(news.starts_at_ns, old.starts_at_ns);
  if (news.ResolvedAt(now_ns)) {
    if (old.ResolvedAt(now_ns)) news.ends_at_ns = std::max(news.ends_at_ns, old.ends_at_ns);
  } else if (!old.timeout) {
    news.ends_at_ns = std::max(news.ends_at_ns, old.ends_at_ns);
  }
  return news;
}

}  // namespace tidemark::query::notify
