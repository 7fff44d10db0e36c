// RecordWatch: how much of a record is missing on a socket from which nothing behind the last whole record was
// received.
#pragma once

namespace tidemark::tls {

// One thread at a time.
class RecordWatch {
 public:
  // How many bytes have to lie in the socket before there is a reason to receive any: those of the head of a record
  // (RFC 8446, 5.1), then those of all of it. 0: there is a reason already, or the watch has ended.
  [[nodiscard]] int Missing(int descriptor);
  // To be called before a part of a record is received, because the peer has gone or the kernel is short of memory:
  // where the next one begins is not known any more.
  void End() { on_ = false; }
  [[nodiscard]] bool on() const { return on_; }

 private:
  bool on_ = true;
};

}  // namespace tidemark::tls
