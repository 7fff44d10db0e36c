// HostSampler: what the machine and this process are doing, from /proc and /sys, as rows (table: executor/README.md).
// Names of measurements and fields are those that Telegraf's users know, where it has the same figure.
//
// A file that is missing or does not read as expected costs its own rows and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "storage/model/labels.h"

namespace tidemark::executor {

struct HostSamplerOptions {
  std::string proc_root = "/proc";
  std::string sys_root = "/sys";
  // The folder whose filesystem's space is reported; "": none.
  std::string data_directory{};
  // The tag `host`; "": the machine's name.
  std::string host{};
};

// Not thread-safe.
class HostSampler {
 public:
  explicit HostSampler(HostSamplerOptions options);

  // Appends the rows of this moment, all at `time`. `steady_ns` (Clock::SteadyNs) measures the way from the call
  // before: percentages of CPU time are of that interval, so the first call has none.
  void Sample(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows);

 private:
  // The columns of a cpu line of /proc/stat that add up to all time: user and nice hold the guests' time too.
  enum CpuMode { kUser, kNice, kSystem, kIdle, kIowait, kIrq, kSoftirq, kSteal, kCpuModes };
  using CpuTimes = std::array<int64_t, kCpuModes>;

  model::BatchBuilder& Row(model::BatchBuilder& rows, std::string_view measurement, model::Timestamp time,
                           std::vector<model::LabelView> tags = {}) const;
  [[nodiscard]] std::optional<std::string> Proc(std::string_view file) const;

  void SampleCpu(model::Timestamp time, model::BatchBuilder& rows);
  void SampleSystem(model::Timestamp time, model::BatchBuilder& rows) const;
  void SampleMemory(model::Timestamp time, model::BatchBuilder& rows) const;
  void SamplePressure(model::Timestamp time, model::BatchBuilder& rows) const;
  void SampleDiskIo(model::Timestamp time, model::BatchBuilder& rows) const;
  void SampleFilesystem(model::Timestamp time, model::BatchBuilder& rows) const;
  void SampleNetwork(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows);
  // What an interface carries at most, in bytes per second and direction; 0: it does not know.
  [[nodiscard]] int64_t SpeedOf(std::string_view interface) const;
  void SampleProcess(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows);

  // Of an interface: its speed, which drivers take a lock for, is asked for once a minute.
  struct Link {
    int64_t speed = 0;
    int64_t asked_ns = 0;
    int64_t received = 0;
    int64_t sent = 0;
    int64_t at_ns = 0;
    bool known = false;
  };

  HostSamplerOptions options_;
  std::map<std::string, Link, std::less<>> links_;
  std::map<std::string, CpuTimes, std::less<>> last_cpu_;
  int64_t last_process_ticks_ = -1;
  int64_t last_process_ns_ = 0;
};

}  // namespace tidemark::executor
