#include "tools/demo/backend_reporter.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidemark::demo {
namespace {

// Upper ends of buckets in seconds. They lie close where goals are.
constexpr std::array<double, 20> kComponentBounds{0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0006, 0.0007,
                                                  0.0008, 0.0009, 0.001,  0.0015, 0.002,  0.003,  0.004,
                                                  0.005,  0.0075, 0.01,   0.015,  0.025,  0.1};
constexpr std::array<double, 17> kMethodBounds{0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03,
                                               0.035, 0.04,   0.05,  0.075,  0.1,  0.15,  0.25, 1};

constexpr int64_t kDayNs = 86'400 * kSecond;

std::vector<std::string> Names(std::span<const double> bounds) {
  std::vector<std::string> names;
  for (const double bound : bounds) names.push_back(fmt::format("{}", bound));
  return names;
}

// Counters are whole numbers; the fractions of requests that the model makes are kept for the next sample.
int64_t Whole(double count) { return static_cast<int64_t>(count); }

}  // namespace

BackendReporter::BackendReporter(const BackendModel& model, std::string database, PointEmitter emit)
    : model_(model),
      database_(std::move(database)),
      emit_(std::move(emit)),
      point_("dce"),
      component_bound_names_(Names(kComponentBounds)),
      method_bound_names_(Names(kMethodBounds)) {
  for (ComponentCounters& component : components_) component.latency.up_to.resize(kComponentBounds.size());
  for (Histogram& method : methods_) method.up_to.resize(kMethodBounds.size());
}

void BackendReporter::Grow(const Latency& latency, double requests, std::span<const double> bounds,
                           Histogram* histogram) {
  for (size_t i = 0; i < bounds.size(); ++i) histogram->up_to[i] += requests * latency.ShareUpTo(bounds[i]);
  histogram->count += requests;
  histogram->sum += requests * latency.mean_s();
}

void BackendReporter::EmitHistogram(std::string_view measurement, std::string_view tag, std::string_view value,
                                    int64_t time_ns, std::span<const double> bounds, std::span<const std::string> names,
                                    const Histogram& histogram) {
  for (size_t i = 0; i < bounds.size(); ++i) {
    point_.Reset(measurement).Tag(tag, value).Tag("le", names[i]).Field("bucket", Whole(histogram.up_to[i]));
    emit_(point_.Time(time_ns), database_);
  }
  point_.Reset(measurement).Tag(tag, value).Tag("le", "+Inf").Field("bucket", Whole(histogram.count));
  emit_(point_.Time(time_ns), database_);
  point_.Reset(measurement).Tag(tag, value).Field("count", Whole(histogram.count)).Field("sum", histogram.sum);
  emit_(point_.Time(time_ns), database_);
}

void BackendReporter::Sample(int64_t time_ns, int64_t first_step_ns) {
  const int64_t step_ns = first_ ? first_step_ns : std::max<int64_t>(time_ns - last_ns_, 0);
  const double step_s = static_cast<double>(step_ns) / static_cast<double>(kSecond);
  first_ = false;
  const int64_t after_ns = time_ns - std::min(step_ns, kDayNs);
  last_ns_ = time_ns;
  for (size_t c = 0; c < kComponents.size(); ++c) {
    const ComponentState state = model_.ComponentAt(c, time_ns);
    ComponentCounters& counters = components_[c];
    const std::string_view tag = kComponents[c].tag;
    const double requests = state.throughput * step_s;
    Grow(state.latency, requests, kComponentBounds, &counters.latency);
    counters.errors += requests * state.error_share;
    EmitChanges(c, after_ns, time_ns);
    EmitEvents(c, state, time_ns);
    EmitHistogram("dce_request_duration_seconds", "component", tag, time_ns, kComponentBounds, component_bound_names_,
                  counters.latency);
    point_.Reset("dce_component")
        .Tag("component", tag)
        .Field("requests_total", Whole(counters.latency.count))
        .Field("errors_total", Whole(counters.errors))
        .Field("throughput_per_second", state.throughput)
        .Field("cpu_percent", state.cpu_percent)
        .Field("memory_bytes", state.memory_bytes)
        .Field("status", static_cast<int>(state.status))
        .Field("deployments_total", counters.deployments)
        .Field("scalings_total", counters.scalings);
    emit_(point_.Time(time_ns), database_);
  }
  for (size_t m = 0; m < kMethods.size(); ++m) {
    const MethodState state = model_.MethodAt(m, time_ns);
    if (m == 0) EmitApiEvents(state.incident, time_ns);
    Grow(state.latency, state.throughput * step_s, kMethodBounds, &methods_[m]);
    EmitHistogram("dce_api_request_duration_seconds", "method", kMethods[m].tag, time_ns, kMethodBounds,
                  method_bound_names_, methods_[m]);
  }
  for (size_t k = 0; k < kConnections.size(); ++k) {
    point_.Reset("dce_connections").Tag("kind", kConnections[k].tag).Field("active", model_.ConnectionsAt(k, time_ns));
    emit_(point_.Time(time_ns), database_);
  }
  point_.Reset("dce_connections").Field("capacity", kConnectionCapacity);
  emit_(point_.Time(time_ns), database_);
}

