// EventTap: a PointSink between the writers and the store that lets followers see new string points as they come.
//
//   EventTap tap(&write_path);
//   tap.Follow({.database = "default", .matchers = ..., .filter = ...}, [](const Event& event) { return Send(event);
//   }); tap.Write("default", batch);
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"
#include "storage/model/point_sink.h"
#include "storage/series_filter.h"

namespace tidemark::query::api {

struct EventFilter {
  std::string database;  // "" is the default database
  // Sets of matchers; an event passes when all of one set hold, or when there is no set.
  std::vector<std::vector<model::Matcher>> matchers;
  storage::SeriesFilter filter;  // what the follower may see
};

// A string point.
struct Event {
  model::Timestamp time;
  const model::LabelViews& labels;  // __name__ included, sorted
  std::string_view text;
};

// {"time":1700000000.123,"time_ns":"1700000000123456789","labels":{...},"text":"..."}; the nanoseconds are a string,
// because a JSON number would not hold them everywhere.
void AppendEventJson(std::string* out, const Event& event);

// Thread-safe. Costs one atomic load for each batch while nobody follows.
class EventTap final : public model::PointSink {
 public:
  static constexpr size_t kMaxFollowers = 256;

  // `next` outlives the tap.
  explicit EventTap(model::PointSink* next) : next_(next) {}
  ~EventTap() override;

  // Writes to `next` and, when that has taken the batch, shows its string points to the followers.
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

  // Calls `show` for each event from now on, on the writers' threads: it must not block. false ends it. `alive` is
  // asked now and then, also when there is no event. kInvalidArgument for a bad regular expression,
  // kResourceExhausted above kMaxFollowers.
  using Show = std::function<bool(const Event&)>;
  Status Follow(const EventFilter& filter, Show show, std::function<bool()> alive);

  [[nodiscard]] size_t followers() const;

 private:
  struct Follower;
  void Publish(std::string_view database, const model::Batch& batch, const model::WriteReport& report);
  void Prune() TM_REQUIRES(mutex_);

  model::PointSink* const next_;
  std::atomic<size_t> count_{0};
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Follower>> followers_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::api
