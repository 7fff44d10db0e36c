#include "storage/index/zeroed_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

#include "storage/base/allocation_failure.h"

namespace tidemark::index {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

// Maps `bytes` (a multiple of kPage) at a multiple of kHugePage; null when the system has no room. The end that is no
// whole huge page stays in small ones.
void* MapAligned(size_t bytes) {
  const size_t reserved = bytes + kHugePage;
  void* const mapped = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;  // NOLINT(performance-no-int-to-ptr): the system's own macro
  char* const begin = static_cast<char*>(mapped);
  const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (skip > 0) munmap(begin, skip);
  if (skip < kHugePage) munmap(begin + skip + bytes, kHugePage - skip);
  // Advice only: without transparent huge pages the table is slower and otherwise the same.
  madvise(begin + skip, bytes, MADV_HUGEPAGE);
  return begin + skip;
}

}  // namespace

ZeroedMemory::ZeroedMemory(size_t bytes) : bytes_(bytes) {
  if (bytes >= kHugePage) {
    bytes_ = (bytes + kPage - 1) / kPage * kPage;
    data_ = MapAligned(bytes_);
  } else {
    data_ = std::calloc(bytes, 1);
  }
  if (data_ == nullptr) AllocationFailed();
}

void ZeroedMemory::Free() {
  if (data_ == nullptr) return;
  if (bytes_ >= kHugePage) {
    munmap(data_, bytes_);
  } else {
    std::free(data_);
  }
}

}  // namespace tidemark::index
