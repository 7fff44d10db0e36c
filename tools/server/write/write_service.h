// WriteService: what all ways in have in common. A protocol's decoder (ingest/decoder.h) makes rows out of bytes; here
// are the memory that it may take, the counts, the log of rejections, the one write to a PointSink, and what becomes of
// its report. Which ways in there are is in write_endpoint.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "query/api/metadata_book.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/model/point_sink.h"
#include "tools/server/http/message.h"
#include "tools/server/write/write_endpoint.h"

namespace tidemark::server {

struct WriteCounters {
  std::atomic<uint64_t> points{0};
  std::atomic<uint64_t> rows_rejected{0};
  std::atomic<uint64_t> lines_bad{0};
  std::atomic<uint64_t> requests_failed{0};
};

struct WriteServiceOptions {
  // /write without db= is refused.
  bool require_database = false;
  // Bytes of the batches of all requests that are being parsed; more get 503. One request alone is always taken.
  uint64_t parse_memory_bytes = uint64_t{1} << 30;
  // Whether a database's retention policy goes by a name that a request gives. Never null.
  std::function<bool(std::string_view database, std::string_view policy)> knows_policy;
  // Is told of lines and series that did not become rows; their number is 1-based, in the request.
  std::function<void(std::string_view database, uint32_t number, const Error& error)> refused = {};
};

// What one sender sent at one moment.
struct Datagram {
  std::string_view bytes;
  std::string_view sender;  // address and port
  model::Timestamp arrived;
};

// Thread-safe.
class WriteService {
 public:
  // `sink`, `metadata` and `clock` outlive it.
  WriteService(model::PointSink* sink, query::api::MetadataBook* metadata, const Clock* clock,
               WriteServiceOptions options);
  ~WriteService();

  // Answers a request that came in at `endpoint`.
  http::Response Take(const WriteEndpoint& endpoint, http::Request& request);

  // Writes datagrams in one batch. Each is decoded by itself, and what has no time gets that of its arrival. What was
  // bad is counted, logged with its sender and its line in the datagram, and the first of it described in `problem`.
  Result<model::WriteReport> TakeDatagrams(const DatagramProtocol& protocol, const WriteTarget& target,
                                           std::span<const Datagram> datagrams, std::string* problem);

  // From the next request on.
  void SetLimits(bool require_database, uint64_t parse_memory_bytes) {
    require_database_.store(require_database, std::memory_order_relaxed);
    parse_memory_bytes_.store(parse_memory_bytes, std::memory_order_relaxed);
  }

  [[nodiscard]] const WriteCounters& counters() const { return counters_; }

 private:
  // A decoder and what it fills.
  struct Workspace {
    std::unique_ptr<ingest::Decoder> decoder;
    model::Batch batch;
  };
  // Those of one protocol that nobody uses. The one used last is used next: its memory is still in the cache.
  class Stack;
  // A workspace for as long as it is in scope; then it goes back.
  class Loan;
  // A share of the memory for parsing, held until it goes out of scope.
  class ParseLease;

  [[nodiscard]] bool KnowsPolicy(const WriteTarget& target) const;
  http::Response Answer(const WriteEndpoint& endpoint, http::Request& request);
  // Decodes, counts and logs what could not be read, and keeps the metadata.
  // `sender` goes into the log when there is one.
  Result<ingest::Decoded> Decode(Workspace* workspace, const WriteTarget& target, std::string_view bytes,
                                 const ingest::DecodeOptions& options, std::string_view sender);
  // Writes the batch, if it has a row, and counts.
  Result<model::WriteReport> Write(const Workspace& workspace, const std::string& database);

  model::PointSink* const sink_;
  query::api::MetadataBook* const metadata_;
  const Clock* const clock_;
  const std::function<bool(std::string_view database, std::string_view policy)> knows_policy_;
  const std::function<void(std::string_view database, uint32_t number, const Error& error)> refused_;
  std::atomic<bool> require_database_;
  std::atomic<uint64_t> parse_memory_bytes_;
  std::atomic<uint64_t> parsing_bytes_{0};
  WriteCounters counters_;
  // By protocol; complete once constructed.
  std::map<ingest::MakeDecoder, std::unique_ptr<Stack>> stacks_;
};

}  // namespace tidemark::server
