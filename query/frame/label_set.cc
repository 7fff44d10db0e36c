#include "query/frame/label_set.h"

#include <algorithm>
#include <cstring>

#include "query/promql/quote.h"

namespace tidemark::query::frame {
namespace {

using model::LabelView;

void AppendPart(std::string_view part, std::string* key) {
  const auto size = static_cast<uint32_t>(part.size());
  char bytes[sizeof(size)];
  std::memcpy(bytes, &size, sizeof(size));
  key->append(bytes, sizeof(bytes));
  key->append(part);
}

bool Contains(std::span<const std::string> names, std::string_view name) {
  return std::ranges::binary_search(names, name, {}, [](const auto& n) { return std::string_view(n); });
}

// Whether `name` may stand in a selector without quotes.
bool IsPlainName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

}  // namespace

std::string_view LabelSet::Get(std::string_view name) const {
  for (const LabelView& label : *this) {
    if (label.name == name) return label.value;
  }
  return {};
}

std::strong_ordering operator<=>(const LabelSet& a, const LabelSet& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

bool operator==(const LabelSet& a, const LabelSet& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

LabelSet LabelArena::Store(std::span<const LabelView> labels) {
  if (labels.empty()) return {};
  auto* const data = reinterpret_cast<LabelView*>(arena_.Allocate(labels.size_bytes()));
  std::uninitialized_copy(labels.begin(), labels.end(), data);
  return {data, labels.size()};
}

bool IsMetadataLabel(std::string_view name) {
  return name == model::kMetricNameLabel || name == "__type__" || name == "__unit__";
}

void SetLabel(model::LabelViews* labels, std::string_view name, std::string_view value) {
  const auto at = std::ranges::lower_bound(*labels, name, {}, &LabelView::name);
  const bool found = at != labels->end() && at->name == name;
  if (value.empty()) {
    if (found) labels->erase(at);
  } else if (found) {
    at->value = value;
  } else {
    labels->insert(at, {name, value});
  }
}

LabelSet WithoutMetadata(const LabelSet& labels, LabelArena* arena) {
  if (std::ranges::none_of(labels, IsMetadataLabel, &LabelView::name)) return labels;
  model::LabelViews kept;
  for (const LabelView& label : labels) {
    if (!IsMetadataLabel(label.name)) kept.push_back(label);
  }
  return arena->Store(kept);
}

LabelSet Keep(const LabelSet& labels, std::span<const std::string> names, LabelArena* arena) {
  model::LabelViews kept;
  for (const LabelView& label : labels) {
    if (Contains(names, label.name)) kept.push_back(label);
  }
  return arena->Store(kept);
}

LabelSet Drop(const LabelSet& labels, std::span<const std::string> names, LabelArena* arena) {
  model::LabelViews kept;
  for (const LabelView& label : labels) {
    if (!Contains(names, label.name)) kept.push_back(label);
  }
  return kept.size() == labels.size() ? labels : arena->Store(kept);
}

void KeyOf(const LabelSet& labels, std::string* key) { KeyOfAllBut(labels, {}, key); }

void KeyOfOnly(const LabelSet& labels, std::span<const std::string> names, std::string* key) {
  key->clear();
  // Both are sorted; absent labels add an empty part, so that parts stay aligned with names.
  const LabelView* at = labels.begin();
  for (const std::string& name : names) {
    while (at != labels.end() && at->name < name) ++at;
    AppendPart(at != labels.end() && at->name == name ? at->value : std::string_view(), key);
  }
}

void KeyOfAllBut(const LabelSet& labels, std::span<const std::string> names, std::string* key) {
  key->clear();
  for (const LabelView& label : labels) {
    if (Contains(names, label.name)) continue;
    AppendPart(label.name, key);
    AppendPart(label.value, key);
  }
}

std::string ToString(const LabelSet& labels) {
  std::string out = "{";
  for (const LabelView& label : labels) {
    if (out.size() > 1) out += ", ";
    if (IsPlainName(label.name)) {
      out += label.name;
    } else {
      out += promql::Quote(label.name);
    }
    out.push_back('=');
    out += promql::Quote(label.value);
  }
  out.push_back('}');
  return out;
}

}  // namespace tidemark::query::frame
