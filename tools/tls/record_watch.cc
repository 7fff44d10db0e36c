#include "tools/tls/record_watch.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace tidemark::tls {
namespace {

constexpr int kHeadBytes = 5;
// What a record holds at most, encrypted (RFC 5246, 6.2.3). One that says it is larger is refused by its head.
constexpr int kMostBytes = (16 << 10) + 2048;

}  // namespace

int RecordWatch::Missing(int descriptor) {
  if (!on_) return 0;
  std::array<unsigned char, kHeadBytes> head;
  const ssize_t got = ::recv(descriptor, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) return 0;  // which receiving tells
  if (got < kHeadBytes) return kHeadBytes;
  const int body = head[3] << 8 | head[4];
  if (body > kMostBytes) return 0;
  int here = 0;
  if (::ioctl(descriptor, FIONREAD, &here) != 0) return 0;
  return here < kHeadBytes + body ? kHeadBytes + body : 0;
}

}  // namespace tidemark::tls
