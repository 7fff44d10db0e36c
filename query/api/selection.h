// QueryApi::Selection: what the endpoints about series take: matchers, a time, a limit.
#pragma once

#include <cstdint>
#include <vector>

#include "query/api/api.h"
#include "storage/model/matcher.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::api {

struct QueryApi::Selection {
  uint64_t limit = 0;  // 0: none
  model::TimeRange range;
  std::vector<std::vector<model::Matcher>> matchers;  // one set for each match[]
};

}  // namespace tidemark::query::api
