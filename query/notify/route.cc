#include "query/notify/route.h"

#include <fmt/core.h>

#include <map>

namespace tidemark::query::notify {
namespace {

void Name(Route* route, const std::string& above, std::map<std::string, int>* known) {
  route->key = above.empty() ? MatchersText(route->matchers) : above + "/" + MatchersText(route->matchers);
  const int before = (*known)[route->key]++;
  route->id = before == 0 ? route->key : fmt::format("{}#{}", route->key, before + 1);
  for (Route& child : route->children) Name(&child, route->key, known);
}

void Collect(const Route& route, std::vector<const Route*>* out) {
  out->push_back(&route);
  for (const Route& child : route.children) Collect(child, out);
}

}  // namespace

std::vector<const Route*> Route::Match(const model::Labels& labels) const {
  if (!AllMatch(matchers, labels)) return {};
  std::vector<const Route*> all;
  for (const Route& child : children) {
    const std::vector<const Route*> some = child.Match(labels);
    all.insert(all.end(), some.begin(), some.end());
    if (!some.empty() && !child.continues) break;
  }
  if (all.empty()) all.push_back(this);
  return all;
}

model::Labels Route::GroupLabels(const model::Labels& labels) const {
  if (group_by_all) return labels;
  model::Labels out;
  for (const model::Label& label : labels) {
    if (group_by.contains(label.name)) out.push_back(label);
  }
  return out;
}

std::vector<const Route*> AllRoutes(const Route& root) {
  std::vector<const Route*> out;
  Collect(root, &out);
  return out;
}

void NameRoutes(Route* root) {
  std::map<std::string, int> known;
  Name(root, "", &known);
}

}  // namespace tidemark::query::notify
