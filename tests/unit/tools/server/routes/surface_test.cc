// The routes as clients know them, line by line. Who changes one on purpose changes routes.txt in the same commit.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tools/server/routes/notify_routes.h"
#include "tools/server/routes/routes.h"
#include "tools/server/routes/rule_routes.h"

namespace tidemark::server {
namespace {

std::string_view NameOf(http::Lane lane) {
  switch (lane) {
    case http::Lane::kInline: return "inline";
    case http::Lane::kWrite: return "write";
    case http::Lane::kRead: return "read";
    case http::Lane::kQuery: return "query";
    case http::Lane::kService: return "service";
  }
  return "?";
}

// The first words of a refusal, which tell the protocol: Go's plain text, Prometheus' envelope, Influx's objects.
std::string RefusalOf(const http::Route& route) {
  if (!route.refuse) return "plain";
  const std::string body = route.refuse(400, "x").body;
  if (body.starts_with("{\"status\"")) return "prometheus";
  if (body.starts_with("{\"error\"")) return "influx";
  return body.starts_with("{\"code\":\"") ? "influx2" : body;
}

std::string Describe(const http::Route& route) {
  std::string methods;
  for (const http::Method method : route.methods) {
    if (!methods.empty()) methods += ',';
    methods += http::Name(method);
  }
  const bool as_server = route.body_bytes_max == std::numeric_limits<size_t>::max();
  return fmt::format("{} {} lane={} right={} of={} body={}{}{} refusal={}\n", route.pattern, methods,
                     NameOf(route.lane), http::Name(route.access), http::Name(route.scope),
                     as_server ? "http.body_bytes_max" : std::to_string(route.body_bytes_max),
                     route.form ? " form" : "", route.own_coding ? " own-coding" : "", RefusalOf(route));
}

std::vector<http::Route> AllRoutes() {
  std::vector<http::Route> routes = MakeRoutes({});
  AddRuleRoutes({}, &routes);
  AddNotifyRoutes({}, &routes);
  return routes;
}

TEST(Surface, TheRoutesAreTheseAndNoOthers) {
  std::vector<std::string> lines;
  for (const http::Route& route : AllRoutes()) lines.push_back(Describe(route));
  std::ranges::sort(lines);
  std::string got;
  for (const std::string& line : lines) got += line;
  std::ostringstream want;
  want << std::ifstream(ROUTES_FILE).rdbuf();
  EXPECT_EQ(got, want.str());
}

// The paths of the README's table. In a cell, a path that does not begin with a slash is beside the first one.
std::set<std::string> PathsOfReadme() {
  std::set<std::string> paths;
  std::ifstream readme(README_FILE);
  bool within = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("## ")) within = line == "## Routes";
    if (!within || !line.starts_with("| `/")) continue;
    const std::string cell = line.substr(2, line.find(" | ") - 2);
    std::string base;
    for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
      const size_t end = cell.find('`', at + 1);
      const std::string name = cell.substr(at + 1, end - at - 1);
      at = end + 1;
      if (base.empty()) base = name.substr(0, name.rfind('/') + 1);
      if (!name.ends_with('/') || name == "/") paths.insert(name.starts_with('/') ? name : base + name);
    }
  }
  return paths;
}

TEST(Surface, TheReadmeNamesEveryRouteAndNoOther) {
  std::set<std::string> routes;
  for (const http::Route& route : AllRoutes()) {
    std::string path = route.pattern;
    for (size_t star = path.find('*'); star != std::string::npos; star = path.find('*')) path.replace(star, 1, "NAME");
    routes.insert(std::move(path));
  }
  EXPECT_EQ(PathsOfReadme(), routes);
}

}  // namespace
}  // namespace tidemark::server
