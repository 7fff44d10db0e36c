// The act "rename database".
#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "query/api/json.h"
#include "storage/base/text/json_string.h"
#include "tools/server/admin/admin_service.h"

namespace tidemark::server {
namespace {

using query::api::ErrorReply;
using query::api::ErrorType;

http::Response Answer(query::api::Reply reply) { return http::JsonResponse(reply.status, std::move(reply.body)); }

// Whether a name stands in a text, and is not a part of a longer word.
bool HasWord(std::string_view text, std::string_view word) {
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end]))) return true;
  }
  return false;
}

// "KIND NAME" of each document whose text has the name: rules, dashboards, tokens, which are not changed.
std::vector<std::string> DocumentsThatName(const storage::DocumentStore& documents, std::string_view database) {
  constexpr size_t kNamedMax = 100;
  std::vector<std::string> out;
  for (const storage::DocumentKindUsage& kind : documents.Kinds()) {
    // What long work was about is history.
    if (kind.word == "jobs" || kind.word == "backfills") continue;
    std::string after;
    for (;;) {
      const auto page = documents.List(kind.word, {.prefix = {}, .after = after});
      if (page.empty()) break;
      after = page.back().name;
      for (const storage::DocumentInfo& info : page) {
        if (out.size() == kNamedMax) return out;
        const auto document = documents.Get(kind.word, info.name);
        if (document.ok() && HasWord(document->bytes, database)) out.push_back(kind.word + " " + info.name);
      }
    }
  }
  return out;
}

}  // namespace

http::Response AdminService::RenameDatabase(http::Request& request) const {
  const std::string from(request.params.Get("from"));
  const std::string to(request.params.Get("to"));
  if (from.empty() || to.empty()) {
    return Answer(ErrorReply(ErrorType::kBadData, "parameters \"from\" and \"to\" say which database gets which name"));
  }
  if (!store_->HasDatabase(from)) {
    return Answer(ErrorReply(ErrorType::kNotFound, fmt::format("database not found: \"{}\"", from)));
  }
  if (from == to) {
    return Answer(ErrorReply(ErrorType::kBadData, fmt::format("the database is called \"{}\" already", to)));
  }
  const bool dry_run = request.params.IsOn("dry_run");
  if (dry_run && store_->HasDatabase(to)) {
    return Answer(ErrorReply(MakeError(ErrorCode::kAlreadyExists, fmt::format("database \"{}\" exists already", to))));
  }
  std::vector<std::string> warnings;
  if (!dry_run) {
    if (const Status renamed = rename_(from, to); !renamed.ok()) {
      return Answer(renamed.error().code == ErrorCode::kInvalidArgument
                        ? ErrorReply(ErrorType::kBadData, renamed.error().message)
                        : ErrorReply(renamed.error()));
    }
  }
  std::vector<std::string> named;
  if (const storage::DocumentStore* const documents = store_->Documents(); documents != nullptr) {
    named = DocumentsThatName(*documents, from);
  }
  if (!named.empty()) {
    warnings.push_back(
        fmt::format("{} still \"{}\": change each that means this database",
                    named.size() == 1 ? "1 document names" : fmt::format("{} documents name", named.size()), from));
  }
  std::string data = R"({"from":)";
  text::AppendJsonString(&data, from);
  data += R"(,"to":)";
  text::AppendJsonString(&data, to);
  data += fmt::format(R"(,"dryRun":{},"namedBy":)", dry_run);
  query::api::AppendStrings(&data, named);
  std::string body = R"({"status":"success","data":)" + data + "}";
  if (!warnings.empty()) {
    body += R"(,"warnings":)";
    query::api::AppendStrings(&body, warnings);
  }
  return http::JsonResponse(200, body + "}");
}

}  // namespace tidemark::server
