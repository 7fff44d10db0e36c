// StartFacts: what a check of the settings cannot see by itself while a server with them runs: its sockets are taken by
// that server, its tokens are in the store that it holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::server {

struct StartFacts {
  bool asks_for_tokens = false;
  // Of sockets that the next program gets: their kind ("http", "https", "udp") and the address as the settings have it.
  // Without an address: the supervisor's, which take the place of all addresses of their kind.
  struct Kept {
    std::string kind;
    std::string wanted;
    friend bool operator==(const Kept&, const Kept&) = default;
  };
  std::vector<Kept> kept = {};
  // The data directory that it has open, without links; "": none has one.
  std::string data = {};
};

// The variable in which the program that is checked finds them.
inline constexpr const char* kStartFactsVariable = "TIDEMARK_START_FACTS";

// "tokens\nkept http 127.0.0.1:8086\ndata /var/lib/tidemark\n". ReadStartFacts: kInvalidArgument.
std::string PrintStartFacts(const StartFacts& facts);
Result<StartFacts> ReadStartFacts(std::string_view text);

}  // namespace tidemark::server
