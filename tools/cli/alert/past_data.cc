#include "tools/cli/alert/past_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "query/frame/go_format.h"
#include "query/rules/history.h"
#include "storage/base/text/count.h"
#include "storage/base/text/duration.h"
#include "tools/cli/answer.h"
#include "tools/cli/say.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

using query::ruletest::ReplayFiring;
using query::ruletest::ReplaySeries;

// Prometheus refuses more than 11'000 steps in one query, and so does the server.
constexpr int64_t kStepsMax = 10'000;

std::string Seconds(int64_t ms) { return fmt::format("{:.3f}", static_cast<double>(ms) / 1000); }

// Whole seconds are enough for people.
std::string Lasted(int64_t ms) {
  const int64_t shown = ms < 1000 ? ms : ms - ms % 1000;
  return text::PrintDuration(shown, text::DurationStyle::kPrometheus);
}

std::string LabelsOf(const ReplayFiring& firing) {
  std::string out;
  for (const model::Label& label : firing.labels) {
    if (label.name != "alertname") out += fmt::format(" {}={}", label.name, label.value);
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<PastData>> PastData::Connect(const std::string& server) {
  TM_TRY_ASSIGN(std::unique_ptr<HttpClient> client, HttpClient::Create(server));
  return std::unique_ptr<PastData>(new PastData(std::move(client)));
}

Result<std::vector<ReplaySeries>> PastData::Send(const std::string& path,
                                                 const std::vector<std::pair<std::string, std::string>>& form) {
  TM_TRY_ASSIGN(const HttpReply reply,
                client_->Send("POST", path, {{"Content-Type", "application/x-www-form-urlencoded"}}, FormBody(form)));
  TM_TRY_ASSIGN(Answer answer, ParseAnswer(reply.body));
  std::vector<ReplaySeries> out;
  for (AnswerSeries& series : answer.series) {
    ReplaySeries& added = out.emplace_back();
    added.labels = std::move(series.labels);
    for (const AnswerPoint& point : series.points) {
      const auto value = query::frame::ParseGoFloat(point.value);
      if (!value)
        return MakeError(ErrorCode::kInternal, fmt::format("the server's value {} is no number", point.value));
      added.samples.emplace_back(point.time_ms, *value);
    }
  }
  return out;
}

Result<std::vector<ReplaySeries>> PastData::Ask(const std::string& database, const std::string& text, int64_t start_ms,
                                                int64_t end_ms, int64_t step_ms) {
  std::map<model::Labels, ReplaySeries> all;
  for (int64_t from_ms = start_ms; from_ms <= end_ms; from_ms += kStepsMax * step_ms) {
    const int64_t to_ms = std::min(end_ms, from_ms + (kStepsMax - 1) * step_ms);
    TM_TRY_ASSIGN(std::vector<ReplaySeries> piece, Send("/api/v1/query_range", {{"query", text},
                                                                                {"db", database},
                                                                                {"start", Seconds(from_ms)},
                                                                                {"end", Seconds(to_ms)},
                                                                                {"step", Seconds(step_ms)}}));
    for (ReplaySeries& series : piece) {
      ReplaySeries& whole = all[series.labels];
      whole.labels = series.labels;
      std::ranges::move(series.samples, std::back_inserter(whole.samples));
    }
  }
  std::vector<ReplaySeries> out;
  for (auto& [labels, series] : all) out.push_back(std::move(series));
  return out;
}

Result<std::vector<ReplaySeries>> PastData::AskNow(const std::string& database, const std::string& text) {
  return Send("/api/v1/query", {{"query", text}, {"db", database}});
}

Result<int> PrintReplay(const std::vector<query::rules::Group>& groups, const query::ruletest::ReplayOptions& options,
                        PastData& past) {
  TM_TRY_ASSIGN(const std::vector<ReplayFiring> firings,
                Replay(groups, options,
                       [&](const std::string& database, const std::string& text, int64_t start_ms, int64_t end_ms,
                           int64_t step_ms) { return past.Ask(database, text, start_ms, end_ms, step_ms); }));
  int64_t total_ms = 0;
  for (const ReplayFiring& firing : firings) {
    const int64_t until_ms = firing.ended_ms.value_or(options.to_ms);
    total_ms += until_ms - firing.fired_ms;
    Say("{}  {}  for {}{}  value {}{}\n", TimeToText(firing.fired_ms), firing.rule->name,
        Lasted(until_ms - firing.fired_ms), firing.ended_ms ? "" : " and still fires",
        query::rules::ShortValue(firing.value), LabelsOf(firing));
  }
  Say("{} would have fired from {} to {}, for {} together\n", text::Counted(firings.size(), "alert"),
      TimeToText(options.from_ms), TimeToText(options.to_ms), Lasted(total_ms));
  return static_cast<int>(firings.size());
}

}  // namespace tidemark::cli
