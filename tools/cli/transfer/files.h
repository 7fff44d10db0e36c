// Files that are packed and unpacked on the way: gzip and zstd.
//
//   TM_TRY_ASSIGN(auto file, OutFile::Create("points.csv.zst"));
//   TM_RETURN_IF_ERROR(file->Write(text));
//   TM_RETURN_IF_ERROR(file->Finish());     // now it is there
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::cli {

// Not thread-safe.
class OutFile {
 public:
  // "-": standard output. A name that ends in .gz or .zst is packed. The file comes into being with Finish, until then
  // NAME.part is written; it is removed when Finish is not called. Errors: kAlreadyExists, kIo.
  static Result<std::unique_ptr<OutFile>> Create(const std::string& path);
  virtual ~OutFile() = default;
  virtual Status Write(std::string_view bytes) = 0;
  // Nothing may be written afterwards.
  virtual Status Finish() = 0;
  // Bytes that Write was given, and that lie in the file.
  [[nodiscard]] virtual uint64_t bytes_in() const = 0;
  [[nodiscard]] virtual uint64_t bytes_out() const = 0;
};

// Not thread-safe.
class InFile {
 public:
  // "-": standard input. What it is packed with is seen by its first bytes, whatever its name. Errors: kNotFound, kIo.
  static Result<std::unique_ptr<InFile>> Open(const std::string& path);
  virtual ~InFile() = default;
  // Fills `to` with `size` bytes, fewer only at the end. Errors: kIo, kCorruption (it is packed, and damaged or cut).
  virtual Result<size_t> Read(char* to, size_t size) = 0;
  // Of the file, packed as it is: 0 where it is not known; and how many have been read.
  [[nodiscard]] virtual uint64_t bytes_all() const = 0;
  [[nodiscard]] virtual uint64_t bytes_read() const = 0;
};

// A path without .gz or .zst.
std::string_view WithoutPacking(std::string_view path);

}  // namespace tidemark::cli
