// Observer: hears of requests that change what only an admin may change, and of those that were refused for their
// sender.
#pragma once

#include <string_view>

#include "tools/server/http/message.h"

namespace tidemark::http {

// Thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;
  // On an io thread or a worker: must not block. `why` is what the sender was told; `status` is 401 or
  // 403, or that of the answer in which a handler says it (Request::refusal).
  virtual void Refused(const Request& head, int status, std::string_view why) = 0;
  // After the handler, before its answer goes out; may wait for the disk. Of a route of Access::kAdmin, or a request
  // whose handler named an act (Request::act).
  virtual void Changed(const Request& request, int status) = 0;
};

}  // namespace tidemark::http
