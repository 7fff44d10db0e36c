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
  // What the program that is checked says at the end, so that it is known to have looked (see StartAnswer): that some
  // program or script ended well says nothing. Without spaces; "": nobody asks.
  std::string answer = {};
};

// The variable in which the program that is checked finds them.
inline constexpr const char* kStartFactsVariable = "TIDEMARK_START_FACTS";

// What it says for this.
std::string StartAnswer(std::string_view answer);

// "tokens\nkept http 127.0.0.1:8086\ndata /var/lib/tidemark\nanswer 5f03\n". ReadStartFacts: kInvalidArgument.
std::string PrintStartFacts(const StartFacts& facts);
Result<StartFacts> ReadStartFacts(std::string_view text);

}  // namespace tidemark::server
