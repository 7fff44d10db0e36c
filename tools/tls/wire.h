// Wire: what lies between OpenSSL and a descriptor. What was received already, by whoever waited for it, is given to
// OpenSSL first, so that waiting for bytes and taking them is one call of the kernel.
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

  // As of a BIO: what was moved, 0 at the end of the input, -1 with errno.
  [[nodiscard]] int Receive(char* into, int size);
  [[nodiscard]] int Send(const char* bytes, int size) const;

 private:
  int descriptor_;
  std::string kept_;  // before those that were given
  std::span<const char> given_;
};

}  // namespace tidemark::tls
