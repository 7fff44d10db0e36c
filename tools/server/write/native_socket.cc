#include "tools/server/write/native_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace tidemark::server {

NativeSocket::~NativeSocket() {
  if (channel_) channel_->Close();
  channel_.reset();
  ::close(descriptor_);
}

NativeSocket::Moved NativeSocket::Judge(tls::Channel::Moved moved) {
  switch (moved.outcome) {
    case tls::Channel::Outcome::kDone: return {Outcome::kDone, moved.bytes};
    case tls::Channel::Outcome::kWantsRead: waits_for_ = POLLIN; return {Outcome::kWaits};
    case tls::Channel::Outcome::kWantsWrite: waits_for_ = POLLOUT; return {Outcome::kWaits};
    case tls::Channel::Outcome::kEnded:
    case tls::Channel::Outcome::kBroken: return {Outcome::kEnded};
  }
  return {Outcome::kEnded};
}

NativeSocket::Moved NativeSocket::JudgePlain(ptrdiff_t count, short wanted) {
  if (count > 0) return {Outcome::kDone, static_cast<size_t>(count)};
  if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return {Outcome::kEnded};
  waits_for_ = wanted;
  return {Outcome::kWaits};
}

NativeSocket::Outcome NativeSocket::Handshake() {
  return channel_ ? Judge({channel_->Handshake(), 0}).outcome : Outcome::kDone;
}

NativeSocket::Moved NativeSocket::Read(std::span<char> into) {
  if (channel_) return Judge(channel_->Read(into));
  return JudgePlain(::recv(descriptor_, into.data(), into.size(), 0), POLLIN);
}

NativeSocket::Moved NativeSocket::Write(std::string_view bytes) {
  if (channel_) return Judge(channel_->Write(bytes));
  return JudgePlain(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), POLLOUT);
}

void NativeSocket::Wait(int most_ms) const {
  pollfd wait{.fd = descriptor_, .events = waits_for_, .revents = 0};
  ::poll(&wait, 1, most_ms);
}

}  // namespace tidemark::server
