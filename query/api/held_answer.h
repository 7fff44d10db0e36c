// HeldAnswer: what a client has of a range query that it asks again, so that only the steps are sent which it lacks or
// which may have changed: the parameter `since` of query_range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/cache/reuse_rule.h"
#include "query/plan/plan.h"
#include "query/run/query_context.h"
#include "storage/storage.h"

namespace tidemark::query::api {

struct HeldAnswer {
  storage::ChangeMark mark;  // of the view that answered
  plan::StepGrid grid;
  uint64_t question = 0;  // hash of what was asked, without its start and end, and of which run of the server answered
};

// One word of letters, digits and dots: clients hand it back and look not inside.
std::string PrintHeldAnswer(const HeldAnswer& held);
// nullopt for anything else, also for "0", which clients send that hold nothing.
std::optional<HeldAnswer> ParseHeldAnswer(std::string_view text);

struct Continuation {
  size_t first_step = 0;  // of the result: what lies before it, the client has
  // `,"since":WORD`, and with what is held `,"changedFrom":SECONDS`: members of `data`. Empty where nothing may be
  // held: the result depends on its whole range, or on what may change without a trace (cache/reuse_rule.h).
  std::string json;
};

// `since` as the client sent it, `rule` of the query. `changedFrom` is the time of the first step that is sent, or of
// the one that would come next: all before it is as it was.
Continuation Continue(std::string_view since, const std::optional<cache::ReuseRule>& rule,
                      const run::QueryResult& result);

}  // namespace tidemark::query::api
