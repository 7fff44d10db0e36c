// Target: where points are read from and written to: a server that runs, or a data directory whose server has stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece.h"

namespace tidemark::cli {

// Which one: a directory when `data` is not empty.
struct Place {
  std::string server;
  std::string data;
};

// Which points of a database.
struct Wanted {
  std::string database;
  std::vector<std::string> match = {};  // selectors; none: all series
  // Milliseconds since 1970; the end stands for all of its millisecond.
  std::optional<int64_t> start_ms = {};
  std::optional<int64_t> end_ms = {};
};

struct Written {
  uint64_t points = 0;
  uint64_t rejected = 0;
  std::vector<std::string> why = {};  // of the first of them
};

// Not thread-safe.
class Target {
 public:
  // `stop` ends what is under way with kCancelled.
  static Result<std::unique_ptr<Target>> Open(const Place& place, std::stop_token stop);
  virtual ~Target() = default;

  [[nodiscard]] virtual Result<std::vector<std::string>> Databases() = 0;

  // Called with each piece, which it may change; an error ends the reading.
  using Take = std::function<Status(transfer::Piece* piece)>;
  // What was read, and what could not be. kNotFound: no such database.
  virtual Result<transfer::ExportEnd> Read(const Wanted& wanted, const Take& take) = 0;
  // Of how many series how many have been read, while Read is at work; 0 of 0 where that is not known.
  struct SeriesDone {
    uint64_t done = 0;
    uint64_t all = 0;
  };
  [[nodiscard]] virtual SeriesDone series_done() const { return {}; }

  // On disk when it returns. Waits and tries again while a server is busy. The database comes into being.
  virtual Result<Written> Write(const std::string& database, std::span<const transfer::Piece> pieces) = 0;
  // Takes a database away again.
  virtual Status Drop(const std::string& database) = 0;
  // After the last Write.
  virtual Status Close() { return {}; }
};

// For Target::Open.
Result<std::unique_ptr<Target>> OpenServer(const std::string& address, std::stop_token stop);
Result<std::unique_ptr<Target>> OpenDirectory(const std::string& directory, std::stop_token stop);

}  // namespace tidemark::cli
