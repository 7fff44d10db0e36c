// What people were told of by the server before this one, as RuleNotices and ReadOnlyNotice go on with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/notify/alert.h"
#include "query/rules/rule_status.h"
#include "storage/storage.h"
#include "tools/server/watch/rule_notices.h"

namespace tidemark::server {

// Of `own` alerts, as they were stored, those that have not ended by `now_ms`, each with when its rule wrote it last.
// `rules`: those in force; `database`: where those write that name none. What cannot be read is logged and counts as
// not written.
std::vector<RuleNotices::Before> ToldBefore(const storage::Store& store, const std::vector<query::notify::Alert>& own,
                                            const query::rules::Snapshot& rules, const std::string& database,
                                            int64_t now_ms);

}  // namespace tidemark::server
