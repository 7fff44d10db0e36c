#include "executor/agent/process/output_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tidemark::executor {

Result<OutputFile> OutputFile::Create(const std::string& directory, const std::string& task, int attempt,
                                      uint64_t limit_bytes) {
  std::string name = task;
  std::replace(name.begin(), name.end(), '/', '_');
  std::string path = fmt::format("{}/{}.{}.log", directory, name, attempt);
  // "e": not inherited by the tasks that other agents start.
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  return OutputFile(file, std::move(path), limit_bytes);
}

void OutputFile::Write(std::string_view bytes) {
  if (error_ == 0 && std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) error_ = errno;
}

void OutputFile::Append(std::string_view bytes) {
  const size_t fits = static_cast<size_t>(std::min<uint64_t>(bytes.size(), left_bytes_));
  Write(bytes.substr(0, fits));
  left_bytes_ -= fits;
  omitted_bytes_ += bytes.size() - fits;
}

Result<void> OutputFile::Close() {
  if (omitted_bytes_ > 0) Write(fmt::format("\n[{} bytes left out]\n", omitted_bytes_));
  if (std::fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0) return IoError(fmt::format("{}: {}", path_, std::strerror(error_)));
  return {};
}

}  // namespace tidemark::executor
