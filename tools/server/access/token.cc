#include "tools/server/access/token.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>

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

Status CheckCertificateName(std::string_view name) {
  constexpr std::string_view kKinds[] = {"dns:", "email:", "uri:", "ip:"};
  const bool good = name.size() <= kMaxCertificateNameBytes && std::ranges::any_of(kKinds, [name](auto kind) {
                      return name.starts_with(kind) && name.size() > kind.size();
                    });
  if (good) return {};
  return InvalidArgument(
      fmt::format("\"{}\" is no name of a certificate such as dns:agent.example, email:a@b.example, "
                  "uri:spiffe://example/agent or ip:192.0.2.1",
                  name));
}

std::string PrintToken(const Token& token) {
  std::string out = R"({"name":)";
  AppendJsonString(&out, token.name);
  out += R"(,"note":)";
  AppendJsonString(&out, token.note);
  out += R"(,"grants":[)";
  for (size_t i = 0; i < token.grants.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(&out, PrintGrant(token.grants[i]));
  }
  if (!token.certificate_names.empty()) {
    out += R"(],"certificate_names":[)";
    for (size_t i = 0; i < token.certificate_names.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(&out, token.certificate_names[i]);
    }
  }
  out += fmt::format(R"(],"created_ns":{},"expires_ns":{},"secrets":[)", token.created_ns, token.expires_ns);
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
  TM_TRY_ASSIGN(const simdjson::dom::array grants, object.Get<simdjson::dom::array>("grants"));
  for (const simdjson::dom::element element : grants) {
    std::string_view grant_text;
    if (element.get(grant_text) != simdjson::SUCCESS) return object.Wrong("grants");
    TM_TRY_ASSIGN(Grant grant, ParseGrant(grant_text));
    token.grants.push_back(std::move(grant));
  }
  if (object.Has("certificate_names")) {
    TM_TRY_ASSIGN(const simdjson::dom::array names, object.Get<simdjson::dom::array>("certificate_names"));
    for (const simdjson::dom::element element : names) {
      std::string_view name;
      if (element.get(name) != simdjson::SUCCESS) return object.Wrong("certificate_names");
      token.certificate_names.emplace_back(name);
    }
  }
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
