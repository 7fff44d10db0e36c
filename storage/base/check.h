// TM_CHECK: aborts, in every build, when an invariant of our own is broken. A database must not write what it does
// not understand. Never for input, files or limits: those are Errors.
#pragma once

namespace tidemark {
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);
}  // namespace tidemark

#define TM_CHECK(expr)                                    \
  do {                                                    \
    if (!(expr)) [[unlikely]] {                           \
      ::tidemark::CheckFailed(__FILE__, __LINE__, #expr); \
    }                                                     \
  } while (false)
