#include "tools/demo/backend_model.h"

#include <algorithm>
#include <numbers>

namespace tidemark::demo {
namespace {

constexpr double kComponentSigma = 0.35;  // P99 / median = 2.26, as the call router's 0.9 / 0.4
constexpr double kMethodSigma = 0.45;
constexpr double kNormalP99 = 2.3263478740408408;

// At most one incident of a component begins in each slot, in its first half.
constexpr int64_t kIncidentSlot = 3'600 * kSecond;
constexpr double kIncidentShare = 0.05;
constexpr int64_t kIncidentLeast = 180 * kSecond;
constexpr int64_t kIncidentSpread = 540 * kSecond;

// At most one deployment of a component begins in each slot.
constexpr int64_t kDeploymentSlot = 2 * 3'600 * kSecond;
constexpr double kDeploymentShare = 0.5;

// Replicas are added before the busy hours and taken away after them, one component after the other.
constexpr int64_t kDay = 86'400 * kSecond;
constexpr int64_t kScaleUpAt = 9 * 3'600 * kSecond;
constexpr int64_t kScaleDownAt = 21 * 3'600 * kSecond;
constexpr int64_t kScaleApart = 420 * kSecond;

constexpr double kHighLoadPercent = 70;
constexpr double kDegradedLatency = 2;
constexpr double kDegradedErrors = 0.05;

// Streams of chance; components, methods and kinds count on from them.
enum Stream : uint64_t {
  kLoad = 100,
  kCpu = 200,
  kMemory = 300,
  kLatencyNoise = 400,
  kIncident = 500,
  kMethod = 600,
  kConnection = 700,
  kDeployment = 800
};

}  // namespace

std::string_view Name(Status status) {
  switch (status) {
    case Status::kOptimal: return "optimal";
    case Status::kHighLoad: return "high load";
    case Status::kDegraded: return "degraded";
  }
  return "unknown";
}

double BackendModel::LoadAt(uint64_t stream, int64_t time_ns) const {
  const double hour = static_cast<double>(time_ns / kSecond % 86'400) / 3'600;
  // The busiest hour is 15:00 UTC. The noise changes each ten seconds, so that peaks are higher than what is sustained.
  const double day = 0.06 * std::cos((hour - 15) / 24 * 2 * std::numbers::pi);
  return 1 + day + 0.02 * chance_.Bell(stream, time_ns / (10 * kSecond));
}

std::pair<int64_t, int64_t> BackendModel::SpanOf(const Drill& drill) const {
  if (drill_scale_ <= 0) return {0, 0};
  const auto scaled = [&](int64_t ns) { return static_cast<int64_t>(static_cast<double>(ns) * drill_scale_); };
  const int64_t begin_ns = drills_begin_ns_ + scaled(drill.begin_ns);
  return {begin_ns, begin_ns + scaled(drill.length_ns)};
}

Incident BackendModel::IncidentAt(size_t component, int64_t time_ns) const {
  for (const Drill& drill : kDrills) {
    const auto [begin_ns, end_ns] = SpanOf(drill);
    if (drill.component == component && time_ns >= begin_ns && time_ns < end_ns)
      return {drill.kind, kDrillSeverity, begin_ns, end_ns};
  }
  const int64_t slot = time_ns / kIncidentSlot;
  const uint64_t stream = kIncident + component * 8;
  if (chance_.Uniform(stream, slot) >= kIncidentShare) return {};
  Incident incident;
  incident.begin_ns = slot * kIncidentSlot +
                      static_cast<int64_t>(chance_.Uniform(stream + 1, slot) * static_cast<double>(kIncidentSlot / 2));
  incident.end_ns = incident.begin_ns + kIncidentLeast +
                    static_cast<int64_t>(chance_.Uniform(stream + 2, slot) * static_cast<double>(kIncidentSpread));
  if (time_ns < incident.begin_ns || time_ns >= incident.end_ns) return {};
  const double kind = chance_.Uniform(stream + 3, slot);
  incident.kind = kind < 0.4 ? IncidentKind::kLatency : kind < 0.8 ? IncidentKind::kOverload : IncidentKind::kErrors;
  incident.severity = chance_.Uniform(stream + 4, slot);
  return incident;
}

ComponentState BackendModel::ComponentAt(size_t component, int64_t time_ns) const {
  const ComponentSpec& spec = kComponents[component];
  const Week& week = kStory[WeekAt(time_ns, today_ns_)];
  const int64_t sample = time_ns / kSecond;
  const double load = LoadAt(kLoad + component, time_ns);
  ComponentState state;
  state.incident = IncidentAt(component, time_ns);
  double latency =
      week.backend_latency * (1 + 0.3 * (load - 1) + 0.01 * chance_.Bell(kLatencyNoise + component, sample));
  state.throughput = spec.throughput * week.backend_throughput * load;
  state.error_share = week.failure_share * (1 + 0.2 * chance_.Bell(kLatencyNoise + 50 + component, sample));
  double cpu = spec.cpu_percent * load + 1.2 * chance_.Bell(kCpu + component, sample);
  double memory_mb = spec.memory_mb * (1 + 0.03 * chance_.Bell(kMemory + component, time_ns / (600 * kSecond)));
  switch (state.incident.kind) {
    case IncidentKind::kNone: break;
    case IncidentKind::kLatency: latency *= 2.5 + 2.5 * state.incident.severity; break;
    case IncidentKind::kOverload:
      latency *= 1.4 + 0.6 * state.incident.severity;
      cpu += 15 + 15 * state.incident.severity;
      memory_mb *= 1.2;
      break;
    case IncidentKind::kErrors:
      state.error_share = 0.1 + 0.3 * state.incident.severity;
      state.throughput *= 0.55;  // in the busiest hour, too, less than the card's threshold
      break;
  }
  state.latency = {spec.median_ms / 1'000 * latency, kComponentSigma};
  state.cpu_percent = std::clamp(cpu, 0.0, 100.0);
  state.memory_bytes = std::round(memory_mb * 1'048'576);
  if (latency / week.backend_latency >= kDegradedLatency || state.error_share >= kDegradedErrors) {
    state.status = Status::kDegraded;
  } else if (state.cpu_percent > kHighLoadPercent) {
    state.status = Status::kHighLoad;
  }
  return state;
}

MethodState BackendModel::MethodAt(size_t method, int64_t time_ns) const {
  const MethodSpec& spec = kMethods[method];
  const Week& week = kStory[WeekAt(time_ns, today_ns_)];
  const double load = LoadAt(kMethod + method, time_ns);
  MethodState state;
  const double median_s = spec.p99_ms / 1'000 / std::exp(kNormalP99 * kMethodSigma);
  double latency = week.backend_latency * (1 + 0.3 * (load - 1));
  // Whatever goes wrong with the API, its callers wait.
  state.incident = IncidentAt(kApi, time_ns);
  if (state.incident.kind != IncidentKind::kNone) latency *= 2.5 + 2.5 * state.incident.severity;
  state.latency = {median_s * latency, kMethodSigma};
  state.throughput = kApiRequestsPerSecond * spec.share * week.backend_throughput * load;
  return state;
}

std::vector<Change> BackendModel::ChangesIn(size_t component, int64_t after_ns, int64_t until_ns) const {
  std::vector<Change> out;
  const auto take = [&](const Change& change) {
    if (change.time_ns > after_ns && change.time_ns <= until_ns) out.push_back(change);
  };
  const uint64_t stream = kDeployment + component * 2;
  for (int64_t slot = after_ns / kDeploymentSlot; slot <= until_ns / kDeploymentSlot; ++slot) {
    if (chance_.Uniform(stream, slot) >= kDeploymentShare) continue;
    const double place = chance_.Uniform(stream + 1, slot);
    take({slot * kDeploymentSlot + static_cast<int64_t>(place * static_cast<double>(kDeploymentSlot)),
          Change::Kind::kDeployed, slot});
  }
  for (const Drill& drill : kDrills) {
    if (!drill.deploys || drill.component != component) continue;
    const int64_t end_ns = SpanOf(drill).second;
    take({end_ns, Change::Kind::kDeployed, end_ns / kDeploymentSlot});
  }
  const int64_t apart_ns = static_cast<int64_t>(component) * kScaleApart;
  for (int64_t day = after_ns / kDay; day <= until_ns / kDay; ++day) {
    take({day * kDay + kScaleUpAt + apart_ns, Change::Kind::kScaledUp, 0});
    take({day * kDay + kScaleDownAt + apart_ns, Change::Kind::kScaledDown, 0});
  }
  std::sort(out.begin(), out.end(), [](const Change& a, const Change& b) { return a.time_ns < b.time_ns; });
  return out;
}

double BackendModel::ConnectionsAt(size_t kind, int64_t time_ns) const {
  const Week& week = kStory[WeekAt(time_ns, today_ns_)];
  // The evening's peak on the card is 1.8 times what is usual.
  const double hour = static_cast<double>(time_ns / kSecond % 86'400) / 3'600;
  const double evening = 0.8 * std::exp(-std::pow((hour - 19) / 1.5, 2));
  return std::round(kConnections[kind].active * week.backend_throughput *
                    (LoadAt(kConnection + kind, time_ns) + evening));
}

}  // namespace tidemark::demo
