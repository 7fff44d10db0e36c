// The text of an Endpoint.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/http/server.h"

namespace tidemark::http {

// "127.0.0.1:8086" or "[::1]:8086" in its parts. kInvalidArgument.
Result<Endpoint> ParseEndpoint(std::string_view text);

// "http://127.0.0.1:8086", "https://[::1]:8443".
std::string UrlOf(const Endpoint& endpoint);
// The address in a Request::peer, which has the port behind it.
std::string_view AddressOf(std::string_view peer);

}  // namespace tidemark::http
