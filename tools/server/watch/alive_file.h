// The file `alive` in a data directory: when the server there last was up, so that the next one knows how long nobody
// was. One line of kAliveBytes bytes, overwritten in place:
//
//   tidemark-alive 1 FIRST_START_NS LAST_ALIVE_NS running|stopped CHECKSUM
//
// with times since 1970, 20 digits each, and the XXH3-64 of what stands before it in 16 hexadecimal digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server {

struct Alive {
  int64_t first_start_ns = 0;  // of the directory's first server
  int64_t time_ns = 0;
  bool stopped = false;  // it ended as it was told to

  friend bool operator==(const Alive&, const Alive&) = default;
};

inline constexpr size_t kAliveBytes = 84;

std::string FormatAlive(const Alive& alive);
// kCorruption when it is not what FormatAlive wrote; kUnsupported for another version.
Result<Alive> ParseAlive(std::string_view text);

// An open file. Thread-compatible. The directory belongs to one server at a time (the store sees to that).
class AliveFile {
 public:
  // Creates it when it is missing. Errors: kIo.
  static Result<AliveFile> Open(const std::string& directory);
  AliveFile(AliveFile&& other) noexcept;
  AliveFile& operator=(AliveFile&& other) noexcept;
  ~AliveFile();

  // kNotFound when nothing was ever written; else as ParseAlive, or kIo.
  [[nodiscard]] Result<Alive> Read() const;
  // On disk when it returns. Errors: kIo.
  Result<void> Write(const Alive& alive);

 private:
  AliveFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::string path_;
};

}  // namespace tidemark::server
