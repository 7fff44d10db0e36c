#include "tools/server/access/known_secrets.h"

#include <openssl/rand.h>

#include <array>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/hash.h"

namespace tidemark::server::access {
namespace {

// Agents with a token each, as one thread sees them.
constexpr size_t kEntries = 64;

struct Entry {
  Hash128 hash;
  uint64_t generation = 0;  // 0: nothing is noted
  std::shared_ptr<const Principal> caller;
};

Entry& EntryOf(const Hash128& hash) {
  thread_local std::array<Entry, kEntries> entries;
  return entries[hash.low % kEntries];
}

Hash128 HashUnderKey(std::string_view secret) {
  static const uint64_t key = [] {
    uint64_t drawn = 0;
    TM_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&drawn), sizeof drawn) == 1);
    return drawn;
  }();
  return HashBytes(secret, key);
}

}  // namespace

uint64_t KnownSecrets::NextGeneration() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::shared_ptr<const Principal> KnownSecrets::Find(std::string_view secret, uint64_t generation) {
  const Hash128 hash = HashUnderKey(secret);
  const Entry& entry = EntryOf(hash);
  return entry.generation == generation && entry.hash == hash ? entry.caller : nullptr;
}

void KnownSecrets::Note(std::string_view secret, uint64_t generation, std::shared_ptr<const Principal> caller) {
  const Hash128 hash = HashUnderKey(secret);
  EntryOf(hash) = {hash, generation, std::move(caller)};
}

}  // namespace tidemark::server::access
