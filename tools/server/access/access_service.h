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

// Thread-safe. Answers in the envelope of the Prometheus API. No reply may be kept by a cache.
class AccessService {
 public:
  // All outlive it. `cookie_path`: below which a browser finds the server, "/" or "/tm".
  AccessService(TokenBook* tokens, SessionBook* sessions, const Clock* clock, std::string cookie_path = "/")
      : tokens_(tokens), sessions_(sessions), clock_(clock), cookie_path_(std::move(cookie_path)) {}

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
  const std::string cookie_path_;
};

}  // namespace tidemark::server::access
