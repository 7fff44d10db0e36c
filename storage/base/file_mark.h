// FileMark: which file a path led to, so that one that was removed, moved or replaced under a process is noticed. A
// file that is open goes on taking bytes without a name; nobody will ever read them.
#pragma once

#include <cstdint>
#include <string>

namespace tidemark {

// A value. Costs one statx(2), about a microsecond.
class FileMark {
 public:
  // Holds wherever it points: for paths that the system cannot be asked about.
  FileMark() = default;
  // Of the file or directory that is at `path` now; one that always holds when there is none.
  static FileMark Of(const std::string& path);
  // Whether `path` leads to the same file. Also true where the system cannot tell (no right to look, an I/O error).
  [[nodiscard]] bool Holds(const std::string& path) const;
  // Whether it is of a file at all.
  [[nodiscard]] bool set() const { return inode_ != 0; }

 private:
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

}  // namespace tidemark
