// RestartService: what an operator asks of restarts (tools/admin/acts.cc).
#pragma once

#include <functional>
#include <string>

#include "tools/admin/act_handlers.h"
#include "tools/server/http/message.h"
#include "tools/server/lifecycle/restarter.h"

namespace tidemark::server {

// Thread-safe.
class RestartService {
 public:
  // `restarter` outlives it; null: this process cannot be restarted. `facts` tells those of now.
  RestartService(Restarter* restarter, std::function<StartFacts()> facts, std::string version, int64_t start_ns)
      : restarter_(restarter), facts_(std::move(facts)), version_(std::move(version)), start_ns_(start_ns) {}

  static admin::ActHandlers<RestartService> Handlers();

 private:
  // Answers when it is sure that the restart comes: it begins behind the answer.
  http::Response Restart(http::Request& request) const;
  http::Response ShowRestarts(http::Request& request) const;

  Restarter* const restarter_;
  const std::function<StartFacts()> facts_;
  const std::string version_;
  const int64_t start_ns_;  // since 1970
};

}  // namespace tidemark::server
