// Credentials: what a request shows to be let in, wherever its protocol puts that.
#pragma once

#include <string>
#include <string_view>

#include "tools/server/http/message.h"

namespace tidemark::server::access {

inline constexpr std::string_view kSessionCookie = "tidemark_session";
// Of a request with a session that is no GET: the value that the sign-in gave to the page. A form of another page can
// send the cookie, but not a header.
inline constexpr std::string_view kForgeryHeader = "X-Tidemark-Csrf";

struct Credentials {
  enum class Kind : uint8_t {
    kNone,
    kSecret,   // of a token
    kSession,  // of a person who signed in
    kBroken,   // what cannot be read, or two that differ: why is in `secret`
  };
  Kind kind = Kind::kNone;
  std::string secret;
};

// In this order, the first that is there: `Authorization` with Bearer (RFC 6750), Token (InfluxDB 2) or Basic (RFC
// 7617; the password is the token, whatever the user), the parameters `u` and `p` (InfluxDB 1; `p` is the token), the
// cookie of a session. A password `p` beside another token is an error unless it is the same.
Credentials CredentialsOf(const http::Request& head);

// The value of a cookie (RFC 6265, 5.4); "" when it was not sent.
std::string_view CookieOf(const http::Request& head, std::string_view name);

}  // namespace tidemark::server::access
