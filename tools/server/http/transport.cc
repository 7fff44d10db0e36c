#include "tools/server/http/transport.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A record of TLS holds so much (RFC 8446, 5.1). A head and a short body go into one.
constexpr size_t kRecordBytes = size_t{16} << 10;

}  // namespace

std::string Transport::PeerAddress() const {
  error_code error;
  const auto peer = socket_.remote_endpoint(error);
  return error ? std::string() : fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

void Transport::Configure() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

error_code Transport::ErrorOf(tls::Channel::Outcome outcome) {
  switch (outcome) {
    case tls::Channel::Outcome::kEnded: return asio::error::eof;
    case tls::Channel::Outcome::kBroken: return asio::error::connection_reset;
    default: return {};
  }
}

bool Transport::PeerGone() {
  char byte;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Transport::BeginsInClear() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 1 && byte >= 'A' && byte <= 'Z';
}

tls::Channel::Outcome Transport::HandshakeStep() {
  MutexLock lock(closing_mutex_);
  return closed_ ? tls::Channel::Outcome::kBroken : channel_->Handshake();
}

void Transport::WakeFrom(int bytes) {
  if (bytes == wakes_from_) return;
  wakes_from_ = bytes;
  // Without it whoever waits wakes more often than there is something to do.
  static_cast<void>(::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes));
}

bool Transport::HasInput() {
  MutexLock lock(closing_mutex_);
  if (closed_) return false;
  if (channel_ != nullptr && channel_->has_pending()) return true;
  char byte;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

tls::Channel::Moved Transport::WriteParts(const Parts& parts) {
  if (parts[0].empty()) return channel_->Write(parts[1]);
  if (parts[1].empty() || parts[0].size() >= kRecordBytes) return channel_->Write(parts[0]);
  std::array<char, kRecordBytes> record;
  char* const end = std::copy(parts[0].begin(), parts[0].end(), record.data());
  const std::string_view rest = parts[1].substr(0, kRecordBytes - parts[0].size());
  std::copy(rest.begin(), rest.end(), end);
  return channel_->Write({record.data(), parts[0].size() + rest.size()});
}

size_t Transport::SendNow(const Parts& parts) {
  MutexLock lock(closing_mutex_);
  if (closed_) return 0;
  if (channel_ != nullptr) {
    const tls::Channel::Moved moved = WriteParts(parts);
    return moved.outcome == tls::Channel::Outcome::kDone ? moved.bytes : 0;
  }
  std::array<iovec, 2> pieces;
  for (size_t i = 0; i < parts.size(); ++i) {
    // sendmsg only reads, but has no type that says so.
    pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

void Transport::Cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::ShutdownSend() {
  if (channel_ != nullptr) channel_->Close();
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

int Transport::Release() {
  MutexLock lock(closing_mutex_);
  if (closed_) return -1;
  closed_ = true;
  error_code error;
  const int descriptor = socket_.release(error);
  return error ? -1 : descriptor;
}

void Transport::Close() {
  MutexLock lock(closing_mutex_);
  if (closed_) return;
  closed_ = true;
  if (channel_ != nullptr) channel_->Close();
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace tidemark::http
