#include "tools/server/write/native_listener.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "ingest/native/decoder.h"
#include "ingest/native/frame.h"
#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "tools/server/write/native_socket.h"
#include "tools/server/write/socket_address.h"
#include "tools/tls/handshake_log.h"

namespace tidemark::server {
namespace {

// How soon a request to stop is seen.
constexpr int kPollMs = 100;
// Read in pieces: a length that a sender only says costs no memory.
constexpr size_t kPieceBytes = size_t{256} << 10;
// Between two tries of a batch for which there was no room: at first, and at last. Each try reads the batch anew, which
// is work that a busy server should not do often.
constexpr int64_t kRoomPollMs = 20;
constexpr int64_t kRoomPollMaxMs = 320;

// When the same may be sent again; 0: at once, or never.
uint32_t RetryAfterMs(const WriteOutcome& outcome) {
  constexpr uint32_t kSecondMs = 1'000;
  if (outcome.retry_s > 0) return static_cast<uint32_t>(std::min<int64_t>(outcome.retry_s, 86'400)) * kSecondMs;
  return outcome.status == 503 ? kSecondMs : 0;
}

int64_t NowMs() { return SystemClock::Get().SteadyNs() / 1'000'000; }

}  // namespace

// One sender, on a thread of its own.
class NativeListener::Connection {
 public:
  Connection(NativeListener* owner, int socket, std::unique_ptr<tls::Channel> channel, std::string peer)
      : owner_(*owner), socket_(socket, std::move(channel)), peer_(std::move(peer)) {
    thread_ = std::jthread([this](std::stop_token stop) {
      Serve(stop);
      done_.store(true, std::memory_order_release);
    });
  }
  ~Connection() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool done() const { return done_.load(std::memory_order_acquire); }
  void AskToStop() { thread_.request_stop(); }

 private:
  void Serve(const std::stop_token& stop) {
    if (!Handshake(stop)) return;
    std::string_view frame;
    std::optional<native::FrameKind> kind = ReadFrame(stop, owner_.options_.hello_ms, &frame);
    if (!kind) return;
    if (*kind != native::FrameKind::kHello || !Greet(frame)) return;
    while ((kind = ReadFrame(stop, owner_.options_.idle_ms, &frame))) {
      if (*kind != native::FrameKind::kBatch) {
        Refuse(0, 400, "a frame that is no batch");
        return;
      }
      owner_.counters_.batches.fetch_add(1, std::memory_order_relaxed);
      owner_.counters_.bytes.fetch_add(frame.size(), std::memory_order_relaxed);
      if (!Take(frame, stop)) return;
    }
  }

  // Whether both sides know each other, in the time that a hello has. At once when plain.
  bool Handshake(const std::stop_token& stop) {
    const int64_t until_ms = NowMs() + owner_.options_.hello_ms;
    for (;;) {
      const NativeSocket::Outcome outcome = socket_.Handshake();
      if (outcome == NativeSocket::Outcome::kDone) return true;
      if (outcome == NativeSocket::Outcome::kEnded || NowMs() >= until_ms || stop.stop_requested()) {
        owner_.counters_.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
        const bool ended = outcome == NativeSocket::Outcome::kEnded;
        tls::LogFailedHandshake(peer_, !ended                    ? "it took too long"
                                       : socket_.error().empty() ? "the sender has gone"
                                                                 : socket_.error());
        return false;
      }
      socket_.Wait(kPollMs);
    }
  }

  // Whether the sender may go on.
  bool Greet(std::string_view frame) {
    const Result<native::Hello> hello = native::ReadHello(frame);
    if (!hello.ok()) return Refuse(0, 400, hello.error().message);
    caller_ = owner_.options_.admit ? owner_.options_.admit(hello->token) : http::Everyone();
    if (caller_ == nullptr) return Refuse(0, 401, "a token is needed that this server knows");
    database_ = hello->database.empty() ? owner_.config_.database : hello->database;
    sender_ = fmt::format("{} ({})", caller_->name(), peer_);
    return Reply(0, {});
  }

  bool Take(std::string_view frame, const std::stop_token& stop) {
    const Result<native::Envelope> envelope = native::ReadEnvelope(frame);
    // Nothing says where in it the next batch would begin, but the length did.
    if (!envelope.ok()) return Reply(0, {.status = 400, .text = envelope.error().message});
    const std::string database = envelope->database.empty() ? database_ : std::string(envelope->database);
    if (caller_->revoked()) return Refuse(envelope->sequence, 401, "the token is no longer good");
    if (!caller_->May(http::Access::kWrite, database)) {
      return Reply(envelope->sequence, {.status = 403,
                                        .text = fmt::format("\"{}\" has no right to write to the database \"{}\"",
                                                            caller_->name(), database)});
    }
    const WriteMessage message{.source = "native over TCP",
                               .sender = sender_,
                               .caller = caller_.get(),
                               .write_id = envelope->write_id,
                               .connection = &series_,
                               .bytes = frame};
    const int64_t until_ms = NowMs() + owner_.options_.wait_for_room_ms;
    WriteOutcome outcome = owner_.service_->TakeMessage(&native::MakeDecoder, {.database = database}, message);
    // Its window fills meanwhile, which slows the sender down.
    if (outcome.status == 503) owner_.counters_.waits.fetch_add(1, std::memory_order_relaxed);
    for (int64_t pause_ms = kRoomPollMs; outcome.status == 503 && NowMs() < until_ms && !stop.stop_requested();
         pause_ms = std::min(2 * pause_ms, kRoomPollMaxMs)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
      outcome = owner_.service_->TakeMessage(&native::MakeDecoder, {.database = database}, message);
    }
    return Reply(envelope->sequence, outcome);
  }

  // Says why and ends the connection: false.
  bool Refuse(uint64_t sequence, int status, std::string text) {
    static_cast<void>(Reply(sequence, {.status = status, .text = std::move(text)}));
    return false;
  }

  bool Reply(uint64_t sequence, const WriteOutcome& outcome) {
    const std::string bytes = native::WriteReply({.sequence = sequence,
                                                  .status = outcome.status,
                                                  .rows_refused = outcome.rows_refused,
                                                  .retry_after_ms = RetryAfterMs(outcome),
                                                  .error = outcome.text,
                                                  .faults = outcome.faults});
    return SendAll(bytes);
  }

  bool SendAll(std::string_view bytes) {
    const int64_t until_ms = NowMs() + owner_.options_.hello_ms;
    while (!bytes.empty()) {
      const NativeSocket::Moved sent = socket_.Write(bytes);
      if (sent.outcome == NativeSocket::Outcome::kDone) {
        bytes.remove_prefix(sent.bytes);
        continue;
      }
      if (sent.outcome == NativeSocket::Outcome::kEnded || NowMs() >= until_ms) return false;
      socket_.Wait(kPollMs);
    }
    return true;
  }

  // A whole frame; nothing when the sender has gone, was silent for too long, or is told what was wrong with it.
  // Between two frames a request to stop ends the connection.
  std::optional<native::FrameKind> ReadFrame(const std::stop_token& stop, int64_t idle_ms, std::string_view* frame) {
    char head[native::kFrameHeadBytes];
    if (!ReadAll(head, sizeof(head), idle_ms, &stop)) return std::nullopt;
    const native::FrameHead parsed = native::ReadFrameHead(head);
    if (parsed.size > owner_.options_.frame_bytes_max) {
      Refuse(
          0, 413,
          fmt::format("a frame of {} bytes, more than the limit of {}", parsed.size, owner_.options_.frame_bytes_max));
      return std::nullopt;
    }
    for (size_t got = 0; got < parsed.size;) {
      const size_t piece = std::min<size_t>(parsed.size - got, std::max(kPieceBytes, got));
      // In words, so that the message lies at an address that suits it.
      if (buffer_.size() * sizeof(uint64_t) < got + piece) buffer_.resize((got + piece + 7) / sizeof(uint64_t));
      if (!ReadAll(reinterpret_cast<char*>(buffer_.data()) + got, piece, owner_.options_.hello_ms, nullptr)) {
        return std::nullopt;
      }
      got += piece;
    }
    *frame = {reinterpret_cast<const char*>(buffer_.data()), parsed.size};
    return parsed.kind;
  }

  // `silence_ms`: without a byte. `stop` counts before the first byte.
  bool ReadAll(char* into, size_t size, int64_t silence_ms, const std::stop_token* stop) {
    int64_t until_ms = NowMs() + silence_ms;
    for (size_t got = 0; got < size;) {
      const NativeSocket::Moved read = socket_.Read({into + got, size - got});
      if (read.outcome == NativeSocket::Outcome::kDone) {
        got += read.bytes;
        until_ms = NowMs() + silence_ms;
        continue;
      }
      if (read.outcome == NativeSocket::Outcome::kEnded) return false;
      if (NowMs() >= until_ms || (stop != nullptr && got == 0 && stop->stop_requested())) return false;
      socket_.Wait(kPollMs);
    }
    return true;
  }

  NativeListener& owner_;
  NativeSocket socket_;
  const std::string peer_;
  std::shared_ptr<const http::Caller> caller_;
  std::string sender_;
  std::string database_;
  native::SeriesDictionary series_;
  std::vector<uint64_t> buffer_;
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

NativeListener::NativeListener(NativeConfig config, NativeListenerOptions options, WriteService* service)
    : config_(std::move(config)), options_(std::move(options)), service_(service) {}

NativeListener::~NativeListener() { Stop(); }

Status NativeListener::Bind() {
  TM_TRY_ASSIGN(const SocketAddress address, ParseSocketAddress(config_.listen));
  socket_ = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return IoError(fmt::format("TCP socket: {}", std::strerror(errno)));
  const int on = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket_, address.get(), address.length) != 0 || ::listen(socket_, 128) != 0) {
    const int code = errno;
    ::close(std::exchange(socket_, -1));
    return MakeError(code == EADDRINUSE ? ErrorCode::kUnavailable : ErrorCode::kIo,
                     fmt::format("cannot listen on TCP {}: {}", config_.listen, std::strerror(code)));
  }
  return {};
}

Result<uint16_t> NativeListener::Start(int inherited) {
  socket_ = inherited;
  if (socket_ < 0) TM_RETURN_IF_ERROR(Bind());
  // Of a supervisor's it may be otherwise, and accept4 would keep the thread from its end.
  ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
  const uint16_t port = PortOf(socket_);
  thread_ = std::jthread([this](std::stop_token stop) { Accept(std::move(stop)); });
  return port;
}

void NativeListener::Accept(std::stop_token stop) {
  while (!stop.stop_requested()) {
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, kPollMs);
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const int socket = ::accept4(socket_, reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    MutexLock lock(mutex_);
    Reap();
    if (socket < 0) continue;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connections_.size() >= config_.connections_max) {
      RefuseConnection(socket);
      continue;
    }
    std::unique_ptr<tls::Channel> channel;
    if (config_.encrypted) {
      Result<std::unique_ptr<tls::Channel>> opened = options_.tls->Open(socket);
      if (!opened.ok()) {
        TM_LOG(kError, "native batches: {}", opened.error().message);
        ::close(socket);
        continue;
      }
      channel = std::move(opened).value();
    }
    counters_.connections.fetch_add(1, std::memory_order_relaxed);
    connections_.push_back(std::make_unique<Connection>(this, socket, std::move(channel), TextOf(from)));
  }
}

void NativeListener::RefuseConnection(int socket) {
  counters_.connections_refused.fetch_add(1, std::memory_order_relaxed);
  // Under TLS a word would need a handshake, which is work.
  if (!config_.encrypted) {
    const std::string reply = native::WriteReply(
        {.status = 503, .retry_after_ms = 1'000, .error = "too many connections for native batches; try again"});
    // As much as fits at once: nobody waits for a stranger.
    static_cast<void>(::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL));
  }
  ::close(socket);
}

void NativeListener::Reap() {
  connections_.remove_if([](const auto& connection) { return connection->done(); });
}

void NativeListener::Stop() {
  if (const int socket = Leave(); socket >= 0) ::close(socket);
}

int NativeListener::Leave() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  MutexLock lock(mutex_);
  for (const auto& connection : connections_) connection->AskToStop();
  connections_.clear();
  return std::exchange(socket_, -1);
}

size_t NativeListener::connections_now() const {
  MutexLock lock(mutex_);
  return static_cast<size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](const auto& each) { return !each->done(); }));
}

}  // namespace tidemark::server
