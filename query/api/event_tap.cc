#include "query/api/event_tap.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "query/api/condition.h"
#include "query/api/json.h"
#include "storage/model/series_key.h"
#include "storage/storage.h"

namespace tidemark::query::api {
namespace {

std::string_view NameOf(std::string_view database) { return database.empty() ? storage::kDefaultDatabase : database; }

}  // namespace

struct EventTap::Follower {
  explicit Follower(storage::SeriesFilter held) : filter(std::move(held)) {}

  std::string database;
  Conditions conditions;
  storage::SeriesFilter filter;
  Show show;
  std::function<bool()> alive;
  std::atomic<bool> ended{false};
};

void AppendEventJson(std::string* out, const Event& event) {
  out->append(R"({"time":)");
  AppendTimestampMs(out, event.time.FloorMs());
  out->append(R"(,"time_ns":")");
  AppendInteger(out, event.time.ns);
  out->append(R"(","labels":)");
  AppendLabels(out, std::span<const model::LabelView>(event.labels));
  out->append(R"(,"text":)");
  AppendJsonString(out, event.text);
  out->push_back('}');
}

EventTap::~EventTap() = default;

Result<model::WriteReport> EventTap::Write(std::string_view database, const model::Batch& batch) {
  Result<model::WriteReport> report = next_->Write(database, batch);
  if (report.ok() && !batch.strings.empty() && count_.load(std::memory_order_relaxed) != 0) {
    Publish(NameOf(database), batch, *report);
  }
  return report;
}

Status EventTap::Follow(const EventFilter& filter, Show show, std::function<bool()> alive) {
  auto follower = std::make_shared<Follower>(filter.filter);
  follower->database = NameOf(filter.database);
  follower->show = std::move(show);
  follower->alive = std::move(alive);
  TM_TRY_ASSIGN(follower->conditions, Conditions::Make(filter.matchers));
  MutexLock lock(mutex_);
  Prune();
  if (followers_.size() >= kMaxFollowers) {
    return MakeError(ErrorCode::kResourceExhausted, fmt::format("{} followers are served already", kMaxFollowers));
  }
  followers_.push_back(std::move(follower));
  count_.store(followers_.size(), std::memory_order_relaxed);
  return {};
}

size_t EventTap::followers() const {
  MutexLock lock(mutex_);
  return followers_.size();
}

void EventTap::Prune() {
  std::erase_if(followers_, [](const auto& follower) { return follower->ended || !follower->alive(); });
  count_.store(followers_.size(), std::memory_order_relaxed);
}

void EventTap::Publish(std::string_view database, const model::Batch& batch, const model::WriteReport& report) {
  std::vector<std::shared_ptr<Follower>> wanting;
  {
    MutexLock lock(mutex_);
    Prune();
    std::copy_if(followers_.begin(), followers_.end(), std::back_inserter(wanting),
                 [database](const auto& follower) { return follower->database == database; });
  }
  if (wanting.empty()) return;
  std::unordered_set<uint32_t> rejected;
  for (const model::Rejection& rejection : report.rejections) rejected.insert(rejection.line);
  Arena arena;
  model::LabelViews labels;
  for (const model::Row& row : batch.rows) {
    const model::Shape& shape = batch.shapes[row.shape];
    const auto is_string = [](const model::ShapeField& field) { return field.type == model::FieldType::kString; };
    if (std::none_of(shape.fields.begin(), shape.fields.end(), is_string) || rejected.contains(row.line)) continue;
    arena.Clear();
    const Result<model::ParsedKey> key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena);
    if (!key.ok()) continue;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      if (!is_string(shape.fields[i])) continue;
      const std::string metric = model::MetricName(key->measurement, shape.fields[i].name);
      labels = key->tags;
      const model::LabelView name{model::kMetricNameLabel, metric};
      labels.insert(std::upper_bound(labels.begin(), labels.end(), name), name);
      const auto text = static_cast<size_t>(batch.values[row.first_value + i]);
      const Event event{row.time, labels, batch.strings[text]};
      for (const auto& follower : wanting) {
        if (!follower->ended && follower->filter.Accepts(labels) && follower->conditions.Hold(labels) &&
            !follower->show(event))
          follower->ended = true;
      }
    }
  }
}

}  // namespace tidemark::query::api
