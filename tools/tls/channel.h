// Channel: one side of a TLS connection over a descriptor that does not block. It moves what can be moved now and says
// what to wait for, so that any event loop can drive it. It holds about 10 KB when idle; a stream of Boost.Asio's own
// holds four buffers of 17 KB for as long as it lives, which is why a server of many idle connections has this one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/tls/openssl_handles.h"
#include "tools/tls/wire.h"

namespace tidemark::tls {

// How many channels keep OpenSSL's buffers between records. Thread-safe.
class BufferKeepers {
 public:
  // Whether one more may.
  [[nodiscard]] bool Enter() {
    if (count_.fetch_add(1, std::memory_order_relaxed) < kMost) return true;
    Leave();
    return false;
  }
  void Leave() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  // 34 MB in all.
  static constexpr int kMost = 1000;
  std::atomic<int> count_{0};
};

// One thread at a time.
class Channel {
 public:
  // `ssl` is attached to `wire`.
  Channel(std::unique_ptr<Wire> wire, SslHandle ssl, std::shared_ptr<BufferKeepers> keepers)
      : wire_(std::move(wire)), ssl_(std::move(ssl)), keepers_(std::move(keepers)) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class Outcome : uint8_t {
    kDone,
    kWantsRead,   // again when the descriptor can be read
    kWantsWrite,  // again when it can be written
    kEnded,       // the peer has said that nothing follows
    kBroken,      // error() says why
  };
  struct Moved {
    Outcome outcome = Outcome::kBroken;
    size_t bytes = 0;  // with kDone: at least 1
  };

  // Goes on with the handshake; kDone when both sides know each other. Up to there records are received as a whole, as
  // long as by_records(): after kWantsRead missing() says how many bytes to wait for, 0 that there is no need to.
  [[nodiscard]] Outcome Handshake();
  [[nodiscard]] int missing() const { return wire_->Missing(); }
  [[nodiscard]] bool by_records() const { return wire_->by_records(); }
  void TakeAnyBytes() { wire_->TakeAnyBytes(); }
  // Reads up to the size of `into`, which is not empty, and about 256 KiB at most, lest others wait.
  [[nodiscard]] Moved Read(std::span<char> into);
  // The same, when the first `received` bytes of `into` came from the descriptor meanwhile: they are what follows
  // all that was read from it before, and what they say takes their place.
  [[nodiscard]] Moved ReadReceived(std::span<char> into, size_t received);
  // Sends from the beginning of `bytes`, which is not empty, about 256 KiB at most. After kWantsRead or kWantsWrite the
  // next call must begin with the same bytes, as many at least.
  [[nodiscard]] Moved Write(std::string_view bytes);
  // Gives back the buffers that a channel keeps from some records on. To be called when nothing has come for a while.
  void Rest();
  // Says to the peer that nothing follows, if that can be said now. After it nothing is written.
  void Close();

  // Whether bytes were received that Read gives without the descriptor being readable.
  [[nodiscard]] bool has_pending() const;
  [[nodiscard]] const std::string& error() const { return error_; }

  // Of a peer whose certificate was asked for, shown and found good: its alternative names (RFC 5280, 4.2.1.6), as
  // "dns:agent.example", "email:a@b.example", "uri:spiffe://x/y", "ip:192.0.2.1". Empty otherwise.
  [[nodiscard]] std::vector<std::string> PeerNames() const;
  // "TLSv1.3".
  [[nodiscard]] std::string_view version() const;

 private:
  [[nodiscard]] Outcome Judge(int code);
  // A read of few bytes is one of the many that make it worth keeping buffers.
  void CountSmallRead();
  // Repeats `once` as long as it is done, `more` says so and there is room in `size` bytes.
  template <typename Once, typename More>
  [[nodiscard]] Moved Repeat(size_t size, const Once& once, const More& more);

  std::unique_ptr<Wire> wire_;
  SslHandle ssl_;
  std::shared_ptr<BufferKeepers> keepers_;
  int small_reads_ = 0;  // since the last rest; kKeepsFrom: buffers are kept
  std::string error_;
  bool broken_ = false;
};

}  // namespace tidemark::tls
