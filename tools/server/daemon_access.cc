// Who may reach a daemon: tokens, sessions and quotas from the store, the audit, and the rule of loopback without
// tokens.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/log.h"
#include "tools/server/daemon.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server {

Status Daemon::OpenAccess() {
  const Clock& clock = SystemClock::Get();
  tokens_ = std::make_unique<access::TokenBook>(store_->Documents(), &clock, &query_memory_);
  TM_RETURN_IF_ERROR(tokens_->Load());
  sessions_ = std::make_unique<access::SessionBook>(
      store_->Documents(), tokens_.get(), &clock,
      access::SessionOptions{.lifetime_ns = config_.session_lifetime_ms * 1'000'000});
  TM_RETURN_IF_ERROR(sessions_->Load());
  access::GuardOptions names{.hosts = config_.allowed_hosts};
  if (!address_.host.empty()) names.hosts.push_back(address_.host);
  guard_ = std::make_unique<access::Guard>(tokens_.get(), sessions_.get(), std::move(names));
  access::CookieScope cookies{.encrypted_outside = address_.external_url.starts_with("https://")};
  if (!address_.external_path.empty()) cookies.path = address_.external_path;
  access_ = std::make_unique<access::AccessService>(tokens_.get(), sessions_.get(), &clock, std::move(cookies));
  // A store that starts read-only is damaged: not a byte of its directory may change.
  if (!store_->Stats().read_only) {
    TM_TRY_ASSIGN(auditor_, audit::Auditor::Start(config_.data + "/audit", store_->Documents(), &clock));
  }
  audit_ = std::make_unique<audit::AuditService>(auditor_.get());
  quotas_ = std::make_unique<quota::QuotaBook>(store_->Documents(), &clock);
  TM_RETURN_IF_ERROR(quotas_->Load());
  quota_service_ = std::make_unique<quota::QuotaService>(quotas_.get(), [tokens = tokens_.get()] {
    std::vector<quota::TokenUsage> usage;
    for (const access::TokenBook::Entry& entry : tokens->List()) {
      usage.push_back({entry.token.name, entry.token.quotas, entry.account->usage()});
    }
    return usage;
  });
  if (tokens_->on()) {
    TM_LOG(kInfo, "tokens are asked for: {} are known", tokens_->List().size());
    return {};
  }
  std::vector<std::string> wanted;
  if (!Inherits(kPlain)) wanted = config_.listen;
  if (!Inherits(kEncrypted)) wanted.insert(wanted.end(), config_.tls_listen.begin(), config_.tls_listen.end());
  for (const UdpConfig& udp : config_.udp) wanted.push_back(udp.listen);
  for (const NativeConfig& native : config_.native) wanted.push_back(native.listen);
  std::vector<std::string> hosts;
  for (const std::string& text : wanted) {
    TM_TRY_ASSIGN(http::Endpoint endpoint, http::ParseEndpoint(text));
    hosts.push_back(std::move(endpoint.address));
  }
  for (const service::InheritedSocket& socket : surroundings_.handover.sockets) {
    if (socket.wanted.empty()) hosts.push_back(socket.address);
  }
  for (const std::string& host : hosts) {
    if (http::IsLoopbackHost(host)) continue;
    return InvalidArgument(fmt::format(
        "{} is not a loopback address, and without tokens only this machine is served: make the first token "
        "with `tidemark admin token first admin --data {}`",
        host, config_.data));
  }
  return {};
}

}  // namespace tidemark::server
