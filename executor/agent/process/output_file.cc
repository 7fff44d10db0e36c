#include "executor/agent/process/output_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "storage/base/utf8.h"

namespace tidemark::executor {

namespace {

// A name of a file has 255 bytes at most; attempt, ending and a number come behind.
constexpr size_t kStemBytesMax = 200;

std::string StemOf(std::string_view task) {
  std::string stem(CutUtf8(task, kStemBytesMax));
  for (char& c : stem) {
    if (c == '/' || (c >= 0 && c < ' ') || c == '\x7f') c = '_';
  }
  if (stem.starts_with('.')) stem[0] = '_';
  return stem.empty() ? "_" : stem;
}

std::string WithoutCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::vector<std::string> OutputStems(const std::vector<std::string>& tasks) {
  std::vector<std::string> stems;
  stems.reserve(tasks.size());
  std::set<std::string> taken;
  for (const std::string& task : tasks) {
    const std::string stem = StemOf(task);
    std::string free = stem;
    for (size_t n = 2; !taken.insert(WithoutCase(free)).second; ++n) free = fmt::format("{}~{}", stem, n);
    stems.push_back(std::move(free));
  }
  return stems;
}

Result<OutputFile> OutputFile::Create(const std::string& directory, const std::string& stem, int attempt,
                                      uint64_t limit_bytes) {
  std::string path = fmt::format("{}/{}.{}.log", directory, stem, attempt);
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
