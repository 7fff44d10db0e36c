// Route: which receiver an alert goes to, with whom in one message, and how often.
//
// Source: prometheus/alertmanager 0.25, dispatch/route.go.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "query/notify/matcher.h"
#include "storage/model/labels.h"

namespace tidemark::query::notify {

struct Route {
  // The matchers from the root down to it: `{}/{team="x"}`. Part of the key of its groups, which receivers see.
  std::string key;
  // The key, with a number behind it where another route before it has the same one.
  std::string id;
  Matchers matchers;  // sorted; of the root none
  bool continues = false;
  std::string receiver;
  std::set<std::string> group_by;
  bool group_by_all = false;
  int64_t group_wait_ns = 30'000'000'000;
  int64_t group_interval_ns = 300'000'000'000;
  int64_t repeat_interval_ns = 14'400'000'000'000;
  std::vector<std::string> mute_intervals;
  std::vector<std::string> active_intervals;
  std::vector<Route> children;

  // The routes that an alert with these labels goes along, at least this one if its matchers match: of its children
  // the first that matches and those behind that as long as they continue; itself where none does.
  [[nodiscard]] std::vector<const Route*> Match(const model::Labels& labels) const;
  // The labels that an alert's group has.
  [[nodiscard]] model::Labels GroupLabels(const model::Labels& labels) const;
};

// `root` and all below it, a route before its children.
std::vector<const Route*> AllRoutes(const Route& root);

// Writes keys and ids of the whole tree.
void NameRoutes(Route* root);

}  // namespace tidemark::query::notify
