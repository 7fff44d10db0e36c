// BackendReporter: samples of the model as an external agent would send them. tools/demo/README.md has the
// measurements.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/demo/backend_model.h"
#include "tools/demo/point_emitter.h"

namespace tidemark::demo {

// Counters grow from sample to sample, so samples must come in the order of time. Not thread-safe.
class BackendReporter {
 public:
  BackendReporter(const BackendModel& model, std::string database, PointEmitter emit);

  // Emits the state at `time_ns`; counters grow by what happened since the last sample, or in `first_step_ns` for the
  // first. Statuses that changed, incidents, deployments
  // and changes of scale become events.
  void Sample(int64_t time_ns, int64_t first_step_ns);

 private:
  // A Prometheus histogram: requests up to each bound, all, and their seconds.
  struct Histogram {
    std::vector<double> up_to;
    double count = 0;
    double sum = 0;
  };
  struct ComponentCounters {
    Histogram latency;
    double errors = 0;
    int64_t deployments = 0;
    int64_t scalings = 0;
    Status status = Status::kOptimal;
    IncidentKind incident = IncidentKind::kNone;
    bool known = false;
  };

  void EmitHistogram(std::string_view measurement, std::string_view tag, std::string_view value, int64_t time_ns,
                     std::span<const double> bounds, std::span<const std::string> names, const Histogram& histogram);
  static void Grow(const Latency& latency, double requests, std::span<const double> bounds, Histogram* histogram);
  void EmitChanges(size_t component, int64_t after_ns, int64_t until_ns);
  void EmitEvents(size_t component, const ComponentState& state, int64_t time_ns);
  void EmitApiEvents(const Incident& incident, int64_t time_ns);
  void Event(std::string_view component, std::string_view level, std::string_view text, int64_t time_ns);

  const BackendModel& model_;
  const std::string database_;
  const PointEmitter emit_;
  client::Point point_;
  std::array<ComponentCounters, kComponents.size()> components_;
  std::array<Histogram, kMethods.size()> methods_;
  IncidentKind api_incident_ = IncidentKind::kNone;
  std::vector<std::string> component_bound_names_;
  std::vector<std::string> method_bound_names_;
  int64_t last_ns_ = 0;
  bool first_ = true;
  int64_t last_event_ns_ = 0;
};

}  // namespace tidemark::demo
