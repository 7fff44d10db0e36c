#include "storage/index/id_set.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "storage/base/allocation_failure.h"

namespace tidemark::index {
namespace {

uint32_t ArrayCapacity(uint32_t size) { return std::max<uint32_t>(8, std::bit_ceil(size)); }

Bitmap Own(roaring_bitmap_t* bitmap) {
  if (bitmap == nullptr) AllocationFailed();
  return Bitmap(bitmap);
}

}  // namespace

Bitmap EmptyBitmap() { return Own(roaring_bitmap_create()); }
Bitmap CopyOf(const roaring_bitmap_t* bitmap) { return Own(roaring_bitmap_copy(bitmap)); }

IdSet::IdSet(IdSet&& other) noexcept : size_(std::exchange(other.size_, 0)) {
  std::memcpy(inline_, other.inline_, sizeof(inline_));
}

IdSet& IdSet::operator=(IdSet&& other) noexcept {
  if (this != &other) {
    Free();
    size_ = std::exchange(other.size_, 0);
    std::memcpy(inline_, other.inline_, sizeof(inline_));
  }
  return *this;
}

void IdSet::Free() {
  if (size_ > kArrayMax) {
    roaring_bitmap_free(bitmap_);
  } else if (size_ > kInlineMax) {
    delete[] array_;
  }
}

void IdSet::BecomeBitmap() {
  Bitmap bitmap = EmptyBitmap();
  roaring_bitmap_add_many(bitmap.get(), size_, small());
  Free();
  bitmap_ = bitmap.release();
}

void IdSet::InsertSmall(uint32_t position, uint32_t id) {
  if (size_ < kInlineMax) {
    std::copy_backward(inline_ + position, inline_ + size_, inline_ + size_ + 1);
    inline_[position] = id;
  } else {
    const bool full = size_ == kInlineMax || size_ == ArrayCapacity(size_);
    uint32_t* const to = full ? new uint32_t[ArrayCapacity(size_ + 1)] : array_;
    const uint32_t* const from = small();
    std::copy_backward(from + position, from + size_, to + size_ + 1);
    if (full) {
      std::copy(from, from + position, to);
      Free();
      array_ = to;
    }
    to[position] = id;
  }
  ++size_;
}

bool IdSet::Add(uint32_t id) {
  if (size_ > kArrayMax) {
    if (!roaring_bitmap_add_checked(bitmap_, id)) return false;
    ++size_;
    return true;
  }
  const uint32_t* const ids = small();
  const uint32_t* const at = std::lower_bound(ids, ids + size_, id);
  if (at != ids + size_ && *at == id) return false;
  if (size_ < kArrayMax) {
    InsertSmall(static_cast<uint32_t>(at - ids), id);
    return true;
  }
  BecomeBitmap();
  roaring_bitmap_add(bitmap_, id);
  ++size_;
  return true;
}

void IdSet::AddMany(std::span<const uint32_t> ids) {
  while (!ids.empty() && size_ <= kArrayMax) {
    Add(ids.front());
    ids = ids.subspan(1);
  }
  if (ids.empty()) return;
  roaring_bitmap_add_many(bitmap_, ids.size(), ids.data());
  size_ = static_cast<uint32_t>(roaring_bitmap_get_cardinality(bitmap_));
}

bool IdSet::Contains(uint32_t id) const {
  if (size_ > kArrayMax) return roaring_bitmap_contains(bitmap_, id);
  return std::binary_search(small(), small() + size_, id);
}

void IdSet::AppendTo(std::vector<uint32_t>* out) const {
  const size_t before = out->size();
  out->resize(before + size_);
  if (size_ > kArrayMax) {
    roaring_bitmap_to_uint32_array(bitmap_, out->data() + before);
  } else {
    std::copy_n(small(), size_, out->data() + before);
  }
}

void IdSet::AppendRange(uint32_t first, uint64_t end, std::vector<uint32_t>* out) const {
  if (size_ <= kArrayMax) {
    std::copy_if(small(), small() + size_, std::back_inserter(*out),
                 [&](uint32_t id) { return first <= id && id < end; });
    return;
  }
  roaring_uint32_iterator_t at;
  roaring_init_iterator(bitmap_, &at);
  roaring_move_uint32_iterator_equalorlarger(&at, first);
  for (; at.has_value && at.current_value < end; roaring_advance_uint32_iterator(&at)) out->push_back(at.current_value);
}

void IdSet::OrInto(roaring_bitmap_t* bitmap) const {
  if (size_ > kArrayMax) {
    roaring_bitmap_or_inplace(bitmap, bitmap_);
  } else {
    roaring_bitmap_add_many(bitmap, size_, small());
  }
}

size_t IdSet::heap_bytes() const {
  if (size_ > kArrayMax) return sizeof(roaring_bitmap_t) + roaring_bitmap_size_in_bytes(bitmap_);
  return size_ > kInlineMax ? ArrayCapacity(size_) * sizeof(uint32_t) : 0;
}

}  // namespace tidemark::index
