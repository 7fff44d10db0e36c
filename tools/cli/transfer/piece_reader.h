// PieceReader: a source of points, whatever its form, piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/transfer/files.h"
#include "tools/transfer/piece.h"

namespace tidemark::cli {

// What a reader has passed over, and why.
struct Skipped {
  std::string what;  // "native histograms"
  uint64_t count = 0;
  bool harmless = false;  // nothing is lost by it
};

// Not thread-safe. Reads the same pieces in the same order each time that the source is the same, so that the number of
// pieces that are done says where to go on.
class PieceReader {
 public:
  virtual ~PieceReader() = default;
  // Replaces `piece` by the next one; false: there are no more.
  virtual Result<bool> Next(transfer::Piece* piece) = 0;
  // Into which database the last piece belongs, by the source; "": the source does not say.
  [[nodiscard]] virtual std::string database() const { return {}; }
  // The same of the retention policy in it, where that is not the usual one.
  [[nodiscard]] virtual std::string policy() const { return {}; }
  // Where the last piece goes: `wanted`, or with "" the database of the source; what is of another retention policy
  // goes into a database of its own, DATABASE.POLICY, since it may hold the same series at the same times. "" when
  // nobody says.
  [[nodiscard]] std::string DatabaseFor(const std::string& wanted) const {
    const std::string name = wanted.empty() ? database() : wanted;
    return name.empty() || policy().empty() ? name : name + "." + policy();
  }
  // Whether the last piece must be on disk before any other is written that this is not said of.
  [[nodiscard]] virtual bool apart() const { return false; }
  // How much of the source has been read, of how much; 0 where it is not known.
  struct Progress {
    uint64_t done = 0;
    uint64_t all = 0;
  };
  [[nodiscard]] virtual Progress progress() const = 0;
  [[nodiscard]] virtual std::vector<Skipped> skipped() const { return {}; }
  // A sentence for each point of which the source has several values, kConflictsMax at most; they count as skipped.
  static constexpr size_t kConflictsMax = 100;
  [[nodiscard]] virtual std::vector<std::string> conflicts() const { return {}; }
  // Sentences of what may be amiss though everything was read, at the end.
  [[nodiscard]] virtual std::vector<std::string> remarks() const { return {}; }
  static constexpr const char* kNoEnd = "the last line has no end: the file may be cut";
};

// Opens the source again, at its beginning; null when that cannot be.
using Reopen = std::function<Result<std::unique_ptr<PieceReader>>()>;

// Lines of a file, each without its line feed. Not thread-safe.
class FileLines {
 public:
  // A longer line is refused.
  static constexpr size_t kLineBytesMax = size_t{256} << 20;

  explicit FileLines(std::unique_ptr<InFile> file) : file_(std::move(file)) {}
  // false: there are no more. The line is valid until the next call.
  Result<bool> Next(std::string_view* line);
  // Whether the last one had no line feed, where the file ends.
  [[nodiscard]] bool open_end() const { return open_end_; }
  // Of the last one, from 1.
  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] PieceReader::Progress progress() const { return {file_->bytes_read(), file_->bytes_all()}; }
  // The error with the number of the last line.
  [[nodiscard]] Error At(const Error& error) const;

 private:
  const std::unique_ptr<InFile> file_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t number_ = 0;
  bool ended_ = false;
  bool open_end_ = false;
};

}  // namespace tidemark::cli
