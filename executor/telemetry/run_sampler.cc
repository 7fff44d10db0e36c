#include "executor/telemetry/run_sampler.h"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "executor/telemetry/proc_text.h"
#include "executor/telemetry/process_tree.h"

namespace tidemark::executor {
namespace {

constexpr double kMediumPercent = 10, kHighPercent = 40;
// Sector numbers of diskstats, whatever the disk's own are.
constexpr int64_t kSectorBytes = 512;
constexpr int64_t kKibibyte = 1024;
// CPU times come in ticks of 10 ms: over shorter times a percentage says nothing.
constexpr int64_t kMinIntervalNs = 20'000'000;

int64_t Number(const std::vector<std::string_view>& words, size_t index) {
  return index < words.size() ? std::max<int64_t>(0, ToInt(words[index]).value_or(0)) : 0;
}

double Percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(std::clamp<int64_t>(part, 0, whole)) / static_cast<double>(whole) : 0;
}

double Rate(int64_t now, int64_t before, double seconds) {
  return seconds > 0 ? static_cast<double>(std::max<int64_t>(0, now - before)) / seconds : 0;
}

}  // namespace

std::string_view Name(PressureLevel level) {
  switch (level) {
    case PressureLevel::kLow: return "LOW";
    case PressureLevel::kMedium: return "MEDIUM";
    case PressureLevel::kHigh: return "HIGH";
  }
  return "LOW";
}

PressureLevel LevelOf(double memory_stall_percent) {
  if (memory_stall_percent >= kHighPercent) return PressureLevel::kHigh;
  return memory_stall_percent >= kMediumPercent ? PressureLevel::kMedium : PressureLevel::kLow;
}

RunSampler::RunSampler(RunSamplerOptions options, RunReporter& reporter,
                       std::function<std::vector<AgentProcesses>()> agents, const Clock& clock, int64_t started_ns)
    : options_(std::move(options)),
      reporter_(reporter),
      agents_(std::move(agents)),
      clock_(clock),
      started_ns_(started_ns) {}

RunSampler::~RunSampler() { Stop(); }

void RunSampler::Start() {
  thread_ = std::thread([this] { Loop(); });
}

SampledTotals RunSampler::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  totals_.io_wait = Percent(newest_cpu_.iowait - first_cpu_.iowait, newest_cpu_.all - first_cpu_.all) / 100;
  return totals_;
}

