// NativeSocket: the connection of a sender of native batches, plain or under TLS. What can be moved now is moved; Wait
// waits for the rest. Internal to the listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tools/tls/channel.h"

namespace tidemark::server {

// One thread at a time.
class NativeSocket {
 public:
  enum class Outcome : uint8_t {
    kDone,
    kWaits,  // again behind Wait, a write with the same bytes
    kEnded,  // by the peer, or by an error
  };
  struct Moved {
    Outcome outcome = Outcome::kEnded;
    size_t bytes = 0;  // with kDone: at least 1
  };

  // Takes `descriptor`, which does not block. `channel` is its TLS; null: plain.
  NativeSocket(int descriptor, std::unique_ptr<tls::Channel> channel)
      : descriptor_(descriptor), channel_(std::move(channel)) {}
  // Closes it.
  ~NativeSocket();
  NativeSocket(const NativeSocket&) = delete;
  NativeSocket& operator=(const NativeSocket&) = delete;

  // Goes on with the handshake; kDone at once when plain.
  [[nodiscard]] Outcome Handshake();
  // Up to the size of `into`, which is not empty.
  [[nodiscard]] Moved Read(std::span<char> into);
  // From the beginning of `bytes`, which is not empty.
  [[nodiscard]] Moved Write(std::string_view bytes);
  // For what the last call waited for, `most_ms` at most.
  void Wait(int most_ms) const;

  // Why a handshake broke; "" for none.
  [[nodiscard]] std::string_view error() const { return channel_ ? std::string_view(channel_->error()) : ""; }

 private:
  [[nodiscard]] Moved Judge(tls::Channel::Moved moved);
  // Of a call of the socket itself, which moved `count` bytes; below 0: errno says why it did not.
  [[nodiscard]] Moved JudgePlain(ptrdiff_t count, short wanted);

  const int descriptor_;
  std::unique_ptr<tls::Channel> channel_;
  short waits_for_ = 0;  // of poll
};

}  // namespace tidemark::server
