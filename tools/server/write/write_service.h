// WriteService: what all ways in have in common. A protocol's decoder (ingest/decoder.h) makes rows out of bytes; here
// are the memory that it may take, the counts, the log of rejections, the one write to a PointSink, and what becomes of
// its report. Which ways in there are is in write_endpoint.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "ingest/write_path/rejection_log.h"
#include "query/api/metadata_book.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/model/point_sink.h"
#include "tools/server/http/message.h"
#include "tools/server/write/write_endpoint.h"
#include "tools/server/write/write_gate.h"
#include "tools/server/write/write_group.h"
#include "tools/server/write/write_id_book.h"

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
  std::function<void(const write_path::RejectionLog::Place& place, const Error& error)> refused = {};
  // Which requests with an X-Write-Id have been written; null: ids are not looked at. Outlives the service.
  WriteIdBook* write_ids = nullptr;
  // What databases may take; null: as much as there is. Outlives the service.
  const quota::QuotaBook* quotas = nullptr;
  // Writes several batches without text in one go; null: each request has a thread.
  WriteGroup::Write write_all = nullptr;
};

// One message to be written, whichever way it came.
struct WriteMessage {
  std::string_view source;  // see model::Batch::source
  std::string_view sender;  // for the log of rejections
  // Who sends: whose dictionaries and write ids are used, by name. null: everyone.
  const http::Caller* caller = nullptr;
  std::string_view write_id = {};                  // "" for none
  native::SeriesDictionary* connection = nullptr;  // see DecodeOptions
  std::string_view bytes;
};

// What became of it.
struct WriteOutcome {
  int status = 204;  // as HTTP answers: 204, or 400 with what was refused; else nothing is promised
  std::string text = {};
  std::vector<ingest::Fault> faults = {};
  uint64_t rows_refused = 0;
  int64_t retry_s = 0;  // of 429: after how long there is more; 0: nobody knows
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

  // Takes a short request whose answer may come later; others are for Take. Those that are bound by a quota, a filter
  // or a write id are, since what these have to say comes before the write and behind it.
  http::Deferral Defer(const WriteEndpoint& endpoint, http::Request& request, http::Answerer* answer);

  // Writes a message to a database that its sender may write to.
  WriteOutcome TakeMessage(ingest::MakeDecoder decoder, const WriteTarget& target, const WriteMessage& message);

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
  [[nodiscard]] native::DictionaryBook::Stats dictionaries() const { return dictionaries_.stats(); }
  [[nodiscard]] const WriteIdBook* write_ids() const { return write_ids_; }

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

  // A request of Defer that waits for the store.
  struct Short;

  [[nodiscard]] bool KnowsPolicy(const WriteTarget& target) const;
  // Why nothing of a request is looked at; fills `target`.
  std::optional<http::Response> Refusal(const WriteEndpoint& endpoint, http::Request& request,
                                        WriteTarget* target) const;
  http::Response Answer(const WriteEndpoint& endpoint, http::Request& request);
  // Whether quotas have something to say to what this caller writes there.
  [[nodiscard]] bool IsBound(const http::Caller& caller, const std::string& database) const;
  // Text goes to `sink_`, where those who follow it see it, and the rest in one go.
  std::vector<Result<model::WriteReport>> WriteShort(const WriteGroup::Write& write_all, std::string_view database,
                                                     std::span<const model::Batch* const> batches);
  void AnswerShort(Short* request, Result<model::WriteReport> written);
  // Decodes, and counts and logs what could not be read. The batch has source and sender then.
  Result<ingest::Decoded> Decode(Workspace* workspace, const WriteTarget& target, const WriteMessage& message,
                                 const ingest::DecodeOptions& options);
  // Keeps what a message that was written says of families of metrics.
  void KeepMetadata(std::vector<ingest::Metadata> metadata, const WriteTarget& target, const WriteMessage& message);
  // Puts rows that the gate took out into the log of rejections.
  void LogHeld(const model::WriteReport& held, const WriteTarget& target, const WriteMessage& message);
  // Writes the batch, if it has a row, and counts.
  Result<model::WriteReport> Write(const Workspace& workspace, const std::string& database);
  void CountWritten(const model::WriteReport& report);
  // What the sender is told of a batch that was written, and keeps what else the message said. `over`: the quota that
  // has refused some of it.
  WriteOutcome Conclude(const Workspace& workspace, const WriteTarget& target, const WriteMessage& message,
                        ingest::Decoded* decoded, model::WriteReport* written,
                        const std::optional<quota::Refusal>& over);
  // TakeMessage, once there is memory for it. `turn`: null without a write id.
  WriteOutcome DecodeAndWrite(Workspace* workspace, const WriteTarget& target, const WriteMessage& message,
                              WriteGate* gate, WriteIdBook::Turn* turn);

  model::PointSink* const sink_;
  query::api::MetadataBook* const metadata_;
  const Clock* const clock_;
  const std::function<bool(std::string_view database, std::string_view policy)> knows_policy_;
  const std::function<void(const write_path::RejectionLog::Place& place, const Error& error)> refused_;
  WriteIdBook* const write_ids_;
  const quota::QuotaBook* const quotas_;
  std::unique_ptr<WriteGroup> group_;  // null: each request has a thread
  native::DictionaryBook dictionaries_;
  std::atomic<bool> require_database_;
  std::atomic<uint64_t> parse_memory_bytes_;
  std::atomic<uint64_t> parsing_bytes_{0};
  WriteCounters counters_;
  // By protocol; complete once constructed.
  std::map<ingest::MakeDecoder, std::unique_ptr<Stack>> stacks_;
};

}  // namespace tidemark::server
