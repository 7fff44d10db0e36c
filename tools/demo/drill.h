// Drill: the incidents with which a demo begins, so that each alert of the card is seen within minutes and not when
// chance has it. Times count from the begin of the live samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tools/demo/story.h"

namespace tidemark::demo {

enum class IncidentKind { kNone, kLatency, kOverload, kErrors };

// The API has incidents as a component has; its number stands behind theirs.
inline constexpr size_t kApi = 7;

struct Drill {
  size_t component;  // index in kComponents, or kApi
  IncidentKind kind;
  int64_t begin_ns;
  int64_t length_ns;
  bool deploys;  // a deployment ends it
};

// Each lasts longer than `for` and the window of its rule in alerts.yaml, and no two of a component overlap.
inline constexpr std::array<Drill, 5> kDrills{{
    {0, IncidentKind::kLatency, 20 * kSecond, 90 * kSecond, true},
    {1, IncidentKind::kOverload, 30 * kSecond, 60 * kSecond, false},
    {1, IncidentKind::kErrors, 120 * kSecond, 150 * kSecond, false},
    {kApi, IncidentKind::kLatency, 150 * kSecond, 240 * kSecond, false},
    {5, IncidentKind::kOverload, 180 * kSecond, 420 * kSecond, false},
}};
// How grave they are: enough for each threshold at any hour.
inline constexpr double kDrillSeverity = 0.8;

}  // namespace tidemark::demo
