// What happens when memory cannot be had: storage/base/FAILURE.md says why.
#pragma once

namespace tidemark {

// What a process exits with that could not get memory (EX_SOFTWARE of sysexits.h).
inline constexpr int kAllocationFailureExit = 70;

// From now on a failed allocation ends the process at once: one line to standard error, then _exit with
// kAllocationFailureExit, on whatever thread it happens and whatever it holds. No destructor runs and nothing is
// written; the next start replays the journal, as after a kill. For programs that own a store, early in main. Until
// then, and in programs that do not call it, a failed allocation throws std::bad_alloc.
void EndOnAllocationFailure();

// For code that gets memory from elsewhere than operator new and was given none: ends the process after
// EndOnAllocationFailure, throws std::bad_alloc otherwise.
[[noreturn]] void AllocationFailed();

}  // namespace tidemark
