// When alerts were last written as firing, and whether their end was: what a restart knows of an alert of which
// somebody was told, and which is not given any more.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/storage.h"

namespace tidemark::server {

struct LastFiring {
  int64_t last_ms = 0;  // of the last sample of its ALERTS; 0: there is none
  bool ended = false;   // a stale marker stands behind it
};

// By the labels of alerts, of the series ALERTS{alertstate="firing"} of `database` with points in [from_ms, to_ms].
// Empty where there is no such database. Errors: those of reading.
Result<std::map<model::Labels, LastFiring>> ReadLastFiring(const storage::Store& store, const std::string& database,
                                                           int64_t from_ms, int64_t to_ms);

}  // namespace tidemark::server