void BackendReporter::EmitChanges(size_t component, int64_t after_ns, int64_t until_ns) {
  const ComponentSpec& spec = kComponents[component];
  for (const Change& change : model_.ChangesIn(component, after_ns, until_ns)) {
    switch (change.kind) {
      case Change::Kind::kDeployed:
        ++components_[component].deployments;
        Event(spec.tag, "info", fmt::format("{} build {} deployed successfully", spec.title, change.build), until_ns);
        break;
      case Change::Kind::kScaledUp:
        ++components_[component].scalings;
        Event(spec.tag, "info", fmt::format("Auto-scaling triggered for {}: busy hours", spec.title), until_ns);
        break;
      case Change::Kind::kScaledDown:
        ++components_[component].scalings;
        Event(spec.tag, "info", fmt::format("Auto-scaling triggered for {}: quiet hours", spec.title), until_ns);
        break;
    }
  }
}

void BackendReporter::EmitEvents(size_t component, const ComponentState& state, int64_t time_ns) {
  const ComponentSpec& spec = kComponents[component];
  ComponentCounters& before = components_[component];
  if (state.incident.kind != before.incident) {
    switch (state.incident.kind) {
      case IncidentKind::kNone:
        Event(spec.tag, "info", fmt::format("RESOLVED: {} is back to normal", spec.title), time_ns);
        break;
      case IncidentKind::kLatency:
        Event(spec.tag, "warning", fmt::format("{} latency spike", spec.title), time_ns);
        break;
      case IncidentKind::kOverload:
        Event(spec.tag, "warning", fmt::format("{} CPU usage rose to {:.0f}%", spec.title, state.cpu_percent), time_ns);
        ++before.scalings;
        Event(spec.tag, "info", fmt::format("Auto-scaling triggered for {}", spec.title), time_ns);
        break;
      case IncidentKind::kErrors:
        Event(spec.tag, "error", fmt::format("{} refuses {:.0f}% of requests", spec.title, state.error_share * 100),
              time_ns);
        break;
    }
  }
  if (before.known && state.status == Status::kDegraded && before.status != Status::kDegraded) {
    Event(spec.tag, "warning", fmt::format("{} is degraded", spec.title), time_ns);
  }
  before.incident = state.incident.kind;
  before.status = state.status;
  before.known = true;
}

void BackendReporter::EmitApiEvents(const Incident& incident, int64_t time_ns) {
  if (incident.kind != IncidentKind::kNone && api_incident_ == IncidentKind::kNone)
    Event("api", "warning", "API latency spike", time_ns);
  if (incident.kind == IncidentKind::kNone && api_incident_ != IncidentKind::kNone)
    Event("api", "info", "RESOLVED: API is back to normal", time_ns);
  api_incident_ = incident.kind;
}

void BackendReporter::Event(std::string_view component, std::string_view level, std::string_view text,
                            int64_t time_ns) {
  // Two events of one series never share a time.
  last_event_ns_ = std::max(time_ns, last_event_ns_ + 1);
  point_.Reset("dce_event").Tag("component", component).Field("text", text).Field("level", level);
  emit_(point_.Time(last_event_ns_), database_);
}

}  // namespace tidemark::demo
