#include "tools/server/batch/batch_request.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace tidemark::server {
namespace {

namespace dom = simdjson::dom;
using query::api::ApiRequest;
using query::api::QueryApi;

constexpr size_t kIdBytesMax = 256;
constexpr std::string_view kShape = R"({"queries":[{"id":"a","endpoint":"query","params":{"query":"up"}}]})";

template <auto kMethod>
query::api::Reply Ask(const QueryApi& api, const ApiRequest& request) {
  if constexpr (std::is_invocable_v<decltype(kMethod), const QueryApi*>) {
    return (api.*kMethod)();
  } else {
    return (api.*kMethod)(request);
  }
}

query::api::Reply AskLabelValues(const QueryApi& api, const ApiRequest& request) {
  return api.LabelValues(request, request.params.Get("label"));
}

constexpr BatchEndpoint kEndpoints[] = {
    {"query", false, &Ask<&QueryApi::Query>},   {"query_range", false, &Ask<&QueryApi::QueryRange>},
    {"events", false, &Ask<&QueryApi::Events>}, {"labels", false, &Ask<&QueryApi::Labels>},
    {"label_values", false, &AskLabelValues},   {"series", false, &Ask<&QueryApi::Series>},
    {"alerts", true, &Ask<&QueryApi::Alerts>},  {"rules", true, &Ask<&QueryApi::Rules>},
};

Result<const BatchEndpoint*> EndpointOf(std::string_view name) {
  const auto* const found = std::ranges::find(kEndpoints, name, &BatchEndpoint::name);
  if (found != std::end(kEndpoints)) return found;
  std::string known;
  for (const BatchEndpoint& endpoint : kEndpoints) {
    known.append(known.empty() ? "" : ", ").append(endpoint.name);
  }
  return InvalidArgument(fmt::format("endpoint \"{}\" is none of {}", name, known));
}

// A parameter as a form would have it: texts as they are, numbers as they are written.
Result<void> AddValue(std::string_view name, dom::element value, text::Params* params) {
  switch (value.type()) {
    case dom::element_type::STRING:
      params->Add(std::string(name), std::string(value.get_string().value_unsafe()));
      return {};
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: params->Add(std::string(name), simdjson::minify(value)); return {};
    case dom::element_type::BOOL:
      params->Add(std::string(name), value.get_bool().value_unsafe() ? "1" : "0");
      return {};
    default: return InvalidArgument(fmt::format("parameter \"{}\" must be text, a number, or a list of these", name));
  }
}

Result<text::Params> ParamsOf(dom::object object) {
  text::Params params;
  for (const auto& [name, value] : object) {
    dom::array list;
    if (value.get(list) != simdjson::SUCCESS) {
      TM_RETURN_IF_ERROR(AddValue(name, value, &params));
      continue;
    }
    for (const dom::element one : list) TM_RETURN_IF_ERROR(AddValue(name, one, &params));
  }
  if (params.pairs().size() > text::kMaxPairs) {
    return LimitExceeded(fmt::format("more than {} parameters", text::kMaxPairs));
  }
  return params;
}

Result<BatchQuestion> QuestionOf(dom::element element, std::string_view database) {
  BatchQuestion question;
  std::string_view id;
  if (element["id"].get(id) != simdjson::SUCCESS) return InvalidArgument("\"id\" must be text");
  if (id.size() > kIdBytesMax) return InvalidArgument(fmt::format("\"id\" has more than {} bytes", kIdBytesMax));
  question.id = id;
  std::string_view name;
  if (element["endpoint"].get(name) != simdjson::SUCCESS) return InvalidArgument("\"endpoint\" must be text");
  TM_TRY_ASSIGN(question.endpoint, EndpointOf(name));
  if (const auto params = element["params"]; params.error() != simdjson::NO_SUCH_FIELD) {
    dom::object object;
    if (params.get(object) != simdjson::SUCCESS) return InvalidArgument("\"params\" must be an object");
    TM_TRY_ASSIGN(question.params, ParamsOf(object));
  }
  question.database = database.empty() ? question.params.Get("db") : database;
  return question;
}

}  // namespace

Result<std::vector<BatchQuestion>> ParseBatch(std::string_view body, std::string_view database) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(body);
  if (const simdjson::error_code error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
    return InvalidArgument(
        fmt::format("the body is no JSON ({}); it should look like {}", simdjson::error_message(error), kShape));
  }
  dom::array list;
  if (root["queries"].get(list) != simdjson::SUCCESS) {
    return InvalidArgument(fmt::format("\"queries\" must be a list; the body should look like {}", kShape));
  }
  if (list.size() > kBatchQuestionsMax) {
    return LimitExceeded(fmt::format("{} queries are more than the {} that one batch takes: send several", list.size(),
                                     kBatchQuestionsMax));
  }
  std::vector<BatchQuestion> questions;
  questions.reserve(list.size());
  for (const dom::element element : list) {
    Result<BatchQuestion> question = QuestionOf(element, database);
    if (!question.ok()) return question.error().Within(fmt::format("queries[{}]", questions.size()));
    questions.push_back(std::move(question).value());
  }
  return questions;
}

std::string KeyOf(const BatchQuestion& question) {
  // Lengths in front of texts, so that no two lists of parameters read the same.
  std::string key = fmt::format("{} {} {}", question.endpoint->name, question.database.size(), question.database);
  for (const auto& [name, value] : question.params.pairs()) {
    key += fmt::format(" {} {} {} {}", name.size(), name, value.size(), value);
  }
  return key;
}

}  // namespace tidemark::server
