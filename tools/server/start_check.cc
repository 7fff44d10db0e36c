// Daemon::Check: what a start needs beside the store, tried without changing anything.
#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "tools/server/daemon.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server {
namespace {

namespace asio = boost::asio;

// Whether the address could be bound now.
template <typename Protocol>
Status TryBind(const http::Endpoint& wanted) {
  boost::system::error_code error;
  const asio::ip::address ip =
      asio::ip::make_address(wanted.address == "localhost" ? "127.0.0.1" : wanted.address, error);
  if (error) return InvalidArgument(fmt::format("\"{}\" is not an IP address", wanted.address));
  asio::io_context context;
  typename Protocol::socket socket(context);
  const typename Protocol::endpoint endpoint(ip, wanted.port);
  socket.open(endpoint.protocol(), error);
  if (!error) socket.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) socket.bind(endpoint, error);
  if (!error) return {};
  return MakeError(ErrorCode::kUnavailable,
                   fmt::format("cannot listen on {}:{}: {}", wanted.address, wanted.port, error.message()));
}

bool Keeps(const StartFacts& facts, std::string_view kind, std::string_view wanted) {
  return std::ranges::any_of(facts.kept,
                             [&](const StartFacts::Kept& kept) { return kept.kind == kind && kept.wanted == wanted; });
}

Status CheckAddress(const StartFacts& facts, std::string_view kind, const std::string& text) {
  if (Keeps(facts, kind, "")) return {};  // the supervisor's sockets take its place
  TM_TRY_ASSIGN(const http::Endpoint wanted, http::ParseEndpoint(text));
  if (!facts.asks_for_tokens && !http::IsLoopbackHost(wanted.address)) {
    return InvalidArgument(
        fmt::format("{} is not a loopback address, and without tokens only this machine is served", wanted.address));
  }
  if (Keeps(facts, kind, text)) return {};
  if (kind == "udp") return TryBind<asio::ip::udp>(wanted);
  const Status bound = TryBind<asio::ip::tcp>(wanted);
  // As of a start, which goes on without it.
  return !bound.ok() && wanted.port == kDashboardPort ? Status() : bound;
}

// A restart goes on with the store that there is.
Status CheckData(const StartFacts& facts, const std::string& wanted) {
  if (facts.data.empty()) return {};
  std::error_code error;
  const std::filesystem::path data = std::filesystem::weakly_canonical(wanted, error);
  if (!error && data == facts.data) return {};
  return InvalidArgument(fmt::format(
      "data is {}, and the server that runs has {}: a restart goes on with the same store. To move it, stop "
      "the server, move the folder, and start it with the new setting",
      wanted, facts.data));
}

}  // namespace

Status Daemon::Check(const Config& config, const StartFacts& facts) {
  TM_TRY_ASSIGN([[maybe_unused]] const Address address, AddressOf(config));
  TM_RETURN_IF_ERROR(CheckData(facts, config.data));
  TM_RETURN_IF_ERROR(backup::BackupMaker::Check(config.backup, config.data));
  TM_TRY_ASSIGN([[maybe_unused]] const query::notify::Config told, ReadNotifyConfig(config));
  TM_TRY_ASSIGN([[maybe_unused]] const LoadedRules rules, ReadRules(config));
  const bool encrypted = std::ranges::any_of(config.native, &NativeConfig::encrypted);
  if (!config.tls_listen.empty() || encrypted || Keeps(facts, "https", "")) {
    TM_RETURN_IF_ERROR(CheckTlsFiles(config));
  }
  for (const std::string& text : config.listen) TM_RETURN_IF_ERROR(CheckAddress(facts, "http", text));
  for (const std::string& text : config.tls_listen) TM_RETURN_IF_ERROR(CheckAddress(facts, "https", text));
  for (const UdpConfig& udp : config.udp) TM_RETURN_IF_ERROR(CheckAddress(facts, "udp", udp.listen));
  for (const NativeConfig& native : config.native) TM_RETURN_IF_ERROR(CheckAddress(facts, "native", native.listen));
  return {};
}

}  // namespace tidemark::server
