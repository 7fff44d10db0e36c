#include "tools/server/access/guard.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "tools/server/access/credentials.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/http/router.h"

namespace tidemark::server::access {
namespace {

using http::Request;
using Refusal = http::Gatekeeper::Refusal;

// Who has shown nothing, on a route that is open to everybody.
class NobodyCaller final : public http::Caller {
 public:
  [[nodiscard]] std::string_view name() const override { return "nobody"; }
  [[nodiscard]] bool May(Access access, std::string_view /*database*/) const override { return Open(access); }
  [[nodiscard]] bool MayEverywhere(Access access) const override { return Open(access); }
  [[nodiscard]] bool MaySomewhere(Access access) const override { return Open(access); }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return nullptr; }
  [[nodiscard]] quota::Account* account() const override { return nullptr; }
  [[nodiscard]] bool revoked() const override { return false; }

 private:
  static bool Open(Access access) { return access == Access::kOpen; }
};

const std::shared_ptr<const http::Caller>& Nobody() {
  static const std::shared_ptr<const http::Caller> nobody = std::make_shared<const NobodyCaller>();
  return nobody;
}

// Not Basic: a browser would ask for a user and a password by itself, over the page's own sign-in.
Refusal Unknown(std::string text) { return {401, std::move(text), R"(Bearer realm="Tidemark")"}; }

bool Changes(const Request& head) { return head.method != http::Method::kGet && head.method != http::Method::kHead; }

}  // namespace

bool Guard::KnowsHost(const http::Authority& host) const {
  if (host.kind != http::Authority::Kind::kName || http::IsLoopback(host)) return true;
  // A name without a dot is looked up beside this machine, and belongs to nobody on the Internet: it cannot be pointed
  // here from outside. With one at its end it is that of a top level domain.
  if (!host.rooted && !host.host.contains('.')) return true;
  const auto same = [&host](std::string_view known) {
    if (known.ends_with('.')) known.remove_suffix(1);
    return http::EqualsNoCase(known, host.host);
  };
  return std::ranges::any_of(options_.hosts, same) || tokens_->on();
}

std::optional<Refusal> Guard::FindSession(const std::string& secret, Request* head) const {
  const std::shared_ptr<const SessionCaller> session = sessions_->Find(secret);
  if (session == nullptr) return Unknown("the session has ended: sign in again");
  if (Changes(*head) && !SameSecret(head->Header(kForgeryHeader), session->forgery_value())) {
    return Refusal{403, fmt::format("a request with a session that is no GET needs the header {}", kForgeryHeader), {}};
  }
  head->caller = session;
  return std::nullopt;
}

std::optional<Refusal> Guard::FindCertified(Request* head) const {
  std::shared_ptr<const Principal> principal = tokens_->FindCertificate(*head->certificate_names);
  if (principal == nullptr) {
    return Unknown(
        fmt::format("the certificate is good, but \"{}\" is the name of no token: see --certificate-name of "
                    "`tidemark admin token new`",
                    head->certificate_names->front()));
  }
  head->caller = std::move(principal);
  return std::nullopt;
}

std::optional<Refusal> Guard::FindCaller(Request* head) const {
  const Credentials shown = CredentialsOf(*head);
  switch (shown.kind) {
    case Credentials::Kind::kNone:
      if (head->certificate_names != nullptr) return FindCertified(head);
      return Unknown("this server asks for a token: send the header \"Authorization: Bearer TOKEN\"");
    case Credentials::Kind::kBroken: return Unknown(shown.secret);
    case Credentials::Kind::kSession: return FindSession(shown.secret, head);
    case Credentials::Kind::kSecret: break;
  }
  std::shared_ptr<const Principal> principal = tokens_->Find(shown.secret);
  if (principal == nullptr) return Unknown("the token is not known, has ended or was revoked");
  head->caller = std::move(principal);
  return std::nullopt;
}

std::optional<Refusal> Guard::Admit(Request* head) {
  if (!tokens_->on()) {
    head->caller = http::Everyone();
    return std::nullopt;
  }
  const Access wanted = head->route->access;
  std::optional<Refusal> refusal = FindCaller(head);
  if (refusal) {
    head->caller = Nobody();
    return wanted == Access::kOpen ? std::nullopt : refusal;
  }
  if (head->caller->MaySomewhere(wanted)) return std::nullopt;
  return Refusal{403, fmt::format("the token \"{}\" may not {} here", head->caller->name(), Name(wanted)), {}};
}

}  // namespace tidemark::server::access