void RunSampler::Loop() {
  bool last = false;
  while (true) {
    Tick();
    timespec cpu{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    reporter_.SampledFor(int64_t{cpu.tv_sec} * 1'000'000'000 + cpu.tv_nsec);
    if (last) return;
    MutexLock lock(mutex_);
    // The machine's time, not the clock's: a clock that stands still must not make this spin.
    if (!stopping_) changed_.WaitFor(mutex_, std::chrono::nanoseconds(options_.period_ns));
    last = stopping_;
  }
}

std::optional<std::string> RunSampler::Proc(const std::string& file) const {
  return ReadProcFile(options_.proc_root + "/" + file);
}

void RunSampler::Tick() {
  const int64_t now_ns = clock_.SteadyNs();
  if (last_ns_ && now_ns - *last_ns_ < kMinIntervalNs) return;
  const double seconds = last_ns_ ? static_cast<double>(now_ns - *last_ns_) / 1e9 : 0;
  ResourceFacts facts;
  facts.after_ns = now_ns - started_ns_;
  SampleCpu(facts);
  SampleMemory(facts);
  SampleDisks(facts, seconds);
  SampleAgents(facts, seconds);
  if (last_ns_) reporter_.Resources(facts);
  last_ns_ = now_ns;
  if (facts.memory_pressure == level_) return;
  const bool up = facts.memory_pressure > level_;
  level_ = facts.memory_pressure;
  reporter_.Event(up ? EventLevel::kWarning : EventLevel::kInfo, "", "",
                  fmt::format("System: memory pressure {} to {}", up ? "increased" : "decreased", Name(level_)));
}

void RunSampler::SampleCpu(ResourceFacts& facts) {
  const auto file = Proc("stat");
  if (!file) return;
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    if (!line->starts_with("cpu")) break;  // they come first
    const auto words = Words(*line);
    CpuTimes now;
    // user nice system idle iowait irq softirq steal; guests are in user and nice already.
    for (size_t i = 1; i <= 8; ++i) now.all += Number(words, i);
    now.iowait = Number(words, 5);
    now.busy = now.all - Number(words, 4) - now.iowait;
    const auto [last, is_first] = last_cpu_.try_emplace(std::string(words[0]), now);
    const int64_t all = now.all - last->second.all;
    const double busy = Percent(now.busy - last->second.busy, all);
    if (words[0] == "cpu") {
      if (is_first) first_cpu_ = now;
      newest_cpu_ = now;
      facts.cpu_percent = busy;
      facts.iowait_percent = Percent(now.iowait - last->second.iowait, all);
    } else {
      facts.cores.push_back({std::string(words[0]), busy});
    }
    last->second = now;
  }
}

void RunSampler::SampleMemory(ResourceFacts& facts) {
  if (const auto file = Proc("meminfo"); file) {
    int64_t total = 0, swap_total = 0, swap_free = 0;
    std::string_view text = *file;
    while (const auto line = NextLine(text)) {
      const auto words = Words(*line);
      if (words.size() < 2) continue;
      const int64_t bytes = Number(words, 1) * kKibibyte;
      if (words[0] == "MemTotal:") total = bytes;
      if (words[0] == "MemAvailable:") facts.memory_available_bytes = bytes;
      if (words[0] == "SwapTotal:") swap_total = bytes;
      if (words[0] == "SwapFree:") swap_free = bytes;
    }
    facts.memory_used_percent = Percent(total - facts.memory_available_bytes, total);
    facts.swap_used_bytes = swap_total - swap_free;
    facts.budget_bytes = options_.memory_budget_bytes > 0 ? options_.memory_budget_bytes : total;
  }
  if (const auto file = Proc("pressure/memory"); file) {
    // some avg10=0.00 avg60=0.00 avg300=0.00 total=0
    static constexpr std::string_view kKey = "some avg10=";
    if (file->starts_with(kKey)) {
      const std::string_view rest = std::string_view(*file).substr(kKey.size());
      facts.memory_stall_percent = ToDouble(rest.substr(0, rest.find(' '))).value_or(0);
    }
  }
  facts.memory_pressure = LevelOf(facts.memory_stall_percent);
}

void RunSampler::SampleDisks(ResourceFacts& facts, double seconds) {
  const auto file = Proc("diskstats");
  if (!file) return;
  Io now;
  std::string_view text = *file;
  while (const auto line = NextLine(text)) {
    const auto words = Words(*line);
    if (words.size() < 14 || words[2].starts_with("loop") || words[2].starts_with("ram")) continue;
    const auto [known, is_new] = is_disk_.try_emplace(std::string(words[2]), false);
    if (is_new) {
      std::string folder(words[2]);
      std::replace(folder.begin(), folder.end(), '/', '!');
      std::error_code error;
      known->second = std::filesystem::exists(options_.sys_root + "/block/" + folder, error);
    }
    if (!known->second) continue;
    now.operations += Number(words, 3) + Number(words, 7);
    now.read_bytes += Number(words, 5) * kSectorBytes;
    now.written_bytes += Number(words, 9) * kSectorBytes;
    now.in_progress += Number(words, 11);
  }
  facts.queue_depth = now.in_progress;
  if (last_io_) {
    facts.read_bytes_per_second = Rate(now.read_bytes, last_io_->read_bytes, seconds);
    facts.written_bytes_per_second = Rate(now.written_bytes, last_io_->written_bytes, seconds);
    facts.operations_per_second = Rate(now.operations, last_io_->operations, seconds);
  }
  last_io_ = now;
}

void RunSampler::SampleAgents(ResourceFacts& facts, double seconds) {
  for (const AgentProcesses& agent : agents_()) {
    TreeUse use;
    for (const pid_t root : agent.roots) use += UseOfTree(root, options_.proc_root);
    const auto [last, is_first] = last_agent_cpu_ns_.try_emplace(agent.agent, 0);
    // A task that has ended takes its time with it; what is left then belongs to the next one, from its start.
    const int64_t spent_ns = use.cpu_ns >= last->second ? use.cpu_ns - last->second : use.cpu_ns;
    last->second = use.cpu_ns;
    facts.agents.push_back({.agent = agent.agent,
                            .processes = use.processes,
                            .rss_bytes = use.rss_bytes,
                            .cores = seconds > 0 ? static_cast<double>(spent_ns) / 1e9 / seconds : 0});
    facts.agents_rss_bytes += use.rss_bytes;
  }
  totals_.peak_rss_bytes = std::max(totals_.peak_rss_bytes, facts.agents_rss_bytes);
}

}  // namespace tidemark::executor
