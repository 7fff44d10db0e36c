// Names of certificates, by which they show tokens: "dns:agent.example", "email:a@b.example",
// "uri:spiffe://example/agent", "ip:192.0.2.1", as tls::Channel::PeerNames tells them.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server::access {

// Its one spelling, by which two names are the same (RFC 5280, 7): names of hosts, also behind an @, in lower case, and
// an address as the system prints it. kInvalidArgument: neither of the four kinds, too long, or no address.
Result<std::string> ReadCertificateName(std::string_view name);

}  // namespace tidemark::server::access
