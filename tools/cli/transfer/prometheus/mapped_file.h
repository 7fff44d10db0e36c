// MappedFile: a file as bytes in memory, which the system reads as they are looked at.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::cli::prometheus {

// The bytes live as long as it does. Thread-safe.
class MappedFile {
 public:
  // Errors: kNotFound, kIo.
  static Result<std::unique_ptr<MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  const std::string_view bytes_;
};

}  // namespace tidemark::cli::prometheus
