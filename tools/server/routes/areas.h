// The areas of the routes, each a table in the file of its name. A new one is a function here and in routes.cc.
#pragma once

#include <memory>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/routes/services.h"

namespace tidemark::server {

// Appends the routes of one area.
using AddArea = void (*)(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);

// Points in: a route for each row of write/write_endpoint.cc.
void AddWriteRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// What is asked before anything else.
void AddHealthRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// Prometheus' API, remote read and events.
void AddQueryRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// InfluxQL.
void AddInfluxRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// Administration: a route for each row of tools/admin/acts.h that a server does.
void AddAdminRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// A person's own session.
void AddAccessRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);
// For people and scrapers.
void AddPageRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes);

}  // namespace tidemark::server
