#include "tools/server/access/credentials.h"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

namespace tidemark::server::access {
namespace {

using Kind = Credentials::Kind;

// Base64 (RFC 4648, 4). nullopt when it is none.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // What padding stands for is decoded to zeros.
  const auto padding = static_cast<size_t>(std::ranges::count(text.substr(text.size() < 2 ? 0 : text.size() - 2), '='));
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

Credentials Basic(std::string_view encoded) {
  const std::optional<std::string> decoded = DecodeBase64(encoded);
  if (!decoded) return {Kind::kBroken, "the Authorization header holds no base64"};
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos) return {Kind::kBroken, "the Authorization header holds no user:password"};
  return {Kind::kSecret, decoded->substr(colon + 1)};
}

Credentials Authorization(std::string_view value) {
  const size_t space = std::min(value.find(' '), value.size());
  const std::string_view scheme = value.substr(0, space);
  const std::string_view rest = http::Trim(value.substr(space));
  if (http::EqualsNoCase(scheme, "Bearer") || http::EqualsNoCase(scheme, "Token")) {
    return {Kind::kSecret, std::string(rest)};
  }
  if (http::EqualsNoCase(scheme, "Basic")) return Basic(rest);
  return {Kind::kBroken, "the Authorization header is none of Bearer, Token and Basic"};
}

}  // namespace

std::string_view CookieOf(const http::Request& head, std::string_view name) {
  for (const http::HeaderField& field : head.headers) {
    if (!http::EqualsNoCase(field.name, "Cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::string_view pair = http::Trim(rest.substr(0, rest.find(';')));
      rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        return pair.substr(name.size() + 1);
      }
    }
  }
  return {};
}

Credentials CredentialsOf(const http::Request& head) {
  Credentials shown;
  if (const size_t count = head.CountHeader("Authorization"); count > 0) {
    if (count > 1) return {Kind::kBroken, "there is more than one Authorization header"};
    shown = Authorization(head.Header("Authorization"));
  } else if (head.params.Has("p")) {
    shown = {Kind::kSecret, std::string(head.params.Get("p"))};
  } else if (head.params.Has("u")) {
    return {Kind::kBroken, "a user without a password; the password p is the token"};
  }
  if (shown.kind == Kind::kBroken) return shown;
  // Clients that send the same one twice are fine. Of two that differ one would be overlooked.
  for (const std::string_view password : head.params.All("p")) {
    if (!password.empty() && password != shown.secret) {
      return {Kind::kBroken, "the request shows two different tokens; send one"};
    }
  }
  if (shown.kind == Kind::kSecret) return shown;
  if (const std::string_view session = CookieOf(head, kSessionCookie); !session.empty()) {
    return {Kind::kSession, std::string(session)};
  }
  return {};
}

}  // namespace tidemark::server::access
