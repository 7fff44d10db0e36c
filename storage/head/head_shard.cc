#include "storage/head/head_shard.h"

#include <algorithm>
#include <array>
#include <bit>

#include "storage/model/batch.h"

namespace tidemark::head {
namespace {

constexpr uint32_t kFirstCapacity = 4;
constexpr uint32_t kLastCapacity = 128;
constexpr size_t kPrefetchRows = 6;
// Rows between the one that is asked for first and the one that is appended, at least.
constexpr size_t kRing = 32;
static_assert(3 * kPrefetchRows < kRing);
constexpr int64_t kMaxMantissa = int64_t{1} << 53;

// `mantissa` / 10^from as a mantissa at scale `to` >= from; false when it does not fit.
bool Rescale(int64_t* mantissa, uint8_t from, uint8_t to) {
  for (; from < to; ++from) {
    if (*mantissa >= kMaxMantissa / 10 || *mantissa <= -kMaxMantissa / 10) return false;
    *mantissa *= 10;
  }
  return true;
}

// The word of a float value in a column of scale `scale`; false when the column cannot hold it.
bool FloatWord(int64_t value, uint8_t value_scale, uint8_t scale, int64_t* word) {
  if (value_scale == scale) {
    *word = value;
    return true;
  }
  if (scale == model::kBinaryScale) {
    *word = std::bit_cast<int64_t>(model::FloatOf(value, value_scale));
    return true;
  }
  if (value_scale > scale) return false;
  *word = value;
  return Rescale(word, value_scale, scale);
}

}  // namespace

std::string_view StoredString(int64_t word) {
  const auto* const at = std::bit_cast<const char*>(word);
  uint32_t size;
  std::memcpy(&size, at, sizeof size);
  return {at + sizeof size, size};
}

void HeadShard::Append(const model::ResolvedBatch& batch, std::span<const HeadShape* const> shapes,
                       std::span<const uint32_t> rows, uint64_t ticket,
                       std::vector<std::vector<model::SeriesId>>* to_note) {
  {
    MutexLock lock(turn_mutex_);
    while (applied_ != ticket) turn_.Wait(turn_mutex_);
  }
  if (!rows.empty()) {
    WriterLock lock(mutex_);
    std::array<uint32_t, kRing> ahead{};
    for (size_t i = 0; i < rows.size(); ++i) {
      // Three dependent loads lie between a row and the bytes it goes to; each is asked for some rows ahead. A head is
      // looked for once, and is a number here: heads move when there are more of them.
      if (i + 3 * kPrefetchRows < rows.size()) {
        const uint32_t head = slots_.Get(Number(batch.rows[rows[i + 3 * kPrefetchRows]].series) >> shift_);
        ahead[(i + 3 * kPrefetchRows) % kRing] = head;
        if (head != 0) __builtin_prefetch(&heads_[head - 1]);
      }
      if (const uint32_t head = ahead[(i + 2 * kPrefetchRows) % kRing]; head != 0) {
        __builtin_prefetch(heads_[head - 1].last);
      }
      if (const uint32_t head = ahead[(i + kPrefetchRows) % kRing]; head != 0) {
        const HeadChunk* const last = heads_[head - 1].last;
        if (last != nullptr && last->rows < last->capacity) {
          const char* const at = last->row(last->rows);
          __builtin_prefetch(at, 1);
          __builtin_prefetch(at + 64, 1);
        }
      }
      const model::ResolvedRow& row = batch.rows[rows[i]];
      const HeadShape* const shape = shapes[row.shape];
      const uint32_t known = ahead[i % kRing];
      Head& head = known != 0 ? heads_[known - 1] : HeadOf(row.series);
      if (head.noted != shape) [[unlikely]] {
        (*to_note)[row.shape].push_back(row.series);
        head.noted = shape;
      }
      AppendRow(head, shape, row.time.ns, batch.values.data() + row.first_value, batch.scales.data() + row.first_value,
                static_cast<uint32_t>(ticket), batch.strings);
      range_ = {std::min(range_.first, row.time), std::max(range_.last, row.time)};
      ++rows_;
      points_ += shape->fields.size();
    }
  }
}

void HeadShard::EndTurn() {
  MutexLock lock(turn_mutex_);
  ++applied_;
  turn_.NotifyAll();
}

uint64_t HeadShard::applied() const {
  MutexLock lock(turn_mutex_);
  return applied_;
}

Head& HeadShard::HeadOf(model::SeriesId series) {
  const uint32_t slot = Number(series) >> shift_;
  if (const uint32_t head = slots_.Get(slot); head != 0) return heads_[head - 1];
  heads_.push_back({.series = series});
  slots_.Set(slot, static_cast<uint32_t>(heads_.size()));
  return heads_.back();
}

const Head* HeadShard::Find(model::SeriesId series) const {
  const uint32_t head = slots_.Get(Number(series) >> shift_);
  return head == 0 ? nullptr : &heads_[head - 1];
}

HeadChunk* HeadShard::StartChunk(Head& head, const HeadShape* shape, const int64_t* values, const uint8_t* scales) {
  const size_t fields = shape->fields.size();
  const auto capacity =
      static_cast<uint32_t>(std::clamp<uint64_t>(std::bit_ceil(head.rows + 1), kFirstCapacity, kLastCapacity));
  auto* const chunk = new (arena_.Allocate(HeadChunk::Bytes(fields, capacity))) HeadChunk;
  chunk->shape = shape;
  chunk->capacity = capacity;
  for (size_t f = 0; f < fields; ++f) {
    uint8_t scale = scales[f];
    // Keep the scale that earlier rows needed when it can hold this value, so that chunks stay long.
    if (head.last != nullptr && head.last->shape == shape && shape->fields[f].type == model::FieldType::kFloat) {
      const uint8_t before = head.last->scales()[f];
      int64_t word;
      if (before > scale && FloatWord(values[f], scale, before, &word)) {
        scale = before;
      } else if (before > scale) {
        scale = model::kBinaryScale;
      }
    }
    chunk->scales()[f] = scale;
  }
  if (head.last == nullptr) {
    head.first = chunk;
  } else {
    head.last->next = chunk;
  }
  head.last = chunk;
  return chunk;
}

void HeadShard::AppendRow(Head& head, const HeadShape* shape, int64_t time, const int64_t* values,
                          const uint8_t* scales, uint32_t ticket, std::span<const std::string_view> strings) {
  const size_t fields = shape->fields.size();
  HeadChunk* chunk = head.last;
  if (chunk == nullptr || chunk->rows == chunk->capacity || chunk->shape != shape) {
    chunk = StartChunk(head, shape, values, scales);
  }
  if (shape->has_floats) {
    for (size_t f = 0; f < fields; ++f) {
      int64_t word;
      if (shape->fields[f].type == model::FieldType::kFloat && scales[f] != chunk->scales()[f] &&
          !FloatWord(values[f], scales[f], chunk->scales()[f], &word)) [[unlikely]] {
        chunk = StartChunk(head, shape, values, scales);
        break;
      }
    }
  }
  char* const row = chunk->row(chunk->rows);
  StoreWord(row, time);
  char* at = row + 8;
  const uint8_t* const chunk_scales = chunk->scales();
  for (size_t f = 0; f < fields; ++f, at += 8) {
    int64_t word = values[f];
    switch (shape->fields[f].type) {
      case model::FieldType::kFloat: FloatWord(values[f], scales[f], chunk_scales[f], &word); break;
      case model::FieldType::kString: {
        const std::string_view text = strings[static_cast<size_t>(values[f])];
        char* const copy = arena_.Allocate(sizeof(uint32_t) + text.size());
        const auto size = static_cast<uint32_t>(text.size());
        std::memcpy(copy, &size, sizeof size);
        if (!text.empty()) std::memcpy(copy + sizeof size, text.data(), text.size());
        word = std::bit_cast<int64_t>(copy);
        break;
      }
      case model::FieldType::kInt:
      case model::FieldType::kUInt:
      case model::FieldType::kBool: break;
    }
    StoreWord(at, word);
  }
  StoreTicket(row, fields, ticket);
  ++chunk->rows;

  if (head.rows == 0) {
    head.min_ns = head.max_ns = time;
  } else {
    head.in_order = head.in_order && time > head.last_ns;
    head.min_ns = std::min(head.min_ns, time);
    head.max_ns = std::max(head.max_ns, time);
  }
  head.last_ns = time;
  ++head.rows;
}

model::Column HeadShard::Read(model::SeriesRef ref, uint64_t tickets, model::TimeRange range,
                              model::ColumnBuffer* buffer) const {
  ReaderLock lock(mutex_);
  const Head* const head = Find(ref.series);
  if (head == nullptr) return {.ref = ref};
  return ReadHead(*head, ref, tickets, range, buffer);
}

bool HeadShard::Touches(model::SeriesId series, model::TimeRange range) const {
  ReaderLock lock(mutex_);
  const Head* const head = Find(series);
  return head != nullptr && head->rows > 0 && range.Overlaps({{head->min_ns}, {head->max_ns}});
}

HeadShard::Totals HeadShard::totals() const {
  ReaderLock lock(mutex_);
  return {arena_.used_bytes() + heads_.capacity() * sizeof(Head) + slots_.bytes(), rows_, points_, heads_.size()};
}

model::TimeRange HeadShard::range() const {
  ReaderLock lock(mutex_);
  return range_;
}

}  // namespace tidemark::head
