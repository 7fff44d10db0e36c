#include "tools/server/write/udp_listener.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "ingest/lineprotocol/parser.h"
#include "storage/base/log.h"
#include "tools/server/http/endpoint.h"

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
constexpr int kPollMs = 100;

}  // namespace

UdpListener::UdpListener(UdpConfig config, WriteService* service, const Clock* clock)
    : config_(std::move(config)), service_(service), clock_(clock) {}

UdpListener::~UdpListener() { Stop(); }

Result<uint16_t> UdpListener::Start() {
  TM_TRY_ASSIGN(const http::Endpoint endpoint, http::ParseEndpoint(config_.listen));
  TM_TRY_ASSIGN(const lineprotocol::Precision precision, lineprotocol::ParsePrecision(config_.precision));
  target_ = {.database = config_.database, .time_unit_ns = static_cast<int64_t>(precision)};
  sockaddr_storage address{};
  socklen_t length = 0;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    length = sizeof(*v4);
  } else if (::inet_pton(AF_INET6, endpoint.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    length = sizeof(*v6);
  } else {
    return InvalidArgument(fmt::format("\"{}\" is not an IP address", endpoint.address));
  }
  socket_ = ::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return IoError(fmt::format("UDP socket: {}", std::strerror(errno)));
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    const int code = errno;
    ::close(socket_);
    socket_ = -1;
    return MakeError(code == EADDRINUSE ? ErrorCode::kUnavailable : ErrorCode::kIo,
                     fmt::format("cannot listen on UDP {}: {}", config_.listen, std::strerror(code)));
  }
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
  const uint16_t port = ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
  thread_ = std::jthread([this](std::stop_token stop) { Receive(std::move(stop)); });
  return port;
}

void UdpListener::Stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void UdpListener::Receive(std::stop_token stop) {
  const auto memory = std::make_unique_for_overwrite<char[]>(kDatagrams * kDatagramBytes);
  std::array<iovec, kDatagrams> buffers{};
  std::array<mmsghdr, kDatagrams> messages{};
  for (size_t i = 0; i < kDatagrams; ++i) {
    buffers[i] = {memory.get() + i * kDatagramBytes, kDatagramBytes};
    messages[i].msg_hdr.msg_iov = &buffers[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::string batch;
  int64_t flush_at_ns = 0;
  const int64_t interval_ns = config_.batch_ms * 1'000'000;
  for (;;) {
    const bool stopping = stop.stop_requested();
    const int64_t now = clock_->SteadyNs();
    if (!batch.empty() && (stopping || now >= flush_at_ns || batch.size() >= config_.batch_bytes)) Flush(&batch);
    int wait_ms = stopping ? 0 : kPollMs;
    if (!batch.empty()) wait_ms = std::min<int>(wait_ms, static_cast<int>((flush_at_ns - now) / 1'000'000 + 1));
    pollfd ready{socket_, POLLIN, 0};
    const int polled = ::poll(&ready, 1, wait_ms);
    if (polled <= 0) {
      if (stopping) break;
      continue;
    }
    const int got = ::recvmmsg(socket_, messages.data(), kDatagrams, MSG_DONTWAIT, nullptr);
    if (got <= 0) continue;
    if (batch.empty()) flush_at_ns = clock_->SteadyNs() + interval_ns;
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
      batch.append(memory.get() + i * kDatagramBytes, messages[i].msg_len);
      if (!batch.empty() && batch.back() != '\n') batch += '\n';
      counters_.bytes.fetch_add(messages[i].msg_len, std::memory_order_relaxed);
    }
    counters_.datagrams.fetch_add(static_cast<uint64_t>(got), std::memory_order_relaxed);
  }
  if (!batch.empty()) Flush(&batch);
}

void UdpListener::Flush(std::string* batch) {
  std::string problem;
  const Result<model::WriteReport> written =
      service_->TakeDatagrams(DatagramProtocols().front(), target_, *batch, &problem);
  batch->clear();
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  if (!written.ok()) {
    counters_.failed_batches.fetch_add(1, std::memory_order_relaxed);
    problem = written.error().message;
  }
  if (problem.empty()) return;
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
