// What a caller with a filter (http::Caller::filter) may ask: a table over all routes. One that is not in it refuses
// him: a route that is added is closed to him until somebody has thought about it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tools/server/http/router.h"

namespace tidemark::server {

// How a route stands to a filter.
struct FilteredRoute {
  std::string_view pattern;  // as http::Route::pattern; of all its methods
  // Null: the route shows and changes no series but those of the filter, or tells of none at all. Else why it cannot.
  const char* refusal;
};
std::span<const FilteredRoute> FilteredRoutes();

// Gives each route its row.
void HoldRoutes(std::vector<http::Route>* routes);

}  // namespace tidemark::server
