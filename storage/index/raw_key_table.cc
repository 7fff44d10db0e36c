#include "storage/index/raw_key_table.h"

#include <algorithm>

namespace tidemark::index {
namespace {

__extension__ using Product = unsigned __int128;

// Spreads `hash` evenly over [0, capacity) without a division (Lemire, "Fast random integer generation in an
// interval", 2019).
size_t Reduce(uint64_t hash, size_t capacity) { return static_cast<size_t>((Product{hash} * capacity) >> 64); }

}  // namespace

const RawKeyTable::Slot* RawKeyTable::Home(const Shard& shard, const Hash128& hash) {
  return shard.capacity == 0 ? nullptr : shard.slots() + Reduce(hash.low, shard.capacity);
}

model::SeriesId RawKeyTable::Probe(const Shard& shard, const Slot* at, const Hash128& hash) {
  if (at == nullptr) return {};
  const Slot* const end = shard.slots() + shard.capacity;
  while (at->id != model::SeriesId{}) {
    if (at->hash == hash) return at->id;
    if (++at == end) at = shard.slots();
  }
  return {};
}

model::SeriesId RawKeyTable::Find(const Hash128& hash) const {
  const Shard& shard = ShardOf(hash);
  return Probe(shard, Home(shard, hash), hash);
}

void RawKeyTable::Lookup(std::span<const model::Row> rows, model::SeriesId* ids) const {
  // A ring of the keys that are asked for and not yet looked at; rows that repeat a key come right behind it.
  struct Asked {
    const Slot* home;
    size_t first;  // of its rows
  };
  Asked ring[kAhead];
  size_t asked = 0;
  size_t looked = 0;
  const auto look = [&](size_t end) {
    const Asked& key = ring[looked++ % kAhead];
    const Hash128& hash = rows[key.first].key.hash;
    std::fill(ids + key.first, ids + end, Probe(ShardOf(hash), key.home, hash));
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const Hash128& hash = rows[i].key.hash;
    if (i > 0 && hash == rows[i - 1].key.hash) continue;
    if (asked - looked == kAhead) look(ring[(looked + 1) % kAhead].first);
    const Slot* const home = Home(ShardOf(hash), hash);
    __builtin_prefetch(home);
    // A slot may lie across the end of a line.
    if (home != nullptr) __builtin_prefetch(&home->id);
    ring[asked++ % kAhead] = {home, i};
  }
  while (looked < asked) look(looked + 1 == asked ? rows.size() : ring[(looked + 1) % kAhead].first);
}

void RawKeyTable::Place(Shard* shard, const Slot& slot) {
  Slot* const slots = shard->slots();
  size_t at = Reduce(slot.hash.low, shard->capacity);
  while (slots[at].id != model::SeriesId{}) {
    if (slots[at].hash == slot.hash) return;
    if (++at == shard->capacity) at = 0;
  }
  slots[at] = slot;
  ++shard->size;
}

void RawKeyTable::Grow(Shard* shard) {
  Shard bigger;
  bigger.capacity = std::max<size_t>(32, shard->capacity + shard->capacity / 4);
  bigger.memory = ZeroedMemory(bigger.capacity * sizeof(Slot));
  bigger.capacity = bigger.memory.bytes() / sizeof(Slot);
  const Slot* const slots = shard->slots();
  for (size_t i = 0; i < shard->capacity; ++i) {
    if (slots[i].id != model::SeriesId{}) Place(&bigger, slots[i]);
  }
  *shard = std::move(bigger);
}

void RawKeyTable::Insert(const Hash128& hash, model::SeriesId id) {
  Shard& shard = shards_[hash.high % kShards];
  if ((shard.size + 1) * 4 > shard.capacity * 3) Grow(&shard);
  Place(&shard, {hash, id});
}

size_t RawKeyTable::size() const {
  size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.size;
  return sum;
}

size_t RawKeyTable::memory_bytes() const {
  size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.memory.bytes();
  return sum;
}

}  // namespace tidemark::index
