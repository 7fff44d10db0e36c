#include "tools/server/audit/log_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace tidemark::server::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".jsonl";

Error Failed(const std::string& path) {
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kIo;
  return MakeError(code, fmt::format("the audit log {}: {}", path, std::strerror(errno)));
}

std::string NameOf(uint64_t sequence) { return fmt::format("{:012}{}", sequence, kEnding); }

// Sorted: the numbers have the same length.
Result<std::vector<std::string>> FilesOf(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.ends_with(kEnding)) names.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return MakeError(ErrorCode::kIo, fmt::format("the audit log {}: {}", directory, error.message()));
  }
  std::ranges::sort(names);
  return names;
}

// Follows the lines of one file after the other.
class Reader {
 public:
  Reader(const Head& expected, const std::function<void(const Record&)>& each) : expected_(expected), each_(each) {
    found_.met = expected.sequence == 0;
  }

  // Bytes up to the end of its last whole line.
  Result<uint64_t> ReadFile(const std::string& directory, const std::string& name) {
    std::ifstream in(directory + "/" + name, std::ios::binary);
    if (!in) return Failed(directory + "/" + name);
    uint64_t whole = 0;
    uint64_t number = 0;
    for (std::string line; std::getline(in, line) && !in.eof(); ++number) {
      whole += line.size() + 1;
      Take(line, fmt::format("{}:{}", name, number + 1));
    }
    return whole;
  }
  // When all files were read.
  Found Take(size_t files) {
    if (first_sequence_ > 1 && files < kMaxFiles) {
      Break(fmt::format("line {}", first_sequence_), "the lines before it are gone, and they were not too many");
    }
    return std::move(found_);
  }

 private:
  void Take(std::string_view line, const std::string& place) {
    const Result<ReadLink> link = ReadRecord(line, found_.head.hash);
    if (!link.ok()) return Break(place, link.error().message);
    const bool first = found_.records == 0 && found_.head.sequence == 0;
    // The first line that is left follows one that may have gone with its file.
    if (!first && link->record.sequence != found_.head.sequence + 1) {
      Break(place, fmt::format("sequence {} follows {}", link->record.sequence, found_.head.sequence));
    } else if (!link->follows && (!first || link->record.sequence == 1)) {
      Break(place, "its hash is not that of what stands there");
    }
    found_.head = {link->record.sequence, link->hash};
    found_.met = found_.met || found_.head == expected_;
    if (found_.records++ == 0) first_sequence_ = link->record.sequence;
    each_(link->record);
  }
  void Break(const std::string& place, std::string_view why) {
    if (found_.broken.empty()) found_.broken = fmt::format("{}: {}", place, why);
  }

  const Head expected_;
  const std::function<void(const Record&)>& each_;
  Found found_;
  uint64_t first_sequence_ = 0;
};

}  // namespace

std::string PrintHead(const Head& head) { return fmt::format("{} {}", head.sequence, access::PrintHash(head.hash)); }

Result<Head> ReadHead(std::string_view text) {
  Head head;
  const size_t space = text.find(' ');
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), head.sequence);
  if (space == std::string_view::npos || error != std::errc() || end != text.data() + space) {
    return Corruption("the head of the audit log cannot be read");
  }
  TM_TRY_ASSIGN(head.hash, access::ParseHash(text.substr(space + 1)));
  return head;
}

Result<Found> ReadLog(const std::string& directory, const Head& expected,
                      const std::function<void(const Record&)>& each) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, FilesOf(directory));
  Reader reader(expected, each);
  for (const std::string& name : names) {
    const Result<uint64_t> read = reader.ReadFile(directory, name);
    if (!read.ok()) return read.error();
  }
  return reader.Take(names.size());
}

LogFiles::LogFiles(LogFiles&& other) noexcept
    : directory_(std::move(other.directory_)),
      head_(other.head_),
      lost_(other.lost_),
      absent_(other.absent_),
      file_(std::exchange(other.file_, -1)),
      file_bytes_(other.file_bytes_) {}

LogFiles::~LogFiles() {
  if (file_ >= 0) ::close(file_);
}

Result<LogFiles> LogFiles::Open(std::string directory, const Head& expected) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return MakeError(ErrorCode::kIo, fmt::format("the audit log {}: {}", directory, error.message()));
  TM_TRY_ASSIGN(const std::vector<std::string> names, FilesOf(directory));
  LogFiles log(std::move(directory));
  const std::function<void(const Record&)> nothing = [](const Record&) {};
  Reader reader(expected, nothing);
  for (const std::string& name : names) {
    TM_TRY_ASSIGN(log.file_bytes_, reader.ReadFile(log.directory_, name));
  }
  const Found found = reader.Take(names.size());
  log.lost_ = !found.met;
  log.absent_ = names.empty();
  log.head_ = found.met ? found.head : expected;
  if (names.empty() || log.lost_) return log;
  const std::string path = log.directory_ + "/" + names.back();
  log.file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (log.file_ < 0 || ::ftruncate(log.file_, static_cast<off_t>(log.file_bytes_)) != 0) return Failed(path);
  return log;
}

Status LogFiles::Roll() {
  const std::string path = directory_ + "/" + NameOf(head_.sequence + 1);
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return Failed(path);
  const int directory = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && ::fsync(directory) == 0;
  if (directory >= 0) ::close(directory);
  if (!synced) {
    const Error error = Failed(directory_);
    ::close(file);
    return error;
  }
  if (file_ >= 0) ::close(file_);
  file_ = file;
  file_bytes_ = 0;
  TM_TRY_ASSIGN(const std::vector<std::string> names, FilesOf(directory_));
  for (size_t i = 0; i + kMaxFiles < names.size(); ++i) {
    std::error_code error;
    fs::remove(directory_ + "/" + names[i], error);
  }
  return {};
}

bool LogFiles::FileIsAsLeft() const {
  struct stat status = {};
  return ::fstat(file_, &status) == 0 && status.st_nlink > 0 && static_cast<uint64_t>(status.st_size) == file_bytes_;
}

Status LogFiles::Append(std::span<Record> records) {
  if (records.empty()) return {};
  if (file_ < 0 || file_bytes_ >= kMaxFileBytes || !FileIsAsLeft()) TM_RETURN_IF_ERROR(Roll());
  std::string lines;
  Head head = head_;
  for (Record& record : records) {
    record.sequence = ++head.sequence;
    Link link = PrintRecord(record, head.hash);
    lines += link.line;
    lines += '\n';
    head.hash = link.hash;
  }
  // At its place, whatever an attempt before left behind it.
  const ssize_t written = ::pwrite(file_, lines.data(), lines.size(), static_cast<off_t>(file_bytes_));
  if (written >= 0 && written < static_cast<ssize_t>(lines.size())) errno = ENOSPC;
  if (written != static_cast<ssize_t>(lines.size()) || ::fdatasync(file_) != 0) {
    const Error error = Failed(directory_);
    static_cast<void>(::ftruncate(file_, static_cast<off_t>(file_bytes_)));
    return error;
  }
  file_bytes_ += lines.size();
  head_ = head;
  return {};
}

}  // namespace tidemark::server::audit
