// Writer: sends points to a Tidemark server in the background, and keeps what it could not send.
//
//   tidemark::client::WriterOptions options;
//   options.url = "http://127.0.0.1:8086";
//   options.database = "app";
//   options.spool_directory = "/var/lib/app/spool";
//   auto writer = tidemark::client::Writer::Open(options);
//   if (!writer.ok()) return Complain(writer.error().message);
//   auto written = (*writer)->Write(Point("cpu").Tag("host", "a").Field("user", 1.5));
//   ...
//   auto closed = (*writer)->Close(std::chrono::seconds(5));
//
// Points gather in a batch per database until it is large or old enough. One batch at a time travels, in the order in
// which they were closed. A reply of 408, 429 or 5xx, and a connection that fails, put the batch off: it is sent again,
// with the same rows and the same X-Write-Id, after a wait that doubles, is drawn at random, and is no
// shorter than Retry-After. Meanwhile batches move to the spool, if there is one, and stay in order.
//
// Why repeats are harmless: the client puts a time on every point before the first attempt, and the server keeps one
// value for a series and a time. A batch that was stored while its reply got lost is stored again as the same points.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clients/cpp/clock.h"
#include "clients/cpp/point.h"
#include "clients/cpp/refusal.h"
#include "clients/cpp/result.h"
#include "clients/cpp/retry.h"
#include "clients/cpp/transport.h"

namespace tidemark::client {

// Lines that the server refused. A partial write names its lines and keeps the others.
struct Rejection {
  std::string write_id;
  std::string database;
  int http_status = 0;
  uint64_t points = 0;  // how many were not stored
  Refusal refusal;
};

// Points that were given up.
struct Loss {
  uint64_t points = 0;
  std::string reason;
};

// What batches travel as. In memory and in the spool they are line protocol either way, which a person can read.
enum class Encoding {
  kLineProtocol,
  // Columns, and a dictionary of series that the server is told once: see ingest/native. A batch with a line that
  // cannot be so encoded, and all batches to a server that does not know it, go as line protocol.
  kNative,
};

struct WriterOptions {
  std::string url = "http://127.0.0.1:8086";
  std::string database{};  // where Write puts points unless told otherwise; "" is the server's "default"
  std::string token{};     // shown with each request; "": that of the environment (credential.h)
  Headers headers{};       // sent with each request
  Encoding encoding = Encoding::kLineProtocol;

  // A batch is closed when it has this many points, this many bytes, or is this old.
  uint64_t batch_points = 5'000;
  uint64_t batch_bytes = uint64_t{1} << 20;
  std::chrono::milliseconds batch_age{1'000};

  // Of the batches in memory, open ones included. Larger than batch_bytes.
  uint64_t memory_bytes = uint64_t{64} << 20;
  // How long Write waits for room before it refuses with kQueueFull.
  std::chrono::milliseconds full_wait{0};

  // "" for none: what is in memory then ends with the process.
  std::string spool_directory{};
  uint64_t spool_bytes = uint64_t{1} << 30;
  // Each batch goes through the spool, also while the server answers: closed batches then survive the process.
  bool spool_always = false;
  // Sync the spool after each batch: it then survives a power cut.
  bool spool_sync = false;

  BackoffOptions backoff{};
  std::chrono::milliseconds request_timeout{30'000};
  // How long the destructor lets Close try.
  std::chrono::milliseconds close_wait{2'000};

  // Called on the writer's own threads, one call at a time, without locks held. They may call Write, and must not call
  // Flush, Persist or Close, which wait for them.
  std::function<void(const Rejection&)> on_rejected{};
  std::function<void(const Loss&)> on_lost{};
};

// Counts since Open, in points unless said otherwise.
struct WriterStats {
  uint64_t accepted = 0;   // Write said yes
  uint64_t invalid = 0;    // Write said no: kInvalidArgument
  uint64_t no_room = 0;    // Write said no: kQueueFull
  uint64_t recovered = 0;  // found in the spool by Open
  uint64_t delivered = 0;  // stored by the server
  uint64_t rejected = 0;   // refused by the server
  // The oldest of a full spool; what memory held at Close without a spool. An upper bound: a batch that travels while
  // the spool drops it counts here and, once the server answers, in `delivered` too.
  uint64_t lost = 0;
  uint64_t damaged_bytes = 0;  // of the spool, given up
  uint64_t requests = 0;
  uint64_t repeats = 0;   // requests that were not a batch's first
  uint64_t failures = 0;  // in a row, until now
  uint64_t memory_bytes = 0;
  uint64_t spool_bytes = 0;
  uint64_t spool_points = 0;
  std::string last_error{};  // of a request or the spool; stays until the next
};

// Thread-safe.
class Writer {
 public:
  // What tests put in place of the network, the machine's clock and chance.
  struct Parts {
    std::unique_ptr<Transport> transport{};
    Clock* clock = nullptr;  // outlives the writer
    uint64_t seed = 0;
  };

  // Does not connect. Errors: kInvalidArgument; those of Spool::Open.
  static Result<std::unique_ptr<Writer>> Open(const WriterOptions& options);
  static Result<std::unique_ptr<Writer>> Open(const WriterOptions& options, Parts parts);

  // Close(close_wait).
  ~Writer();

  // Takes a copy of the point. One without a time gets the present one, a nanosecond later than the last so given when
  // the clock did not move, so that no two of them are the same point. Errors: kInvalidArgument, kQueueFull, kClosed.
  Status Write(const Point& point) { return Write(point, default_database()); }
  Status Write(const Point& point, std::string_view database);

  // Takes `points` rows of line protocol as they are. Each must have a time in nanoseconds: a repeat of a row without
  // one would be another point. Errors as Write.
  Status WriteLines(std::string_view lines, uint64_t points, std::string_view database);

  // Closes the open batches and waits until all points taken before this call are delivered, refused by the server or
  // lost. Errors: kTimeout.
  Status Flush(std::chrono::milliseconds wait);
  // As Flush, but a batch in the spool is done too.
  Status Persist(std::chrono::milliseconds wait);

  // Takes no more points, and tries for `wait` to deliver those it has. What is left then moves to the spool, where the
  // next writer finds it, or is lost when there is none. Idempotent. Errors: kTimeout, saying how many are left and
  // where.
  Status Close(std::chrono::milliseconds wait);

  [[nodiscard]] WriterStats stats() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  [[nodiscard]] std::string_view default_database() const;

  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::client
