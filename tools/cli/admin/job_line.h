// JobLine: a job as a line that a person reads: how far it is, how fast, how long it takes still; and what became of
// it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli {

// Takes the lines of a reply that follows a job. Not thread-safe.
class JobLine {
 public:
  // `seconds`: since the first line came. Lines that are none of a job are left out.
  void Take(std::string_view line, double seconds);

  // `compact of metrics: 3 of 10 partitions, 30 %, 12.3 MB read, 4.1 MB/s, 12 s left`.
  [[nodiscard]] std::string Progress() const;
  // `compact of metrics is done: 10 partitions, 12.3 MB before and 8.1 MB after: 4.2 MB won (34 %)`.
  [[nodiscard]] std::string Summary() const;
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  // What a verification has found, or a compaction has passed over, in words.
  [[nodiscard]] const std::vector<std::string>& damage() const { return damage_; }
  [[nodiscard]] bool damaged() const { return damaged_pages_.value_or(0) + left_.value_or(0) > 0; }

 private:
  std::string id_;
  std::string kind_;
  std::string database_;
  std::string state_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
  std::optional<uint64_t> bytes_;  // read, or copied
  std::optional<uint64_t> before_;
  std::optional<uint64_t> after_;
  std::optional<uint64_t> backup_;
  std::optional<uint64_t> backup_bytes_;  // of the whole backup
  std::optional<uint64_t> backup_files_;
  std::optional<uint64_t> pages_;
  std::optional<uint64_t> damaged_pages_;
  std::optional<uint64_t> left_;  // partitions
  std::vector<std::string> damage_;
  double seconds_ = 0;
  // As they were when the first line came: what was done before is no part of the rate.
  std::optional<uint64_t> first_done_;
  uint64_t first_bytes_ = 0;
};

}  // namespace tidemark::cli
