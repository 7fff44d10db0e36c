// LogFiles: the audit log in its directory: files of lines, one after the other, each named by the sequence of its
// first line. The oldest go when there are too many; what is left is a chain of its own then, whose beginning the first
// file's name and first line say.
//
//   audit/000000000001.jsonl, audit/000000004711.jsonl, ...
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/server/audit/record.h"

namespace tidemark::server::audit {

inline constexpr uint64_t kMaxFileBytes = uint64_t{4} << 20;
inline constexpr size_t kMaxFiles = 16;

// The end of the log: what the next line follows.
struct Head {
  uint64_t sequence = 0;  // of the last line; 0: there is none
  access::SecretHash hash = {};
  friend bool operator==(const Head&, const Head&) = default;
};

std::string PrintHead(const Head& head);
Result<Head> ReadHead(std::string_view text);

// What reading a whole log found.
struct Found {
  Head head;
  uint64_t records = 0;
  // "000000000001.jsonl:12: ...": the first break of the chain; "" when it is whole.
  std::string broken;
  bool met = false;  // whether the line of the head that was asked for is there, with its hash; true for an empty head
};

// Reads all files of `directory`, oldest first; `each` gets what can be read, also behind a break. A last line without
// its end, which a stop in the middle of a write leaves, is not a record. A log that begins later than with line 1 is
// whole only if it has as many files as are kept, since the oldest go for no other reason. kIo; a directory that is not
// there is an empty log.
Result<Found> ReadLog(const std::string& directory, const Head& expected,
                      const std::function<void(const Record&)>& each);

// One thread.
class LogFiles {
 public:
  // Makes the directory when needed and goes on behind what is there; a torn last line is cut off. `expected` is the
  // end of the chain as it is known from elsewhere; there may be more lines than that. Where it is not there the next
  // line follows it all the same, in a file of its own.
  static Result<LogFiles> Open(std::string directory, const Head& expected);
  LogFiles(LogFiles&& other) noexcept;
  LogFiles& operator=(LogFiles&&) = delete;
  ~LogFiles();

  // Gives the records their sequences and appends them; durable when it returns. Where somebody has removed the file or
  // changed its length they go into a new one. kIo, kResourceExhausted: nothing of them counts, and the next call
  // begins where this one did.
  Status Append(std::span<Record> records);
  [[nodiscard]] const Head& head() const { return head_; }
  // Whether the end that was expected was not there.
  [[nodiscard]] bool lost() const { return lost_; }
  // Whether no file at all was there.
  [[nodiscard]] bool absent() const { return absent_; }

 private:
  explicit LogFiles(std::string directory) : directory_(std::move(directory)) {}
  Status Roll();
  // Whether the file that is open is in the directory and as long as this one left it.
  [[nodiscard]] bool FileIsAsLeft() const;

  std::string directory_;
  Head head_;
  bool lost_ = false;
  bool absent_ = false;
  int file_ = -1;
  uint64_t file_bytes_ = 0;
};

}  // namespace tidemark::server::audit
