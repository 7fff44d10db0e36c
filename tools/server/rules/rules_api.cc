#include "tools/server/rules/rules_api.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "query/api/envelope.h"
#include "query/rules/rule_text.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::ErrorType;

Response Fail(const Error& error) {
  const auto reply = [&](int status, ErrorType type) {
    return http::JsonResponse(status, query::api::ErrorReply(type, error.message).body);
  };
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return reply(400, ErrorType::kBadData);
    case ErrorCode::kNotFound: return reply(404, ErrorType::kNotFound);
    case ErrorCode::kConflict: return reply(409, ErrorType::kBadData);
    case ErrorCode::kLimitExceeded: return reply(413, ErrorType::kBadData);
    case ErrorCode::kCorruption: return reply(500, ErrorType::kInternal);
    default: return reply(503, ErrorType::kUnavailable);
  }
}

Response Yaml(std::string body) {
  Response response = http::TextResponse(200, std::move(body));
  response.content_type = "application/yaml";
  response.Set("Cache-Control", "no-store");
  return response;
}

}  // namespace

Response RulesApi::List(const Request& request) const {
  const std::optional<std::string_view> space =
      request.captures.empty() ? std::nullopt : std::optional<std::string_view>(request.captures[0]);
  std::string body;
  const std::string* last = nullptr;
  const std::vector<RuleBook::Entry> entries = book_->List(space);
  for (const RuleBook::Entry& entry : entries) {
    if (last == nullptr || *last != entry.space) body += query::rules::YamlQuoted(entry.space) + ":\n";
    last = &entry.space;
    const Result<std::string> text = query::rules::PrintGroupText(entry.text, 4, true);
    if (!text.ok()) return Fail(text.error());
    body += *text;
  }
  return Yaml(body.empty() ? "{}\n" : body);
}

Response RulesApi::Get(const Request& request) const {
  const Result<RuleBook::Entry> entry = book_->Find(request.captures[0], request.captures[1]);
  if (!entry.ok()) return Fail(entry.error());
  Result<std::string> text = query::rules::PrintGroupText(entry->text, 0, false);
  return text.ok() ? Yaml(std::move(text).value()) : Fail(text.error());
}

Response RulesApi::Put(const Request& request) const {
  const std::string& space = request.captures[0];
  if (hooks_.is_file(space)) {
    return Fail(
        MakeError(ErrorCode::kConflict,
                  fmt::format("the rules of {} come from a file of that name: change the file, and reload", space)));
  }
  return Done(book_->Put(space, request.body.view(), request.caller->name()));
}

Response RulesApi::Delete(const Request& request) const {
  return Done(book_->Delete(request.captures[0], request.captures[1], request.caller->name()));
}

Response RulesApi::DeleteAll(const Request& request) const {
  const Status done = book_->DeleteAll(request.captures[0], request.caller->name());
  // Of many groups some may be gone when the others cannot be deleted: what is listed is what is in force.
  if (!done.ok() && done.error().code != ErrorCode::kNotFound) hooks_.apply();
  return Done(done);
}

Response RulesApi::Done(const Status& status) const {
  if (!status.ok()) return Fail(status.error());
  hooks_.apply();
  // As Mimir, whose envelope has all its members.
  return http::JsonResponse(202, R"({"status":"success","data":null,"errorType":"","error":""})");
}

}  // namespace tidemark::server
