// BackendModel: the DCE backend of the dashboard card, as a function of time: seven components, an API and connections.
//
// The state at a time depends on seed, time and drills alone: no clock, no history. Load follows the hour of the day,
// noise is drawn per sample, and incidents (a latency spike, an overload, a run of errors) come now and then, and where
// a drill has them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/demo/drill.h"
#include "tools/demo/story.h"

namespace tidemark::demo {

// A lognormal distribution of latencies.
struct Latency {
  double median_s = 0;
  double sigma = 0;
  [[nodiscard]] double mean_s() const { return median_s * std::exp(sigma * sigma / 2); }
  // The share that takes at most `seconds`.
  [[nodiscard]] double ShareUpTo(double seconds) const {
    return 0.5 * std::erfc(-std::log(seconds / median_s) / (sigma * std::sqrt(2.0)));
  }
};

enum class Status { kOptimal = 0, kHighLoad = 1, kDegraded = 2 };
// "optimal", "high load", "degraded".
std::string_view Name(Status status);

struct Incident {
  IncidentKind kind = IncidentKind::kNone;
  double severity = 0;  // in [0, 1)
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
};

struct ComponentState {
  Latency latency;
  double throughput = 0;   // requests per second
  double error_share = 0;  // of them
  double cpu_percent = 0;
  double memory_bytes = 0;
  Status status = Status::kOptimal;
  Incident incident;  // kNone when there is none now
};

struct Change {
  int64_t time_ns = 0;
  enum class Kind { kDeployed, kScaledUp, kScaledDown } kind = Kind::kDeployed;
  int64_t build = 0;  // of a deployment: later ones have higher numbers
};

struct MethodState {
  Latency latency;
  double throughput = 0;
  Incident incident;  // of the API, which all methods share; kNone when there is none now
};

struct ComponentSpec {
  std::string_view tag;
  std::string_view title;
  double median_ms;
  double throughput;
  double cpu_percent;
  double memory_mb;
};

struct MethodSpec {
  std::string_view tag;
  double p99_ms;
  double share;  // of the API's requests
};

struct ConnectionSpec {
  std::string_view tag;
  double active;
};

inline constexpr std::array<ComponentSpec, 7> kComponents{{
    {"call_router", "Call Router", 0.4, 2'100'000, 45, 245},
    {"bid_engine", "Bid Engine", 1.7, 124'000, 65, 512},
    {"compliance", "Compliance Check", 0.96, 580'000, 32, 128},
    {"fraud", "Fraud Detection", 2.7, 89'000, 56, 768},
    {"financial", "Financial Service", 1.44, 234'000, 28, 196},
    {"analytics", "Analytics Engine", 3.4, 45'000, 73, 892},
    {"telephony", "Telephony Gateway", 0.64, 1'800'000, 38, 312},
}};
static_assert(kComponents.size() == kApi);
inline constexpr std::array<MethodSpec, 4> kMethods{
    {{"GET", 28, 0.60}, {"POST", 35, 0.25}, {"PUT", 31, 0.10}, {"DELETE", 22, 0.05}}};
inline constexpr std::array<ConnectionSpec, 3> kConnections{{{"websocket", 45'123}, {"grpc", 32'456}, {"rest", 9'655}}};
inline constexpr double kConnectionCapacity = 200'000;
inline constexpr double kApiRequestsPerSecond = 9'600;

// Thread-safe but for BeginDrills.
class BackendModel {
 public:
  // `today_ns` ends the story's last week.
  BackendModel(uint64_t seed, int64_t today_ns) : chance_(seed), today_ns_(today_ns) {}

  // Has the incidents of kDrills happen from `begin_ns` on; their begins and lengths are multiplied by `scale` > 0.
  // Not while another thread asks.
  void BeginDrills(int64_t begin_ns, double scale) {
    drills_begin_ns_ = begin_ns;
    drill_scale_ = scale;
  }

  [[nodiscard]] ComponentState ComponentAt(size_t component, int64_t time_ns) const;
  [[nodiscard]] MethodState MethodAt(size_t method, int64_t time_ns) const;
  [[nodiscard]] double ConnectionsAt(size_t kind, int64_t time_ns) const;
  // What operators did in (after_ns, until_ns], at most a day long, in the order of time: a deployment of a component
  // about every four hours and at the end of drills that want one, more or fewer replicas in the morning and in the
  // evening.
  [[nodiscard]] std::vector<Change> ChangesIn(size_t component, int64_t after_ns, int64_t until_ns) const;

 private:
  // Around 1: the hour of the day, and noise of the stream.
  [[nodiscard]] double LoadAt(uint64_t stream, int64_t time_ns) const;
  [[nodiscard]] Incident IncidentAt(size_t component, int64_t time_ns) const;
  // Begin and end of a drill; both are 0 without drills.
  [[nodiscard]] std::pair<int64_t, int64_t> SpanOf(const Drill& drill) const;

  Chance chance_;
  int64_t today_ns_;
  int64_t drills_begin_ns_ = 0;
  double drill_scale_ = 0;  // 0: no drills
};

}  // namespace tidemark::demo
