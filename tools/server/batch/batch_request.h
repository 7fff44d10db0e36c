// BatchQuestion: one of the questions of a batch, as QueryApi takes it.
//
//   {"queries":[{"id":"cpu","endpoint":"query_range","params":{"db":"default","query":"up","start":0,"end":60,"step":15}}]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/api/api.h"
#include "storage/base/result.h"
#include "storage/base/text/params.h"

namespace tidemark::server {

// More questions than this are not taken in one batch.
inline constexpr size_t kBatchQuestionsMax = 256;

// What may be asked in a batch: a row for each endpoint.
struct BatchEndpoint {
  using Ask = query::api::Reply (*)(const query::api::QueryApi& api, const query::api::ApiRequest& request);

  std::string_view name;
  // Whether it answers from the database of the rules, whichever one the question names.
  bool of_rules;
  Ask ask;
};

struct BatchQuestion {
  std::string id;  // the client's name for it, which comes back with the answer
  const BatchEndpoint* endpoint = nullptr;
  std::string database;  // "" is the default one
  text::Params params;
};

// The questions in `body`. `database` is the one of the base path, which goes before `db` of a question. Errors:
// kInvalidArgument, which names the question by its place; kLimitExceeded for too many of them. Unique ids are the
// client's business: an answer says the id of its question and nothing else.
Result<std::vector<BatchQuestion>> ParseBatch(std::string_view body, std::string_view database);

// Equal for questions that have the same answer at the same time.
std::string KeyOf(const BatchQuestion& question);

}  // namespace tidemark::server
