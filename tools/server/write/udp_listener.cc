#include "tools/server/write/udp_listener.h"

#include <fmt/core.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/lineprotocol/parser.h"
#include "storage/base/log.h"
#include "tools/server/write/socket_address.h"

namespace tidemark::server {
namespace {

// Datagrams taken from the kernel in one call, and the largest there is.
constexpr size_t kDatagrams = 16;
constexpr size_t kDatagramBytes = 65'536;
// The kernel holds this much while a batch is written; more than that is lost, as UDP is.
constexpr int kReceiveBufferBytes = 8 << 20;
// Complaints about bad lines are logged this often at most.
constexpr int64_t kComplaintNs = 10'000'000'000;
// How soon a request to stop is seen.
constexpr int64_t kPollMs = 100;

}  // namespace

UdpListener::UdpListener(UdpConfig config, WriteService* service, const Clock* clock)
    : config_(std::move(config)), service_(service), clock_(clock) {}

UdpListener::~UdpListener() { Stop(); }

Status UdpListener::Bind() {
  TM_TRY_ASSIGN(const SocketAddress address, ParseSocketAddress(config_.listen));
  socket_ = ::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return IoError(fmt::format("UDP socket: {}", std::strerror(errno)));
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  if (::bind(socket_, address.get(), address.length) != 0) {
    const int code = errno;
    ::close(socket_);
    socket_ = -1;
    return MakeError(code == EADDRINUSE ? ErrorCode::kUnavailable : ErrorCode::kIo,
                     fmt::format("cannot listen on UDP {}: {}", config_.listen, std::strerror(code)));
  }
  return {};
}

Result<uint16_t> UdpListener::Start(int inherited) {
  TM_TRY_ASSIGN(const lineprotocol::Precision precision, lineprotocol::ParsePrecision(config_.precision));
  target_ = {.database = config_.database, .time_unit_ns = static_cast<int64_t>(precision)};
  socket_ = inherited;
  if (socket_ < 0) TM_RETURN_IF_ERROR(Bind());
  const uint16_t port = PortOf(socket_);
  thread_ = std::jthread([this](std::stop_token stop) { Receive(std::move(stop)); });
  return port;
}

void UdpListener::Join() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void UdpListener::Stop() {
  Join();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

int UdpListener::Leave() {
  Join();
  return std::exchange(socket_, -1);
}

// Bytes of datagrams behind each other, with the border of each, its sender and the time when it came.
class UdpListener::Batch {
 public:
  void Add(std::string_view bytes, const sockaddr_storage& from, int64_t now_ns) {
    entries_.push_back({bytes_.size(), bytes.size(), from, now_ns});
    bytes_ += bytes;
  }
  void Clear() {
    bytes_.clear();
    entries_.clear();
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Of the datagrams, and of what is kept beside them: many empty ones fill a batch too.
  [[nodiscard]] size_t bytes() const { return bytes_.size() + entries_.size() * sizeof(Entry); }

  // Views into the batch and into `senders`.
  [[nodiscard]] std::vector<Datagram> Datagrams(std::vector<std::string>* senders) const {
    senders->clear();
    for (const Entry& entry : entries_) senders->push_back(TextOf(entry.from));
    std::vector<Datagram> out;
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      out.push_back(
          {std::string_view(bytes_).substr(entry.begin, entry.size), (*senders)[i], model::Timestamp{entry.now_ns}});
    }
    return out;
  }

 private:
  struct Entry {
    size_t begin;
    size_t size;
    sockaddr_storage from;
    int64_t now_ns;
  };

  std::string bytes_;
  std::vector<Entry> entries_;
};

void UdpListener::Receive(std::stop_token stop) {
  const auto memory = std::make_unique_for_overwrite<char[]>(kDatagrams * kDatagramBytes);
  std::array<iovec, kDatagrams> buffers{};
  std::array<sockaddr_storage, kDatagrams> senders{};
  std::array<mmsghdr, kDatagrams> messages{};
  for (size_t i = 0; i < kDatagrams; ++i) {
    buffers[i] = {memory.get() + i * kDatagramBytes, kDatagramBytes};
    messages[i].msg_hdr.msg_iov = &buffers[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &senders[i];
  }
  Batch batch;
  int64_t began_ns = 0;  // when the first of the batch came
  for (;;) {
    const bool stopping = stop.stop_requested();
    CountDropped();
    const int64_t age_ms = (clock_->SteadyNs() - began_ns) / 1'000'000;
    if (!batch.empty() && (stopping || age_ms >= config_.batch_ms || batch.bytes() >= config_.batch_bytes)) {
      Flush(&batch);
    }
    // An interval may be longer than a poll can wait.
    int64_t wait_ms = stopping ? 0 : kPollMs;
    if (!batch.empty()) wait_ms = std::min(wait_ms, config_.batch_ms - age_ms);
    pollfd ready{socket_, POLLIN, 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(wait_ms));
    if (polled <= 0) {
      if (stopping) break;
      continue;
    }
    for (mmsghdr& message : messages) message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    const int got = ::recvmmsg(socket_, messages.data(), kDatagrams, MSG_DONTWAIT, nullptr);
    if (got <= 0) continue;
    if (batch.empty()) began_ns = clock_->SteadyNs();
    const int64_t now_ns = clock_->NowNs();
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
      batch.Add({memory.get() + i * kDatagramBytes, messages[i].msg_len}, senders[i], now_ns);
      counters_.bytes.fetch_add(messages[i].msg_len, std::memory_order_relaxed);
    }
    counters_.datagrams.fetch_add(static_cast<uint64_t>(got), std::memory_order_relaxed);
  }
  if (!batch.empty()) Flush(&batch);
}

void UdpListener::CountDropped() {
  std::array<uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t length = sizeof(memory);
  if (::getsockopt(socket_, SOL_SOCKET, SO_MEMINFO, memory.data(), &length) != 0) return;
  const uint32_t dropped = memory[SK_MEMINFO_DROPS] - std::exchange(dropped_before_, memory[SK_MEMINFO_DROPS]);
  if (dropped == 0) return;
  counters_.dropped.fetch_add(dropped, std::memory_order_relaxed);
  Complain(fmt::format("{} datagrams came faster than they could be written, and are lost", dropped));
}

void UdpListener::Flush(Batch* batch) {
  std::string problem;
  std::vector<std::string> senders;
  const Result<model::WriteReport> written =
      service_->TakeDatagrams(DatagramProtocols().front(), target_, batch->Datagrams(&senders), &problem);
  batch->Clear();
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  if (!written.ok()) {
    counters_.failed_batches.fetch_add(1, std::memory_order_relaxed);
    counters_.failed_datagrams.fetch_add(senders.size(), std::memory_order_relaxed);
    problem = written.error().message;
  }
  if (!problem.empty()) Complain(problem);
}

void UdpListener::Complain(const std::string& problem) {
  const int64_t now = clock_->SteadyNs();
  if (last_complaint_ns_ != 0 && now - last_complaint_ns_ < kComplaintNs) {
    ++complaints_withheld_;
    return;
  }
  TM_LOG(kWarn, "UDP {}: {} ({} earlier complaints not shown)", config_.listen,
         problem.substr(0, std::min<size_t>(problem.find('\n'), 500)), complaints_withheld_);
  last_complaint_ns_ = now;
  complaints_withheld_ = 0;
}

}  // namespace tidemark::server
