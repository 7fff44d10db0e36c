#include "executor/telemetry/host_sampler.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "executor/telemetry/proc_text.h"

namespace tidemark::executor {
namespace {

constexpr int64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the device's own
constexpr int64_t kKibibyte = 1024;
constexpr int64_t kAskSpeedEveryNs = 60'000'000'000;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

double Percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

// Whether it cannot be a count of ticks or KiB: below 0, or so large that a few of them added up would overflow.
bool IsNoCount(int64_t value) { return value < 0 || value > int64_t{1} << 52; }

// a * b, or the largest number when that does not fit.
int64_t Times(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

// Numbers from position `first` on; a word that is not a number ends them.
std::vector<int64_t> Numbers(const std::vector<std::string_view>& words, size_t first) {
  std::vector<int64_t> numbers;
  for (size_t i = first; i < words.size(); ++i) {
    const std::optional<int64_t> number = ToInt(words[i]);
    if (!number) break;
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

HostSampler::HostSampler(HostSamplerOptions options) : options_(std::move(options)) {
  if (options_.host.empty()) options_.host = HostName();
}

model::BatchBuilder& HostSampler::Row(model::BatchBuilder& rows, std::string_view measurement, model::Timestamp time,
                                      std::vector<model::LabelView> tags) const {
  tags.push_back({"host", options_.host});
  return rows.Row(measurement, tags, time);
}

std::optional<std::string> HostSampler::Proc(std::string_view file) const {
  return ReadProcFile(options_.proc_root + "/" + std::string(file));
}

void HostSampler::Sample(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows) {
  SampleCpu(time, rows);
  SampleSystem(time, rows);
  SampleMemory(time, rows);
  SamplePressure(time, rows);
  SampleDiskIo(time, rows);
  SampleFilesystem(time, rows);
  SampleNetwork(time, steady_ns, rows);
  SampleProcess(time, steady_ns, rows);
}

void HostSampler::SampleCpu(model::Timestamp time, model::BatchBuilder& rows) {
  const std::optional<std::string> file = Proc("stat");
  if (!file) return;
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    if (!line->starts_with("cpu")) continue;
    const std::vector<std::string_view> words = Words(*line);
    const std::vector<int64_t> numbers = Numbers(words, 1);
    // Old kernels have fewer columns; the first four are always there.
    if (numbers.size() < 4 || std::any_of(numbers.begin(), numbers.end(), IsNoCount)) continue;
    CpuTimes now{};
    std::copy_n(numbers.begin(), std::min<size_t>(numbers.size(), kCpuModes), now.begin());
    const std::string name = words[0] == "cpu" ? "cpu-total" : std::string(words[0]);
    const auto [last, first_time] = last_cpu_.try_emplace(name, now);
    if (first_time) continue;
    CpuTimes spent{};
    int64_t all = 0;
    for (size_t i = 0; i < kCpuModes; ++i) {
      // Idle and I/O wait may go back a little (proc(5)), and a processor that was offline starts again.
      spent[i] = std::max<int64_t>(0, now[i] - last->second[i]);
      all += spent[i];
    }
    last->second = now;
    if (all == 0) continue;
    Row(rows, "cpu", time, {{"cpu", name}})
        .Field("usage_user", Percent(spent[kUser], all))
        .Field("usage_nice", Percent(spent[kNice], all))
        .Field("usage_system", Percent(spent[kSystem], all))
        .Field("usage_idle", Percent(spent[kIdle], all))
        .Field("usage_iowait", Percent(spent[kIowait], all))
        .Field("usage_irq", Percent(spent[kIrq], all))
        .Field("usage_softirq", Percent(spent[kSoftirq], all))
        .Field("usage_steal", Percent(spent[kSteal], all))
        .Field("usage_active", Percent(all - spent[kIdle] - spent[kIowait], all));
  }
}

void HostSampler::SampleSystem(model::Timestamp time, model::BatchBuilder& rows) const {
  const std::optional<std::string> load = Proc("loadavg");
  if (!load) return;
  const std::vector<std::string_view> words = Words(std::string_view(*load).substr(0, load->find('\n')));
  if (words.size() < 4) return;
  const auto load1 = ToDouble(words[0]), load5 = ToDouble(words[1]), load15 = ToDouble(words[2]);
  if (!load1 || !load5 || !load15) return;
  model::BatchBuilder& row = Row(rows, "system", time);
  row.Field("load1", *load1).Field("load5", *load5).Field("load15", *load15);
  const size_t slash = words[3].find('/');
  if (slash != std::string_view::npos) {
    const auto running = ToInt(words[3].substr(0, slash)), total = ToInt(words[3].substr(slash + 1));
    if (running && total) row.Field("threads_running", *running).Field("threads", *total);
  }
  if (const std::optional<std::string> uptime = Proc("uptime"); uptime) {
    const std::vector<std::string_view> parts = Words(*uptime);
    const auto seconds = parts.empty() ? std::nullopt : ToDouble(parts[0]);
    if (seconds) row.Field("uptime_seconds", *seconds);
  }
}

void HostSampler::SampleMemory(model::Timestamp time, model::BatchBuilder& rows) const {
  const std::optional<std::string> file = Proc("meminfo");
  if (!file) return;
  std::map<std::string_view, int64_t> bytes;
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    const std::vector<std::string_view> words = Words(*line);
    if (words.size() < 2 || !words[0].ends_with(':')) continue;
    const std::optional<int64_t> kibibytes = ToInt(words[1]);
    if (!kibibytes || IsNoCount(*kibibytes)) continue;
    bytes[words[0].substr(0, words[0].size() - 1)] = *kibibytes * kKibibyte;
  }
  if (bytes.contains("MemTotal") && bytes.contains("MemFree")) {
    const int64_t total = bytes["MemTotal"];
    // Kernels before 3.14 do not say what is available.
    const int64_t available =
        bytes.contains("MemAvailable") ? bytes["MemAvailable"] : bytes["MemFree"] + bytes["Buffers"] + bytes["Cached"];
    Row(rows, "mem", time)
        .Field("total", total)
        .Field("available", available)
        .Field("used", total - available)
        .Field("free", bytes["MemFree"])
        .Field("buffered", bytes["Buffers"])
        .Field("cached", bytes["Cached"])
        .Field("dirty", bytes["Dirty"])
        .Field("used_percent", Percent(total - available, total));
  }
  if (bytes.contains("SwapTotal") && bytes.contains("SwapFree")) {
    const int64_t total = bytes["SwapTotal"], used = total - bytes["SwapFree"];
    model::BatchBuilder& row = Row(rows, "swap", time);
    row.Field("total", total)
        .Field("used", used)
        .Field("free", bytes["SwapFree"])
        .Field("used_percent", Percent(used, total));
    if (const std::optional<std::string> vmstat = Proc("vmstat"); vmstat) {
      const int64_t page_bytes = sysconf(_SC_PAGESIZE);
      std::string_view lines = *vmstat;
      while (const auto line = NextLine(lines)) {
        const std::vector<std::string_view> words = Words(*line);
        if (words.size() != 2 || (words[0] != "pswpin" && words[0] != "pswpout")) continue;
        if (const auto pages = ToInt(words[1]); pages) {
          row.Field(words[0] == "pswpin" ? "in" : "out", Times(*pages, page_bytes));
        }
      }
    }
  }
}

void HostSampler::SamplePressure(model::Timestamp time, model::BatchBuilder& rows) const {
  for (const std::string_view resource : {"cpu", "memory", "io"}) {
    const std::optional<std::string> file = Proc("pressure/" + std::string(resource));
    if (!file) continue;
    std::string_view text = *file;
    while (const auto line = NextLine(text)) {
      const std::vector<std::string_view> words = Words(*line);
      if (words.size() < 2 || (words[0] != "some" && words[0] != "full")) continue;
      model::BatchBuilder& row = Row(rows, "pressure", time, {{"resource", resource}, {"share", words[0]}});
      for (size_t i = 1; i < words.size(); ++i) {
        const size_t equals = words[i].find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = words[i].substr(0, equals), value = words[i].substr(equals + 1);
        if (name == "total") {
          if (const auto microseconds = ToInt(value); microseconds) {
            row.Field("stalled_seconds", static_cast<double>(*microseconds) / 1e6);
          }
        } else if (name == "avg10" || name == "avg60" || name == "avg300") {
          if (const auto percent = ToDouble(value); percent) row.Field(name, *percent);
        }
      }
    }
  }
}

void HostSampler::SampleDiskIo(model::Timestamp time, model::BatchBuilder& rows) const {
  const std::optional<std::string> file = Proc("diskstats");
  if (!file) return;
  std::error_code error;
  const bool know_devices = std::filesystem::is_directory(options_.sys_root + "/block", error);
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    const std::vector<std::string_view> words = Words(*line);
    if (words.size() < 14) continue;
    const std::string_view name = words[2];
    if (name.starts_with("loop") || name.starts_with("ram")) continue;
    // Partitions would count everything twice. In /sys a slash in the name is written as an exclamation mark.
    if (know_devices) {
      std::string folder(name);
      std::replace(folder.begin(), folder.end(), '/', '!');
      if (!std::filesystem::exists(options_.sys_root + "/block/" + folder, error)) continue;
    }
    const std::vector<int64_t> n = Numbers(words, 3);
    if (n.size() < 11 || (n[0] == 0 && n[4] == 0)) continue;
    Row(rows, "diskio", time, {{"name", name}})
        .Field("reads", n[0])
        .Field("read_bytes", Times(n[2], kSectorBytes))
        .Field("read_time_ms", n[3])
        .Field("writes", n[4])
        .Field("write_bytes", Times(n[6], kSectorBytes))
        .Field("write_time_ms", n[7])
        .Field("in_progress", n[8])
        .Field("io_time_ms", n[9])
        .Field("weighted_io_time_ms", n[10]);
  }
}

void HostSampler::SampleFilesystem(model::Timestamp time, model::BatchBuilder& rows) const {
  struct statvfs space{};
  if (options_.data_directory.empty() || statvfs(options_.data_directory.c_str(), &space) != 0) return;
  const auto bytes = [&](uint64_t blocks) { return static_cast<int64_t>(blocks * space.f_frsize); };
  const int64_t total = bytes(space.f_blocks), free = bytes(space.f_bfree), available = bytes(space.f_bavail);
  Row(rows, "disk", time, {{"path", options_.data_directory}})
      .Field("total", total)
      .Field("used", total - free)
      .Field("free", available)
      // As df counts: of what users may have, without what is kept for root.
      .Field("used_percent", Percent(total - free, total - free + available))
      .Field("inodes_total", static_cast<int64_t>(space.f_files))
      .Field("inodes_free", static_cast<int64_t>(space.f_ffree));
}

int64_t HostSampler::SpeedOf(std::string_view interface) const {
  // In megabits per second; -1, or no answer, where there is no link or it is a virtual one.
  const auto text = ReadProcFile(options_.sys_root + "/class/net/" + std::string(interface) + "/speed");
  if (!text) return 0;
  const std::vector<std::string_view> words = Words(std::string_view(*text).substr(0, text->find('\n')));
  const auto megabits = words.size() == 1 ? ToInt(words[0]) : std::nullopt;
  return megabits && *megabits > 0 && *megabits < int64_t{1} << 31 ? *megabits * (1'000'000 / 8) : 0;
}

void HostSampler::SampleNetwork(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows) {
  const std::optional<std::string> file = Proc("net/dev");
  if (!file) return;
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    // Names may hold colons (aliases); counters do not.
    const size_t colon = line->rfind(':');
    if (colon == std::string_view::npos) continue;
    const std::vector<std::string_view> name = Words(line->substr(0, colon));
    const std::vector<int64_t> n = Numbers(Words(line->substr(colon + 1)), 0);
    if (name.size() != 1 || n.size() < 16 || (n[1] == 0 && n[9] == 0)) continue;
    model::BatchBuilder& row = Row(rows, "net", time, {{"interface", name[0]}})
                                   .Field("bytes_recv", n[0])
                                   .Field("packets_recv", n[1])
                                   .Field("err_in", n[2])
                                   .Field("drop_in", n[3])
                                   .Field("bytes_sent", n[8])
                                   .Field("packets_sent", n[9])
                                   .Field("err_out", n[10])
                                   .Field("drop_out", n[11]);
    Link& link = links_[std::string(name[0])];
    if (!link.known || steady_ns - link.asked_ns >= kAskSpeedEveryNs) {
      link.speed = SpeedOf(name[0]);
      link.asked_ns = steady_ns;
    }
    if (link.speed > 0) {
      row.Field("speed_bytes_per_second", link.speed);
      // Counters that went back are those of a new interface.
      if (link.known && steady_ns > link.at_ns && n[0] >= link.received && n[8] >= link.sent) {
        const auto bytes = static_cast<double>(std::max(n[0] - link.received, n[8] - link.sent));
        const double seconds = static_cast<double>(steady_ns - link.at_ns) / 1e9;
        row.Field("used_percent", 100.0 * bytes / seconds / static_cast<double>(link.speed));
      }
    }
    link.received = n[0];
    link.sent = n[8];
    link.at_ns = steady_ns;
    link.known = true;
  }
}

void HostSampler::SampleProcess(model::Timestamp time, int64_t steady_ns, model::BatchBuilder& rows) {
  const std::optional<std::string> stat = Proc("self/stat");
  if (!stat) return;
  // The second column is the program's name in parentheses, which may hold anything.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return;
  const std::vector<std::string_view> words = Words(std::string_view(*stat).substr(name_end + 1));
  // Columns of proc_pid_stat(5), counted from the third (state): utime 14, stime 15, num_threads 20, vsize 23, rss 24.
  if (words.size() < 22) return;
  const auto user = ToInt(words[11]), system = ToInt(words[12]), threads = ToInt(words[17]);
  const auto virtual_bytes = ToInt(words[20]), rss_pages = ToInt(words[21]);
  if (!user || !system || !threads || !virtual_bytes || !rss_pages) return;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (IsNoCount(*user) || IsNoCount(*system)) return;
  const int64_t ticks = *user + *system;
  model::BatchBuilder& row = Row(rows, "process", time);
  row.Field("cpu_user_seconds", static_cast<double>(*user) / ticks_per_second)
      .Field("cpu_system_seconds", static_cast<double>(*system) / ticks_per_second)
      .Field("rss_bytes", Times(*rss_pages, sysconf(_SC_PAGESIZE)))
      .Field("virtual_bytes", *virtual_bytes)
      .Field("threads", *threads);
  if (last_process_ticks_ >= 0 && steady_ns > last_process_ns_) {
    const double seconds = static_cast<double>(steady_ns - last_process_ns_) / 1e9;
    row.Field("cpu_percent", 100.0 * static_cast<double>(ticks - last_process_ticks_) / ticks_per_second / seconds);
  }
  last_process_ticks_ = ticks;
  last_process_ns_ = steady_ns;

  std::error_code error;
  std::filesystem::directory_iterator fds(options_.proc_root + "/self/fd", error);
  int64_t open_files = 0;
  for (const std::filesystem::directory_iterator end; !error && fds != end; fds.increment(error)) ++open_files;
  // The iterator's own descriptor was among them.
  if (!error && open_files > 0) row.Field("open_files", open_files - 1);

  if (const std::optional<std::string> io = Proc("self/io"); io) {
    std::string_view text = *io;
    while (const auto line = NextLine(text)) {
      const std::vector<std::string_view> parts = Words(*line);
      if (parts.size() != 2) continue;
      const auto bytes = ToInt(parts[1]);
      if (!bytes) continue;
      if (parts[0] == "read_bytes:") row.Field("read_bytes", *bytes);
      if (parts[0] == "write_bytes:") row.Field("write_bytes", *bytes);
    }
  }
}

}  // namespace tidemark::executor
