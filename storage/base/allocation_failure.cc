#include "storage/base/allocation_failure.h"

#include <unistd.h>

#include <new>
#include <string_view>

namespace tidemark {
namespace {

// Made before it is needed: nothing may be allocated here, so the logger cannot be used.
constexpr std::string_view kLine =
    "E an allocation of memory failed; the process ends, and its next start replays the journal\n";

[[noreturn]] void End() {
  // Nothing could be done about a line that cannot be written.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  ::_exit(kAllocationFailureExit);
}

}  // namespace

void EndOnAllocationFailure() { std::set_new_handler(End); }

void AllocationFailed() {
  if (std::get_new_handler() == End) End();
  throw std::bad_alloc();
}

}  // namespace tidemark
