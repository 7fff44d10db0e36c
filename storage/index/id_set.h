// IdSet: a growing set of series ids. Most label values belong to one series or to a handful, a few to nearly all, so
// the representation follows the size: up to 4 ids inline, up to 64 in a sorted array, more in a roaring bitmap
// (Lemire et al., "Roaring bitmaps: implementation of an optimized software library", 2018). 24 bytes plus the ids.
//
// Not thread-safe; several threads may read at once while nobody adds.
#pragma once

#include <roaring/roaring.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tidemark::index {

struct BitmapDeleter {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, BitmapDeleter>;

class IdSet {
 public:
  IdSet() : inline_{} {}
  ~IdSet() { Free(); }
  IdSet(IdSet&& other) noexcept;
  IdSet& operator=(IdSet&& other) noexcept;

  // Returns whether it is new.
  bool Add(uint32_t id);
  // Ascending ids are fastest; duplicates are allowed.
  void AddMany(std::span<const uint32_t> ids);

  [[nodiscard]] uint32_t size() const { return size_; }
  [[nodiscard]] bool Contains(uint32_t id) const;
  // Appends all ids, ascending.
  void AppendTo(std::vector<uint32_t>* out) const;
  // Appends the ids in [first, end), ascending.
  void AppendRange(uint32_t first, uint64_t end, std::vector<uint32_t>* out) const;
  // Adds all ids to `bitmap`.
  void OrInto(roaring_bitmap_t* bitmap) const;
  // The bitmap, or null when the set is small enough to do without.
  [[nodiscard]] const roaring_bitmap_t* bitmap() const { return size_ > kArrayMax ? bitmap_ : nullptr; }

  // On the heap.
  [[nodiscard]] size_t heap_bytes() const;

 private:
  static constexpr uint32_t kInlineMax = 4;
  static constexpr uint32_t kArrayMax = 64;

  [[nodiscard]] const uint32_t* small() const { return size_ <= kInlineMax ? inline_ : array_; }
  void InsertSmall(uint32_t position, uint32_t id);
  void BecomeBitmap();
  void Free();

  uint32_t size_ = 0;
  union {
    uint32_t inline_[kInlineMax];
    uint32_t* array_;  // bit_ceil(size_), at least 8, entries
    roaring_bitmap_t* bitmap_;
  };
};

// A bitmap that copies `bitmap`.
Bitmap CopyOf(const roaring_bitmap_t* bitmap);
Bitmap EmptyBitmap();

}  // namespace tidemark::index
