// OutputFile: what one attempt at a task wrote, on disk, up to a limit.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::executor {

// Not thread-safe.
class OutputFile {
 public:
  // Creates `directory`/<task>.<attempt>.log, or empties it; slashes in the task's name become underscores.
  static Result<OutputFile> Create(const std::string& directory, const std::string& task, int attempt,
                                   uint64_t limit_bytes);

  // What does not fit is left out. An error is told once, by Close.
  void Append(std::string_view bytes);
  Result<void> Close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  OutputFile(std::FILE* file, std::string path, uint64_t limit_bytes)
      : file_(file), path_(std::move(path)), left_bytes_(limit_bytes) {}
  void Write(std::string_view bytes);

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
  uint64_t left_bytes_;
  uint64_t omitted_bytes_ = 0;
  int error_ = 0;
};

}  // namespace tidemark::executor
