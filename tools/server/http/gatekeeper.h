// Gatekeeper: who lets requests in. The router asks it once a request's route is known, before its body is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/server/http/message.h"

namespace tidemark::http {

struct Authority;  // endpoint.h

// Thread-safe; called on io threads: must not block.
class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;

  // What keeps a request out.
  struct Refusal {
    int status = 401;
    std::string text;
    // The value of WWW-Authenticate; "" for none.
    std::string challenge;
  };

  // Whether requests may come by this name of the server (see ParseAuthority; its port does not count). A page that
  // points its own name at this machine (DNS rebinding) is told by it.
  [[nodiscard]] virtual bool KnowsHost(const Authority& host) const = 0;

  // Whether each request must show who sent it: then a page that points its own name here has nothing to show, and the
  // names that pages come from need not be of this machine.
  [[nodiscard]] virtual bool AsksForCredentials() const = 0;

  // Finds out who sent `head` and puts that into head->caller. nullopt: he is let in, as far as the head says.
  virtual std::optional<Refusal> Admit(Request* head) = 0;
};

}  // namespace tidemark::http
