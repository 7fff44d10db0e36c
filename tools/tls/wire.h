// Wire: what lies between OpenSSL and a descriptor. What was received already, by whoever waited for it, is given to
// OpenSSL first, so that waiting for bytes and taking them is one call of the kernel. At first records are taken as a
// whole or not at all, so that whoever waits knows how many bytes to wait for.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tools/tls/openssl_handles.h"

namespace tidemark::tls {

// One thread at a time. The SSL that it was attached to must not outlive it.
class Wire {
 public:
  // `descriptor` does not block, and outlives this.
  explicit Wire(int descriptor) : descriptor_(descriptor) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Has `ssl` read and write by this. False when there is no memory for it.
  [[nodiscard]] bool Attach(SSL* ssl);

  // `bytes` follow what was received before them, and those of the descriptor follow them. They are looked at until the
  // next call of Receive or Keep only: where they lie may then take what is decrypted of them.
  void Give(std::span<const char> bytes);
  // Copies what is left of those that were given: nearly always nothing.
  void Keep();
  [[nodiscard]] bool empty() const { return given_.empty() && kept_.empty(); }

  // How many bytes have to lie in the descriptor before there is a reason to receive any: those of the head of a record
  // (RFC 8446, 5.1), then those of all of it. 0: there is a reason already. After TakeAnyBytes always 0.
  [[nodiscard]] int Missing() const;
  // Parts of records are received too from here on.
  void TakeAnyBytes() { by_records_ = false; }
  [[nodiscard]] bool by_records() const { return by_records_; }

  // As of a BIO: what was moved, 0 at the end of the input, -1 with errno.
  [[nodiscard]] int Receive(char* into, int size);
  [[nodiscard]] int Send(const char* bytes, int size) const;

 private:
  // Of what lies at the front: the size of a record that is there as a whole, or minus how many bytes have to be there;
  // 0: neither, such as the end of the input, which receiving tells.
  [[nodiscard]] int LookAtRecord() const;

  int descriptor_;
  bool by_records_ = true;
  int left_of_record_ = 0;  // that is there as a whole
  std::string kept_;        // before those that were given
  std::span<const char> given_;
};

}  // namespace tidemark::tls
