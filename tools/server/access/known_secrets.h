// KnownSecrets: which caller a secret showed the last time, so that a client that sends request after request has its
// token hashed by SHA-256 once, not each time. No secret is kept: only its 128-bit hash under a key that this process
// drew at random and tells nobody, so that nobody can look for a text that hashes alike.
//
//   if (auto caller = KnownSecrets::Find(secret, generation)) return caller;
//   ...
//   KnownSecrets::Note(secret, generation, caller);
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tools/server/access/principal.h"

namespace tidemark::server::access {

// Each thread has its own few, without a lock. Thread-safe.
class KnownSecrets {
 public:
  // What a secret shows is known for a generation of the book that was asked. A book takes a new one with each change;
  // no two books have the same.
  static uint64_t NextGeneration();

  // Null: it was not noted by this thread in this generation, or has made way for others.
  static std::shared_ptr<const Principal> Find(std::string_view secret, uint64_t generation);
  static void Note(std::string_view secret, uint64_t generation, std::shared_ptr<const Principal> caller);
};

}  // namespace tidemark::server::access
