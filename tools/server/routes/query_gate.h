// Queries of a token, and of a database, count against its quota while they run and while their answers are sent.
#pragma once

#include <string>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/quota/quota_book.h"

namespace tidemark::server {

// Puts the gate in front of each route that reads rows or names: Access::kRead on the lanes of queries and reads, and
// the statements of /query. Beyond a quota it answers 429 with Retry-After and the reason. `quotas` outlives the
// routes.
void GateQueries(const quota::QuotaBook* quotas, const std::string& default_database, std::vector<http::Route>* routes);

}  // namespace tidemark::server
