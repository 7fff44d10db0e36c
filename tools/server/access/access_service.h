// AccessService: what is asked over HTTP about tokens and sessions: the acts of administration (rows of
// tools/admin/acts.cc whose names begin with `token` or `session`), and a person's own session.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "tools/admin/act_handlers.h"
#include "tools/server/access/session_book.h"
#include "tools/server/access/token_book.h"
#include "tools/server/http/message.h"

namespace tidemark::server::access {

// Where a browser finds the server, for the cookies that it gets.
struct CookieScope {
  std::string path = "/";  // below which: "/" or "/tm"
  // Whether it comes over TLS to whatever stands in front of the server (http.external_url begins with https), so that
  // a cookie must not go in clear, though the server itself is asked in clear.
  bool encrypted_outside = false;
};

// Thread-safe. Answers in the envelope of the Prometheus API. No reply may be kept by a cache.
class AccessService {
 public:
  // All outlive it.
  AccessService(TokenBook* tokens, SessionBook* sessions, const Clock* clock, CookieScope cookies = {})
      : tokens_(tokens), sessions_(sessions), clock_(clock), cookies_(std::move(cookies)) {}

  // The acts that it does.
  static admin::ActHandlers<AccessService> Handlers();

  // POST token=SECRET[&kiosk=1]: opens a session, whose cookie comes with the reply.
  http::Response SignIn(http::Request& request) const;
  // Who the caller is, what he may do, until when, and the value of the header against forgery.
  http::Response WhoAmI(http::Request& request) const;
  // Ends the caller's session.
  http::Response SignOut(http::Request& request) const;

 private:
  // name, grant, filter and quota (each repeats), expires=90d, note.
  http::Response NewToken(http::Request& request) const;
  http::Response ListTokens(http::Request& request) const;
  // name, quota (repeats): those that it has from then on, none for none.
  http::Response SetTokenQuotas(http::Request& request) const;
  // name, overlap=24h.
  http::Response RotateToken(http::Request& request) const;
  // name, last=1: also the last that is admin of everything.
  http::Response RevokeToken(http::Request& request) const;
  http::Response ListSessions(http::Request& request) const;
  // id.
  http::Response RevokeSession(http::Request& request) const;

  TokenBook* const tokens_;
  SessionBook* const sessions_;
  const Clock* const clock_;
  const CookieScope cookies_;
};

}  // namespace tidemark::server::access
