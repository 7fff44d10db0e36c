// RequestBody: rows of the devops workload in the form of a protocol. One more protocol is a class and a row in
// request_body.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "tools/bench/devops_workload.h"

namespace tidemark::bench {

// Not thread-safe.
class RequestBody {
 public:
  virtual ~RequestBody() = default;

  virtual void Append(const DevopsRow& row) = 0;
  // What goes before all other requests; empty for nothing.
  virtual std::string Opening() { return {}; }
  // The body of what was appended since the last call; empty for nothing.
  virtual std::string Take() = 0;

  // Of the request: path without parameters, and headers.
  [[nodiscard]] virtual std::string_view path() const = 0;
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> headers() const = 0;
};

// "line" (InfluxDB line protocol, POST /write), "native" (native batches, POST /api/v1/native; "native-whole": each
// names its own series) or "remote-write" (Prometheus remote write 1.0: a series per host and field with a sample each,
// as a scraper sends them; POST /api/v1/write). "line-single", "native-single": with such series too. `workload`
// outlives the body.
Result<std::unique_ptr<RequestBody>> MakeRequestBody(std::string_view protocol, const DevopsWorkload* workload);

}  // namespace tidemark::bench
