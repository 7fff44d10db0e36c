// Guard: the Gatekeeper of a Tidemark server. Finds the caller of each request by its credentials, and refuses it where
// the route's right is one that the caller has for no database. Which database it is about is known when the form has
// been read: then the router asks the caller (route.h, Scope).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/server/access/session_book.h"
#include "tools/server/access/token_book.h"
#include "tools/server/http/gatekeeper.h"

namespace tidemark::server::access {

struct GuardOptions {
  // Names by which this server is known besides loopback ones and addresses, without port.
  std::vector<std::string> hosts;
};

// Thread-safe.
class Guard final : public http::Gatekeeper {
 public:
  // Both outlive it.
  Guard(const TokenBook* tokens, const SessionBook* sessions, GuardOptions options)
      : tokens_(tokens), sessions_(sessions), options_(std::move(options)) {}

  // Without tokens: loopback names, addresses, names without a dot, and those of the options. With tokens, any: a page
  // of another origin that points its name here has neither the token nor, since it belongs to another name, the
  // cookie.
  [[nodiscard]] bool KnowsHost(const http::Authority& host) const override;
  [[nodiscard]] bool AsksForCredentials() const override { return tokens_->on(); }
  std::optional<Refusal> Admit(http::Request* head) override;

 private:
  // The caller that `head` shows, or why it is none.
  std::optional<Refusal> FindCaller(http::Request* head) const;
  // By the client's certificate, where nothing else is shown.
  std::optional<Refusal> FindCertified(http::Request* head) const;
  std::optional<Refusal> FindSession(const std::string& secret, http::Request* head) const;

  const TokenBook* const tokens_;
  const SessionBook* const sessions_;
  const GuardOptions options_;
};

}  // namespace tidemark::server::access
