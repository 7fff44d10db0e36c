// Server: HTTP/1.1 (RFC 9110, RFC 9112) on any number of addresses, with keep-alive, pipelining, chunked bodies in
// both directions, gzip in both directions and limits on everything that a client decides.
//
//   Server server(options, application);
//   TM_TRY_ASSIGN(Endpoint endpoint, server.Listen("127.0.0.1", 0));
//   server.Start();
//   ...
//   server.Drain(std::chrono::seconds(10));            // the end, or
//   Inheritance left = server.Leave(std::chrono::seconds(10));   // another server goes on with what is open
//
// A connection belongs to one of a few io threads, which never block. Requests that may block run on bounded sets of
// workers, one for writes and one for reads, so that neither keeps the other from running.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/server/http/content_coding.h"
#include "tools/server/http/message.h"
#include "tools/tls/server_context.h"

namespace tidemark::memory {
class Budget;
}

namespace tidemark::http {

struct ServerOptions {
  // Loops, each with a thread that moves bytes and begins queries. 0: as many as cores.
  size_t io_threads = 0;
  // Threads that run requests which may block. Writes wait for the disk: more of them share one sync.
  size_t write_threads = 32;
  // Queries that run at once: more than may be long at once (query.long_max), so that short ones find a thread.
  size_t read_threads = 32;
  // Further ones that wait for their turn, on threads that are there only meanwhile.
  size_t waiting_reads = 0;
  // Requests about the server itself have threads of their own, so that a health check never waits behind queries.
  size_t service_threads = 2;
  // Threads for replies that are produced while they are sent (long results and progress, not subscriptions). They
  // mostly wait for their clients.
  size_t stream_threads = 16;
  // Requests that may wait for a thread, in each set. More get 503.
  size_t queue_max = 1024;
  // Open connections. More get 503 and are closed at once.
  size_t connections_max = 10'000;
  // The same of one address, so that it cannot take all. 0: half of connections_max.
  size_t connections_per_address_max = 0;
  // Bytes of request line and headers. More get 431.
  size_t header_bytes_max = size_t{64} << 10;
  // Bytes of a body as received. More get 413.
  size_t body_bytes_max = 25'000'000;
  // Bytes of all bodies that are being received or handled. Above it, requests with a body get 503.
  size_t body_memory_bytes = size_t{512} << 20;
  // Bodies that unpack to more than kDenseRatio times what was received share this for what is above; more get 503.
  // Measurements hardly come to that, bodies that are made to fill the memory do.
  static constexpr size_t kDenseRatio = 20;
  size_t dense_memory_bytes = size_t{64} << 20;
  // Bytes of all replies that are waiting to be taken by their clients. Above it, large ones become 503.
  size_t reply_memory_bytes = size_t{512} << 20;
  DecodeLimits decode;
  // From the first byte of a head to its end; then 408.
  std::chrono::milliseconds header_timeout{30'000};
  // A body that brings nothing for this long gets 408. A slow radio link brings little, but something.
  std::chrono::milliseconds body_stall{60'000};
  // While more than half of body_memory_bytes or connections_max is in use, a body must also have come at this rate on
  // average once the grace is over, so that many slow ones cannot keep others out; else 408.
  size_t body_bytes_per_second_min = 1024;
  std::chrono::milliseconds body_grace{10'000};
  // Between requests, and without progress while sending. More than a minute, which is how often many senders send.
  std::chrono::milliseconds idle_timeout{75'000};
  // Replies of at least this many bytes are compressed for clients that accept gzip.
  size_t gzip_reply_bytes_min = 1024;
  // Bodies and large replies are taken of it too, as requests; null: of none. Outlives the server.
  memory::Budget* memory = nullptr;
};

// Where a request runs.
enum class Lane : uint8_t {
  kInline,  // on the io thread: answers at once from memory
  kWrite,
  kRead,
  kQuery,  // on the io thread too, but goes on as a worker when it calls ThisThreadIsBusy (storage/base/lent_thread.h)
  kService,  // short, may take a lock: health, metrics, lists
};

struct Admission {
  Lane lane = Lane::kInline;
  // Bytes of body that this request may have; at most ServerOptions::body_bytes_max applies in any case.
  size_t body_bytes_max = 0;
  // Answers before the body is read.
  std::optional<Response> refusal;
};

// What the server serves. Thread-safe.
class Application {
 public:
  virtual ~Application() = default;
  // Called when the head has come, on an io thread: must not block. May change `head`, as a router does.
  virtual Admission Admit(Request* head) = 0;
  // Called with the body, decoded, on the lane that Admit chose.
  virtual Response Handle(Request* request) = 0;
  // Called before Handle with a short body that is not encoded, of a request of Lane::kWrite, on an io thread: must not
  // block. `answer` is taken when the request is.
  virtual Deferral Defer(Request* /*request*/, Answerer* /*answer*/) { return {}; }
  // Puts into an answer that does not come from Handle what each has: on the thread of Handle, for LateAnswer.
  virtual void Complete(const Request& request, Response* response) = 0;
  // The answer to a request that never reached Admit or whose body is refused. `text` says why.
  virtual Response Refuse(int status, std::string_view text, const Request* head) = 0;
};

struct Endpoint {
  std::string address;
  uint16_t port = 0;
  bool encrypted = false;
};

// What a server leaves open for the one that takes its place, in this process or in the program that replaces it.
// Whoever has it owns the descriptors.
struct Inheritance {
  // Those that listen, in the order of Listen and Adopt: who connects meanwhile waits in their queues.
  std::vector<int> listeners;
  // Plain connections between two requests. What their clients send meanwhile waits in the kernel, unread.
  std::vector<int> connections;
  // Since when nobody is accepted, on SystemClock::SteadyNs, which the programs of one boot share.
  int64_t paused_ns = 0;
  // Whether every request that had begun was answered within the time.
  bool all_finished = true;
};

// Counters since start, and gauges. Relaxed atomics.
struct ServerCounters {
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_refused{0};
  std::atomic<uint64_t> connections_open{0};
  std::atomic<uint64_t> connections_encrypted{0};  // of those, under TLS
  std::atomic<uint64_t> handshakes{0};             // of TLS
  std::atomic<uint64_t> handshakes_failed{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> received_bytes{0};
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<uint64_t> malformed{0};
  std::atomic<uint64_t> timeouts{0};
  std::atomic<uint64_t> overloaded{0};
  std::atomic<uint64_t> late_answers{0};  // sent at the deadline in place of the handler's
  std::atomic<uint64_t> body_bytes{0};    // of requests, held now, as received and unpacked
  std::atomic<uint64_t> dense_bytes{0};   // of those, what unpacked beyond kDenseRatio times what was received
  std::atomic<uint64_t> reply_bytes{0};   // of large replies, held now
};

// Thread-safe but for Listen and Start, which are called once each in that order.
class Server {
 public:
  // `application` outlives the server.
  Server(const ServerOptions& options, Application* application);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds an IPv4 or IPv6 address; port 0 takes a free one. Returns what was bound. kUnavailable when the address is
  // in use, kInvalidArgument when it is not an address, kIo otherwise. `tls`: what connections to it begin with; null:
  // plain HTTP.
  Result<Endpoint> Listen(const std::string& address, uint16_t port,
                          std::shared_ptr<const tls::ServerContext> tls = nullptr);
  // Serves a socket that listens already. kIo. The socket is the server's from then on.
  Result<Endpoint> Adopt(int descriptor, std::shared_ptr<const tls::ServerContext> tls = nullptr);
  // Serves a plain connection that another server has left between two requests. After Start. The descriptor is the
  // server's from then on.
  void Resume(int descriptor);
  // Begins to accept.
  void Start();
  // From the next request or deadline on: the limits of heads and bodies, the memory for bodies and replies, and the
  // timeouts. The other options stay.
  void SetLimits(const ServerOptions& wanted);
  // Accepts no more, lets requests that have begun finish, then closes. Returns whether all finished within `timeout`;
  // the others are cut. Idempotent.
  bool Drain(std::chrono::milliseconds timeout);
  // As Drain, for a server that another one follows: no request is lost whose bytes have reached this machine. For
  // kLastRepliesTime everything is served, and each reply over TLS is the last of its connection: what a connection
  // under TLS is at cannot be handed on. From then on every reply is the last of its connection, nobody is accepted,
  // and connections between two requests are set aside. Once, in place of Drain.
  Inheritance Leave(std::chrono::milliseconds timeout);
  static constexpr std::chrono::milliseconds kLastRepliesTime{1'000};

  // When the loop that is the furthest behind last came round to look at its connections, on SystemClock::SteadyNs.
  // Long ago, that is more than some seconds: the server hangs.
  [[nodiscard]] int64_t last_sweep_ns() const;
  [[nodiscard]] const ServerCounters& counters() const;
  [[nodiscard]] size_t queued_writes() const;
  [[nodiscard]] size_t queued_reads() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::http
