// RunInChild: does something in a process of its own, so that it may end anywhere. The parent must have no threads, and
// so must never open a store itself: RocksDB's would be missing in the child.
#pragma once

#include <functional>
#include <string>

namespace tidemark::fault {

// What a child that was killed at a failure point exits with.
inline constexpr int kKilled = 42;

struct ChildResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string text;    // what the body returned; of a child that ended early: what went wrong, as far as it is known
};

// Runs `body` in a fork. Exit code 0, and its text, when it returns.
ChildResult RunInChild(const std::function<std::string()>& body);

// Ends a child from within, with a text for the parent.
[[noreturn]] void EndChild(int exit_code, const std::string& text);

}  // namespace tidemark::fault
