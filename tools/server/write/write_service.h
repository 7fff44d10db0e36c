// WriteService: the endpoints that take points. Bytes are parsed by `ingest` and go to one PointSink; this file decides
// what the client is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/lineprotocol/parser.h"
#include "ingest/remotewrite/decoder.h"
#include "query/api/metadata_book.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/model/point_sink.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// The InfluxDB that 1.x clients are told they talk to.
inline constexpr std::string_view kInfluxVersion = "1.8.10";

struct WriteCounters {
  std::atomic<uint64_t> points{0};
  std::atomic<uint64_t> rows_rejected{0};
  std::atomic<uint64_t> lines_bad{0};
  std::atomic<uint64_t> requests_failed{0};
};

// Adds the headers that every 1.x answer carries: version, build, request id (echoed when the client sent one).
void AddInfluxHeaders(const http::Request& request, http::Response* response);
// {"error":"..."} with X-Influxdb-Error, as 1.x answers.
http::Response InfluxError(int status, std::string_view text);

struct WriteServiceOptions {
  // /write without db= is refused.
  bool require_database = false;
  // Bytes of the batches of all requests that are being parsed; more get 503. One request alone is always taken.
  uint64_t parse_memory_bytes = uint64_t{1} << 30;
  // Is told of lines and series that did not become rows; their number is 1-based, in the request.
  std::function<void(std::string_view database, uint32_t number, const Error& error)> refused = {};
};

// Thread-safe.
class WriteService {
 public:
  // `sink`, `metadata` and `clock` outlive it.
  WriteService(model::PointSink* sink, query::api::MetadataBook* metadata, const Clock* clock,
               WriteServiceOptions options);

  // POST /write: line protocol, 1.x.
  http::Response Write(http::Request& request);
  // POST /api/v2/write: line protocol, 2.x.
  http::Response WriteV2(http::Request& request);
  // POST /api/v1/write: Prometheus remote write 1.0.
  http::Response RemoteWrite(http::Request& request);

  // Parses and writes a datagram's or a file's lines; what was bad is counted and described in `problem`.
  Result<model::WriteReport> WriteLines(std::string_view database, std::string_view lines,
                                        lineprotocol::Precision precision, std::string* problem);

  [[nodiscard]] const WriteCounters& counters() const { return counters_; }

 private:
  // A parser and what it fills. The one used last is used next: its memory is still in the cache.
  struct LineWorkspace {
    lineprotocol::Parser parser;
    model::Batch batch;
  };
  struct RemoteWorkspace {
    remotewrite::Decoder decoder;
    model::Batch batch;
  };
  template <typename Workspace>
  class Stack {
   public:
    std::unique_ptr<Workspace> Take();
    // Keeps the workspace for the next request, without its batch when that has grown large.
    void Return(std::unique_ptr<Workspace> workspace);

   private:
    Mutex mutex_;
    std::vector<std::unique_ptr<Workspace>> idle_ TM_GUARDED_BY(mutex_);
  };

  struct Target {
    std::string database;
    lineprotocol::Precision precision = lineprotocol::Precision::kNanosecond;
  };
  // A share of the memory for parsing, held until it goes out of scope.
  class ParseLease;
  http::Response WriteBody(http::Request& request, const Target& target, bool v2);
  void CountBadLines(std::string_view database, const lineprotocol::ParseReport& parsed);

  model::PointSink* const sink_;
  query::api::MetadataBook* const metadata_;
  const Clock* const clock_;
  const WriteServiceOptions options_;
  std::atomic<uint64_t> parsing_bytes_{0};
  WriteCounters counters_;
  Stack<LineWorkspace> lines_;
  Stack<RemoteWorkspace> remotes_;
};

}  // namespace tidemark::server
