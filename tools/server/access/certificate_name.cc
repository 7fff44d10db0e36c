#include "tools/server/access/certificate_name.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace tidemark::server::access {
namespace {

// As long as the name of a host with what is around it, and much longer than a name of SPIFFE's.
constexpr size_t kMaxBytes = 1024;

std::string Lowered(std::string_view host) {
  std::string lowered;
  std::ranges::transform(host, std::back_inserter(lowered),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lowered;
}

std::optional<std::string> Host(std::string_view name) { return Lowered(name); }

std::optional<std::string> Mailbox(std::string_view name) {
  const size_t at = std::min(name.rfind('@'), name.size());
  return std::string(name.substr(0, at)) + Lowered(name.substr(at));
}

std::optional<std::string> AsItIs(std::string_view name) { return std::string(name); }

std::optional<std::string> Address(std::string_view name) {
  const std::string text(name);
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  std::array<char, INET6_ADDRSTRLEN> printed;
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), bytes.data()) != 1) continue;
    return std::string(inet_ntop(family, bytes.data(), printed.data(), printed.size()));
  }
  return std::nullopt;
}

struct Kind {
  std::string_view prefix;
  std::optional<std::string> (*spell)(std::string_view name);
};

constexpr Kind kKinds[] = {{"dns:", &Host}, {"email:", &Mailbox}, {"uri:", &AsItIs}, {"ip:", &Address}};

}  // namespace

Result<std::string> ReadCertificateName(std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (!name.starts_with(kind.prefix) || name.size() == kind.prefix.size() || name.size() > kMaxBytes) continue;
    const std::optional<std::string> spelled = kind.spell(name.substr(kind.prefix.size()));
    if (spelled) return std::string(kind.prefix) + *spelled;
  }
  return InvalidArgument(
      fmt::format("\"{}\" is no name of a certificate such as dns:agent.example, email:a@b.example, "
                  "uri:spiffe://example/agent or ip:192.0.2.1",
                  name));
}

}  // namespace tidemark::server::access
