// What was reported, read back: rows with texts as events, numbers by PromQL. A database that is not there has neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "tools/cli/answer.h"
#include "tools/cli/exec/api_source.h"

namespace tidemark::cli {

struct PastEvent {
  int64_t time_ms = 0;
  model::Labels labels;  // without the metric's name
  std::string text;
};

// What a server gives at most at once.
inline constexpr size_t kMostEvents = 100'000;

// Times in milliseconds, both included.
struct EventsAsked {
  std::optional<int64_t> first_ms{};
  std::optional<int64_t> last_ms{};
  size_t limit = kMostEvents;  // the newest
};

// Oldest first. Errors: those of Ask, kInternal for what is no answer.
Result<std::vector<PastEvent>> ReadEvents(ApiSource& api, const std::string& database, const std::string& selector,
                                          const EventsAsked& asked);

// Of an instant query at `time_ms`, else now.
Result<Answer> Ask(ApiSource& api, const std::string& database, const std::string& expression,
                   std::optional<int64_t> time_ms = {});

// The number that a point's text is; 0 when it is none.
double ToDouble(const std::string& text);

}  // namespace tidemark::cli
