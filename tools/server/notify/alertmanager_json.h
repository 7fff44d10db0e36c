// The JSON of Alertmanager's API v2: what senders and `amtool` send, and what they read.
//
// Source: prometheus/alertmanager 0.25, api/v2/openapi.yaml; what today's clients read beyond it (mutedBy) is sent too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/notify/notifier.h"
#include "query/notify/silences.h"
#include "storage/base/result.h"

namespace tidemark::server::notify {

// A body that is refused, in the words of Alertmanager.
struct BodyFault {
  int status = 400;  // 400 or 422
  int code = 400;    // of the object in the answer
  std::string message;
};

template <typename T>
using Parsed = std::expected<T, BodyFault>;

// POST /alerts. An alert without a start has one of 0, without an end 0. Labels with empty values are left out.
Parsed<std::vector<query::notify::Alert>> ReadAlerts(std::string_view body);
// POST /silences. A pattern that is none is not a BodyFault but an error in `matcher_fault`.
struct PostedSilence {
  query::notify::Silence silence;
  std::string matcher_fault;
};
Parsed<PostedSilence> ReadPostedSilence(std::string_view body);

// The body of POST /alerts.
std::string PostableAlertsJson(const std::vector<query::notify::Alert>& alerts);
std::string AlertsJson(const std::vector<query::notify::AlertView>& alerts);
std::string GroupsJson(const std::vector<query::notify::GroupView>& groups);
std::string SilenceJson(const query::notify::Silence& silence, int64_t now_ns);

}  // namespace tidemark::server::notify
