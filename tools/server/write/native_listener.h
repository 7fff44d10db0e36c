// NativeListener: native batches over TCP, for senders that write all the time: each series is named once for a
// connection, and a batch costs no header. Frames and their meaning: ingest/native/README.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "tools/server/http/caller.h"
#include "tools/server/write/write_service.h"
#include "tools/tls/server_context.h"

namespace tidemark::server {

// One address for native batches.
struct NativeConfig {
  std::string listen = "127.0.0.1:8087";
  std::string database = "";  // where batches go that name none, nor has the hello; "": "default"
  // Connections at once, each with a thread that mostly waits; one more is told so and closed.
  uint32_t connections_max = 64;
  bool encrypted = false;  // speaks TLS, with the files of the server
};

struct NativeListenerOptions {
  uint64_t frame_bytes_max = uint64_t{25} << 20;
  // How long a connection may stay without a byte, and its hello may take.
  int64_t idle_ms = 300'000;
  int64_t hello_ms = 10'000;
  // How long a batch is held, and its sender with it, while the server has no room for it; then it gets 503.
  int64_t wait_for_room_ms = 5'000;
  // Who shows a token ("" for none); null: nobody whom this server lets in.
  std::function<std::shared_ptr<const http::Caller>(std::string_view token)> admit = {};
  // Of a listener whose configuration says `encrypted`; null otherwise.
  std::shared_ptr<const tls::ServerContext> tls = {};
};

struct NativeCounters {
  std::atomic<uint64_t> connections{0};  // since the start
  std::atomic<uint64_t> connections_refused{0};
  std::atomic<uint64_t> handshakes_failed{0};  // of TLS
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> waits{0};  // batches that were held for want of room
};

// Start and Stop from one thread; counters from any.
class NativeListener {
 public:
  // `service` outlives it.
  NativeListener(NativeConfig config, NativeListenerOptions options, WriteService* service);
  ~NativeListener();

  // Binds and begins to accept. Returns the port. `inherited`: a listening socket to take in place of one of its own,
  // and its own from then on; -1: none. kInvalidArgument, kUnavailable, kIo.
  Result<uint16_t> Start(int inherited = -1);
  // Accepts no more; connections get the answer to the batch that is being written, and are closed.
  void Stop();
  // As Stop, but leaves the listening socket to the caller, in which the kernel keeps who connects. -1: there is none.
  [[nodiscard]] int Leave();

  [[nodiscard]] const NativeConfig& config() const { return config_; }
  [[nodiscard]] const NativeCounters& counters() const { return counters_; }
  [[nodiscard]] size_t connections_now() const;

 private:
  class Connection;

  // Makes socket_. Errors as of Start.
  Status Bind();
  void Accept(std::stop_token stop);
  // Closes a connection that is one too many.
  void RefuseConnection(int socket);
  void Reap() TM_REQUIRES(mutex_);

  const NativeConfig config_;
  const NativeListenerOptions options_;
  WriteService* const service_;
  NativeCounters counters_;
  int socket_ = -1;
  mutable Mutex mutex_;
  std::list<std::unique_ptr<Connection>> connections_ TM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace tidemark::server
