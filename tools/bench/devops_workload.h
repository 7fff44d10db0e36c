// DevopsWorkload: the cpu measurement of TSBS (https://github.com/timescale/tsbs, cpu-only): per host ten tags and ten
// fields that walk at random between 0 and 100, one row per host and interval, all hosts of one time before the next.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::bench {

inline constexpr size_t kDevopsFields = 10;

struct DevopsOptions {
  uint32_t hosts = 100;
  int64_t start_s = 1'451'606'400;  // 2016-01-01T00:00:00Z
  int64_t seconds = 3600;
  int64_t interval_s = 10;
  bool decimals = false;  // two decimals instead of integers
  uint64_t seed = 1;
};

using DevopsTags = std::vector<std::pair<std::string, std::string>>;

struct DevopsRow {
  uint32_t host = 0;
  int64_t time_s = 0;
  std::array<double, kDevopsFields> values{};  // not rounded; what is written has no decimals, or two
};

// Not thread-safe.
class DevopsWorkload {
 public:
  explicit DevopsWorkload(const DevopsOptions& options);

  // False when the workload is over.
  bool Next(DevopsRow* row);

  [[nodiscard]] const DevopsOptions& options() const { return options_; }
  // In the order in which TSBS writes them.
  [[nodiscard]] const DevopsTags& tags(uint32_t host) const { return tags_[host]; }
  [[nodiscard]] uint64_t rows() const {
    return static_cast<uint64_t>(options_.seconds / options_.interval_s) * options_.hosts;
  }

  static const char* FieldName(size_t index);

 private:
  const DevopsOptions options_;
  std::mt19937_64 random_;
  std::normal_distribution<double> step_{0.0, 1.0};
  std::vector<DevopsTags> tags_;
  std::vector<double> values_;
  int64_t time_s_;
  uint32_t host_ = 0;
};

}  // namespace tidemark::bench
