#include "tools/server/rules/rules_api.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "query/rules/rule_text.h"
#include "tools/server/rules/refusal.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

Response Yaml(std::string body) {
  Response response = http::TextResponse(200, std::move(body));
  response.content_type = "application/yaml";
  response.Set("Cache-Control", "no-store");
  return response;
}

storage::SeriesFilter FilterOf(const Request& request) { return storage::SeriesFilter::Of(request.caller->filter()); }

}  // namespace

Response RulesApi::List(const Request& request) const {
  const std::optional<std::string_view> space =
      request.captures.empty() ? std::nullopt : std::optional<std::string_view>(request.captures[0]);
  std::string body;
  const std::string* last = nullptr;
  const std::vector<RuleBook::Entry> entries = book_->List(space, FilterOf(request));
  for (const RuleBook::Entry& entry : entries) {
    if (last == nullptr || *last != entry.space) body += query::rules::YamlQuoted(entry.space) + ":\n";
    last = &entry.space;
    const Result<std::string> text = query::rules::PrintGroupText(entry.text, 4, true);
    if (!text.ok()) return RefuseRules(text.error());
    body += *text;
  }
  return Yaml(body.empty() ? "{}\n" : body);
}

Response RulesApi::Get(const Request& request) const {
  const Result<RuleBook::Entry> entry = book_->Find(request.captures[0], request.captures[1], FilterOf(request));
  if (!entry.ok()) return RefuseRules(entry.error());
  Result<std::string> text = query::rules::PrintGroupText(entry->text, 0, false);
  return text.ok() ? Yaml(std::move(text).value()) : RefuseRules(text.error());
}

Response RulesApi::Put(const Request& request) const {
  const std::string& space = request.captures[0];
  if (hooks_.is_file(space)) {
    return RefuseRules(
        MakeError(ErrorCode::kConflict,
                  fmt::format("the rules of {} come from a file of that name: change the file, and reload", space)));
  }
  return Done(book_->Put(space, request.body.view(), request.caller->name(), FilterOf(request)));
}

Response RulesApi::Delete(const Request& request) const {
  return Done(book_->Delete(request.captures[0], request.captures[1], request.caller->name(), FilterOf(request)));
}

Response RulesApi::DeleteAll(const Request& request) const {
  const Status done = book_->DeleteAll(request.captures[0], request.caller->name(), FilterOf(request));
  // Of many groups some may be gone when the others cannot be deleted: what is listed is what is in force.
  if (!done.ok() && done.error().code != ErrorCode::kNotFound) hooks_.apply();
  return Done(done);
}

Response RulesApi::Done(const Status& status) const {
  if (!status.ok()) return RefuseRules(status.error());
  hooks_.apply();
  // As Mimir, whose envelope has all its members.
  return http::JsonResponse(202, R"({"status":"success","data":null,"errorType":"","error":""})");
}

}  // namespace tidemark::server
