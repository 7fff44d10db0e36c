#include "tools/server/access/token.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "query/filter/filter_text.h"
#include "storage/base/text/json_string.h"
#include "tools/server/access/stored_object.h"

namespace tidemark::server::access {
namespace {

using text::AppendJsonString;

constexpr std::string_view kWhat = "token";

Result<TokenSecret> ReadSecret(simdjson::dom::element element) {
  const StoredObject object(element, kWhat);
  TokenSecret secret;
  TM_TRY_ASSIGN(secret.sha256, object.Hash("sha256"));
  TM_TRY_ASSIGN(secret.created_ns, object.Get<int64_t>("created_ns"));
  TM_TRY_ASSIGN(secret.expires_ns, object.Get<int64_t>("expires_ns"));
  return secret;
}

}  // namespace

Status CheckTokenName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxTokenNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (good) return {};
  return InvalidArgument(
      fmt::format("a token's name is 1 to {} letters, digits, \".\", \"_\" or \"-\"", kMaxTokenNameBytes));
}

Result<std::optional<storage::SeriesFilter>> FilterOf(std::span<const std::string> selectors) {
  if (selectors.empty()) return std::optional<storage::SeriesFilter>();
  TM_TRY_ASSIGN(storage::SeriesFilter filter, query::filter::FilterOfSelectors(selectors));
  return std::optional(std::move(filter));
}

namespace {

void AppendTexts(std::string* out, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  *out += fmt::format(R"(,"{}":[)", key);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonString(out, texts[i]);
  }
  *out += ']';
}

// The texts under `key`, which need not be there.
Result<std::vector<std::string>> ReadTexts(const StoredObject& object, std::string_view key) {
  std::vector<std::string> out;
  if (!object.Has(key)) return out;
  TM_TRY_ASSIGN(const simdjson::dom::array list, object.Get<simdjson::dom::array>(key));
  for (const simdjson::dom::element element : list) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return object.Wrong(key);
    out.emplace_back(text);
  }
  return out;
}

}  // namespace

std::string PrintToken(const Token& token) {
  std::string out = R"({"name":)";
  AppendJsonString(&out, token.name);
  out += R"(,"note":)";
  AppendJsonString(&out, token.note);
  std::vector<std::string> grants;
  for (const Grant& grant : token.grants) grants.push_back(PrintGrant(grant));
  // A version that knows no filters would let such a token see everything: for it, the token has no grants.
  const bool held = !token.filters.empty();
  if (held) out += R"(,"grants":[])";
  AppendTexts(&out, held ? "filtered_grants" : "grants", grants);
  AppendTexts(&out, "certificate_names", token.certificate_names);
  AppendTexts(&out, "filters", token.filters);
  AppendTexts(&out, "quotas", quota::PrintQuotas(token.quotas));
  out += fmt::format(R"(,"created_ns":{},"expires_ns":{},"secrets":[)", token.created_ns, token.expires_ns);
  for (size_t i = 0; i < token.secrets.size(); ++i) {
    const TokenSecret& secret = token.secrets[i];
    out += fmt::format(R"({}{{"sha256":"{}","created_ns":{},"expires_ns":{}}})", i > 0 ? "," : "",
                       PrintHash(secret.sha256), secret.created_ns, secret.expires_ns);
  }
  return out + "]}";
}

Result<Token> ReadToken(std::string_view text) {
  simdjson::dom::parser parser;
  TM_TRY_ASSIGN(const StoredObject object, StoredObject::Parse(&parser, text, kWhat));
  Token token;
  TM_TRY_ASSIGN(token.name, object.Text("name"));
  TM_TRY_ASSIGN(token.note, object.Text("note"));
  TM_TRY_ASSIGN(token.created_ns, object.Get<int64_t>("created_ns"));
  TM_TRY_ASSIGN(token.expires_ns, object.Get<int64_t>("expires_ns"));
  if (!object.Has("grants")) return object.Wrong("grants");
  for (const std::string_view key : {"grants", "filtered_grants"}) {
    TM_TRY_ASSIGN(const std::vector<std::string> grants, ReadTexts(object, key));
    for (const std::string& text_of_grant : grants) {
      TM_TRY_ASSIGN(Grant grant, ParseGrant(text_of_grant));
      token.grants.push_back(std::move(grant));
    }
  }
  TM_TRY_ASSIGN(token.certificate_names, ReadTexts(object, "certificate_names"));
  TM_TRY_ASSIGN(token.filters, ReadTexts(object, "filters"));
  TM_TRY_ASSIGN(const std::vector<std::string> quotas, ReadTexts(object, "quotas"));
  for (const std::string& quota : quotas) TM_RETURN_IF_ERROR(quota::ParseQuota(quota, &token.quotas));
  if (const auto filter = FilterOf(token.filters); !filter.ok()) return filter.error();
  TM_TRY_ASSIGN(const simdjson::dom::array secrets, object.Get<simdjson::dom::array>("secrets"));
  for (const simdjson::dom::element element : secrets) {
    TM_TRY_ASSIGN(const TokenSecret secret, ReadSecret(element));
    token.secrets.push_back(secret);
  }
  if (token.secrets.empty()) return object.Wrong("secrets");
  return token;
}

int64_t EndOf(const Token& token, const TokenSecret& secret) {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  return std::min(token.expires_ns == 0 ? kNever : token.expires_ns,
                  secret.expires_ns == 0 ? kNever : secret.expires_ns);
}

}  // namespace tidemark::server::access
