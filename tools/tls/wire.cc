#include "tools/tls/wire.h"

#include <openssl/bio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tidemark::tls {
namespace {

constexpr int kHeadBytes = 5;
// What a record holds at most, encrypted, and its head (RFC 5246, 6.2.3). One that says it is larger is refused by its
// head.
constexpr int kMostBytes = kHeadBytes + (16 << 10) + 2048;
// Of records: what else begins so is none, and refused by its first byte.
constexpr unsigned char kFirstType = 20;
constexpr unsigned char kLastType = 24;

bool IsForNow(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int ReadWire(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const int got = static_cast<Wire*>(BIO_get_data(bio))->Receive(into, size);
  if (got < 0 && IsForNow(errno)) BIO_set_retry_read(bio);
  // SSL_get_error tells an end without a word by this flag (OpenSSL's bss_sock.c).
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return got;
}

int WriteWire(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const int sent = static_cast<const Wire*>(BIO_get_data(bio))->Send(bytes, size);
  if (sent < 0 && IsForNow(errno)) BIO_set_retry_write(bio);
  return sent;
}

// Nothing is held back, so that a flush is always done; of what else may be asked a wire knows nothing.
long ControlWire(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default: return 0;
  }
}

// Made once, and needed until the process ends.
const BIO_METHOD* WireMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tidemark wire");
    if (made == nullptr) return made;
    BIO_meth_set_read(made, &ReadWire);
    BIO_meth_set_write(made, &WriteWire);
    BIO_meth_set_ctrl(made, &ControlWire);
    return made;
  }();
  return method;
}

}  // namespace

bool Wire::Attach(SSL* ssl) {
  const BIO_METHOD* const method = WireMethod();
  BIO* const bio = method != nullptr ? BIO_new(method) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // owns it
  return true;
}

void Wire::Give(std::span<const char> bytes) {
  Keep();
  given_ = bytes;
}

void Wire::Keep() {
  kept_.append(given_.data(), given_.size());
  given_ = {};
}

int Wire::Receive(char* into, int size) {
  if (size <= 0) return 0;
  const auto room = static_cast<size_t>(size);
  if (!kept_.empty()) {
    const size_t count = std::min(room, kept_.size());
    std::memcpy(into, kept_.data(), count);
    kept_.erase(0, count);
    if (kept_.empty()) kept_ = std::string();  // an idle connection keeps no memory for this
    return static_cast<int>(count);
  }
  if (!given_.empty()) {
    const size_t count = std::min(room, given_.size());
    std::memcpy(into, given_.data(), count);
    given_ = given_.subspan(count);
    Keep();
    return static_cast<int>(count);
  }
  if (by_records_ && left_of_record_ == 0) {
    const int found = LookAtRecord();
    if (found < 0) {
      errno = EAGAIN;
      return -1;
    }
    left_of_record_ = found;
    by_records_ = found > 0;
  }
  const size_t most = by_records_ ? std::min(room, static_cast<size_t>(left_of_record_)) : room;
  const ssize_t got = ::recv(descriptor_, into, most, 0);
  if (by_records_ && got > 0) left_of_record_ -= static_cast<int>(got);
  return static_cast<int>(got);
}

int Wire::Missing() const {
  if (!by_records_ || left_of_record_ > 0 || !empty()) return 0;
  return std::max(0, -LookAtRecord());
}

int Wire::LookAtRecord() const {
  std::array<unsigned char, kHeadBytes> head;
  const ssize_t got = ::recv(descriptor_, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && !IsForNow(errno))) return 0;
  if (got > 0 && (head[0] < kFirstType || head[0] > kLastType)) return 0;
  if (got < kHeadBytes) return -kHeadBytes;
  const int size = kHeadBytes + (head[3] << 8 | head[4]);
  int here = 0;
  if (size > kMostBytes || ::ioctl(descriptor_, FIONREAD, &here) != 0) return 0;
  return here < size ? -size : size;
}

int Wire::Send(const char* bytes, int size) const {
  return static_cast<int>(::send(descriptor_, bytes, static_cast<size_t>(size), MSG_NOSIGNAL));
}

}  // namespace tidemark::tls
