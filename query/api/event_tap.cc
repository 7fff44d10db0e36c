#include "query/api/event_tap.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "query/api/json.h"
#include "storage/model/series_key.h"
#include "storage/storage.h"

namespace tidemark::query::api {
namespace {

// A matcher that is ready to be asked.
class Condition {
 public:
  explicit Condition(const model::Matcher& matcher) : matcher_(matcher) {
    if (!IsRegex()) return;
    RE2::Options options(RE2::Quiet);
    options.set_dot_nl(true);
    regex_ = std::make_unique<RE2>(matcher.value, options);
  }

  [[nodiscard]] Status Check() const {
    if (regex_ == nullptr || regex_->ok()) return {};
    return InvalidArgument(
        fmt::format("bad regular expression in a matcher of {}: {}", matcher_.name, regex_->error()));
  }

  [[nodiscard]] bool Holds(const model::LabelViews& labels) const {
    std::string_view value;
    for (const model::LabelView& label : labels) {
      if (label.name == matcher_.name) value = label.value;
    }
    const bool equal =
        IsRegex() ? RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_) : value == matcher_.value;
    return equal == (matcher_.op == model::MatchOp::kEqual || matcher_.op == model::MatchOp::kRegex);
  }

 private:
  [[nodiscard]] bool IsRegex() const {
    return matcher_.op == model::MatchOp::kRegex || matcher_.op == model::MatchOp::kNotRegex;
  }

  model::Matcher matcher_;
  std::unique_ptr<RE2> regex_;
};

std::string_view NameOf(std::string_view database) { return database.empty() ? storage::kDefaultDatabase : database; }

}  // namespace

struct EventTap::Follower {
  std::string database;
  std::vector<std::vector<Condition>> sets;
  Show show;
  std::function<bool()> alive;
  std::atomic<bool> ended{false};

  [[nodiscard]] bool Wants(const model::LabelViews& labels) const {
    if (sets.empty()) return true;
    return std::any_of(sets.begin(), sets.end(), [&labels](const auto& set) {
      return std::all_of(set.begin(), set.end(), [&labels](const Condition& c) { return c.Holds(labels); });
    });
  }
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
  auto follower = std::make_shared<Follower>();
  follower->database = NameOf(filter.database);
  follower->show = std::move(show);
  follower->alive = std::move(alive);
  for (const auto& matchers : filter.matchers) {
    std::vector<Condition>& set = follower->sets.emplace_back();
    for (const model::Matcher& matcher : matchers) TM_RETURN_IF_ERROR(set.emplace_back(matcher).Check());
  }
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
        if (!follower->ended && follower->Wants(labels) && !follower->show(event)) follower->ended = true;
      }
    }
  }
}

}  // namespace tidemark::query::api
