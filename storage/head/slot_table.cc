#include "storage/head/slot_table.h"

#include <sys/mman.h>

#include <algorithm>

#include "storage/base/allocation_failure.h"

namespace tidemark::head {

SlotTable::~SlotTable() {
  if (mapped_bytes_ != 0) munmap(slots_, mapped_bytes_);
}

void SlotTable::Grow(size_t size) {
  size = std::max(size, size_ * 2);
  if (size <= kSmall) {
    small_.resize(size, 0);
    slots_ = small_.data();
    size_ = size;
    return;
  }
  size = (size + kPerPage - 1) / kPerPage * kPerPage;
  const size_t bytes = size * sizeof(uint32_t);
  // Pages that nobody touches are not there. Growing moves page tables, not bytes.
  void* const mapped = mapped_bytes_ == 0 ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                          : mremap(slots_, mapped_bytes_, bytes, MREMAP_MAYMOVE);
  if (mapped == MAP_FAILED) AllocationFailed();  // NOLINT(performance-no-int-to-ptr): the system's own macro
  // A huge page would be there as a whole for one number in it.
  madvise(mapped, bytes, MADV_NOHUGEPAGE);
  slots_ = static_cast<uint32_t*>(mapped);
  mapped_bytes_ = bytes;
  touched_.resize(size / kPerPage);
  for (size_t i = 0; i < small_.size(); ++i) {
    if (small_[i] == 0) continue;
    slots_[i] = small_[i];
    if (!touched_[i / kPerPage]) ++touched_pages_;
    touched_[i / kPerPage] = true;
  }
  small_ = {};
  size_ = size;
}

void SlotTable::Set(size_t position, uint32_t number) {
  if (position >= size_) Grow(position + 1);
  slots_[position] = number;
  if (mapped_bytes_ == 0 || touched_[position / kPerPage]) return;
  touched_[position / kPerPage] = true;
  ++touched_pages_;
}

}  // namespace tidemark::head
