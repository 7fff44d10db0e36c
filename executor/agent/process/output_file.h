// OutputFile: what one attempt at a task wrote, on disk, up to a limit.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::executor {

// A name for the file of each task, in their order: the task's, with underscores for what a file may not have in its
// name, and for a dot in front. Where two would be the same, on file systems that know no case too, the later one has a
// number behind it.
std::vector<std::string> OutputStems(const std::vector<std::string>& tasks);

// Not thread-safe.
class OutputFile {
 public:
  // Creates `directory`/<stem>.<attempt>.log, or empties it.
  static Result<OutputFile> Create(const std::string& directory, const std::string& stem, int attempt,
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
