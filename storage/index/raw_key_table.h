// RawKeyTable: from the hash of a series key as it was written to the id of its series. The bytes are not kept: at 10
// million keys the chance that any two share their 128 bits is about 1e-25.
//
// Open addressing with linear probing over 24-byte slots. The table is cut into 16 shards by hash, each growing by
// itself by a quarter, so that growth neither stops the writers for long nor needs twice the memory: 32 to 40 bytes per
// key. Growing is cheap: slots keep their order, so it reads and writes from front to back.
//
// Not thread-safe; several threads may look up at once while nobody inserts.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "storage/base/hash.h"
#include "storage/index/zeroed_memory.h"
#include "storage/model/batch.h"
#include "storage/model/ids.h"

namespace tidemark::index {

class RawKeyTable {
 public:
  // The id of a key, or 0.
  [[nodiscard]] model::SeriesId Find(const Hash128& hash) const;

  // ids[i] = Find(rows[i].key.hash), with the slots of the next kAhead distinct keys fetched ahead.
  void Lookup(std::span<const model::Row> rows, model::SeriesId* ids) const;

  // Remembers a key; `id` is not 0. A key that is known keeps its id.
  void Insert(const Hash128& hash, model::SeriesId id);

  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Slot {
    Hash128 hash;
    model::SeriesId id;  // 0: empty
  };
  static_assert(sizeof(Slot) == 24);

  struct Shard {
    ZeroedMemory memory;
    size_t capacity = 0;
    size_t size = 0;
    [[nodiscard]] Slot* slots() const { return static_cast<Slot*>(memory.data()); }
  };

  static constexpr size_t kShards = 16;
  static constexpr size_t kAhead = 16;

  [[nodiscard]] const Shard& ShardOf(const Hash128& hash) const { return shards_[hash.high % kShards]; }
  // Where probing for `hash` starts; null when the shard is empty.
  static const Slot* Home(const Shard& shard, const Hash128& hash);
  static model::SeriesId Probe(const Shard& shard, const Slot* at, const Hash128& hash);
  static void Place(Shard* shard, const Slot& slot);
  static void Grow(Shard* shard);

  std::array<Shard, kShards> shards_;
};

}  // namespace tidemark::index
