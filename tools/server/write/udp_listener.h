// UdpListener: line protocol over UDP, as collectd's write_influxdb_udp and Telegraf send it. Datagrams are gathered
// and written in batches; bad lines are counted and the first of a time is logged.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "storage/base/result.h"
#include "tools/server/write/write_service.h"

namespace tidemark::server {

// One socket for line protocol over UDP.
struct UdpConfig {
  std::string listen = "127.0.0.1:8089";
  std::string database = "default";
  std::string precision = "ns";
  // A batch is written when it has this many bytes or is this old.
  uint64_t batch_bytes = uint64_t{1} << 20;
  int64_t batch_ms = 1000;
};

struct UdpCounters {
  std::atomic<uint64_t> datagrams{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> failed_batches{0};
  std::atomic<uint64_t> failed_datagrams{0};  // of those batches
  std::atomic<uint64_t> dropped{0};  // datagrams for which the kernel had no room, since they were not taken in time
};

// Start and Stop from one thread; counters from any.
class UdpListener {
 public:
  // `service` and `clock` outlive it.
  UdpListener(UdpConfig config, WriteService* service, const Clock* clock);
  ~UdpListener();

  // Binds and begins to receive. Returns the port. kInvalidArgument, kUnavailable, kIo. `inherited`: a socket that is
  // bound already, in place of one of its own, and its own from then on; -1: none.
  Result<uint16_t> Start(int inherited = -1);
  // Writes what has been received and ends.
  void Stop();
  // As Stop, but leaves the socket to the caller, in which the kernel gathers what comes. -1: there is none.
  [[nodiscard]] int Leave();

  [[nodiscard]] const UdpConfig& config() const { return config_; }
  [[nodiscard]] const UdpCounters& counters() const { return counters_; }

 private:
  // What has come and is not written yet.
  class Batch;

  // Makes socket_. Errors as of Start.
  Status Bind();
  void Join();
  void Receive(std::stop_token stop);
  // To the log, not too often.
  void Complain(const std::string& problem);
  // Counts what the kernel has dropped since the last time.
  void CountDropped();
  void Flush(Batch* batch);

  const UdpConfig config_;
  WriteService* const service_;
  const Clock* const clock_;
  WriteTarget target_;
  int socket_ = -1;
  uint32_t dropped_before_ = 0;  // as the kernel counts, which begins anew after 2^32
  int64_t last_complaint_ns_ = 0;
  uint64_t complaints_withheld_ = 0;
  UdpCounters counters_;
  std::jthread thread_;
};

}  // namespace tidemark::server
