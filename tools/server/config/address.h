// Where the server is found: by people, whose proxy may have a name and a path of its own, and by what reaches it.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "tools/server/config/config.h"

namespace tidemark::server {

struct Address {
  std::string external_url;   // "https://metrics.example/tm", without a slash at its end: in front of links
  std::string external_path;  // of that, "/tm" or "": in front of the paths that browsers are sent to
  std::string origin;         // of that, "https://metrics.example": of the server's own pages
  std::string host;           // of that, without port; "" where no URL was set: then loopback names are all there is
  std::string route_prefix;   // "/tm" or "": in front of the path of each request that is served
};

// As Prometheus has it: `http.route_prefix` is the path of `http.external_url` unless it is set, and without that URL
// the server is found at the first address that it is told to listen on, as that is written: of a port 0 and of sockets
// that it inherits nothing is known here. kInvalidArgument: a URL that is none.
Result<Address> AddressOf(const Config& config);

// A URL for `http.external_url`, without the slashes at its end; "" stays.
Result<std::string> ParseExternalUrl(std::string_view text);
// "/tm" of "tm", "/tm/" and the like; "/" of "/"; "" stays.
Result<std::string> ParseRoutePrefix(std::string_view text);

}  // namespace tidemark::server
