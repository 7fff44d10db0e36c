#include "tools/server/jobs/job.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::jobs {
namespace {

constexpr std::array kStates = {JobState::kWaiting, JobState::kRunning, JobState::kPaused,
                                JobState::kDone,    JobState::kFailed,  JobState::kCancelled};

void AppendTime(std::string* out, std::string_view key, int64_t ns, JobForm form) {
  *out += fmt::format(R"(,"{}":)", key);
  if (ns == 0) {
    *out += "null";
    return;
  }
  *out += '"';
  if (form == JobForm::kListed) {
    *out += text::PrintSecond(ns);
  } else {
    text::AppendRfc3339(out, ns);
  }
  *out += '"';
}

}  // namespace

std::string_view Name(JobState state) {
  switch (state) {
    case JobState::kWaiting: return "waiting";
    case JobState::kRunning: return "running";
    case JobState::kPaused: return "paused";
    case JobState::kDone: return "done";
    case JobState::kFailed: return "failed";
    case JobState::kCancelled: return "cancelled";
  }
  return "failed";
}

std::string PrintJob(const Job& job, JobForm form) {
  std::string out = R"("job":)";
  text::AppendJsonString(&out, job.id);
  const auto add = [&out](std::string_view key, std::string_view value) {
    out += fmt::format(R"(,"{}":)", key);
    text::AppendJsonString(&out, value);
  };
  add("kind", job.kind);
  add("database", job.database);
  add("state", Name(job.state));
  out += fmt::format(R"(,"workDone":{},"workTotal":{})", job.progress.done, job.progress.total);
  if (form == JobForm::kWhole && !job.progress.details.empty()) out += "," + job.progress.details;
  add("author", job.author);
  AppendTime(&out, "begun", job.begun_ns, form);
  AppendTime(&out, "ended", job.ended_ns, form);
  add("failure", job.error);
  if (form == JobForm::kListed) out += R"(,"details":{)" + job.progress.details + "}";
  return out;
}

Result<Job> ReadJob(std::string_view text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string bytes(text);
  simdjson::dom::object root;
  if (parser.parse(bytes).get(root) != simdjson::SUCCESS) return Corruption("a stored job is no JSON object");
  Job job;
  bool good = true;
  const auto read_text = [&](std::string_view key, std::string* out) {
    std::string_view value;
    good = root[key].get(value) == simdjson::SUCCESS && good;
    *out = value;
  };
  const auto read_time = [&](std::string_view key, int64_t* out) {
    std::string_view value;
    if (root[key].get(value) != simdjson::SUCCESS) return;
    const auto instant = text::ParseRfc3339(value, text::Rfc3339Form::kGo);
    good = instant.has_value() && good;
    if (instant) *out = instant->seconds * 1'000'000'000 + instant->nanos;
  };
  std::string state;
  read_text("job", &job.id);
  read_text("kind", &job.kind);
  read_text("database", &job.database);
  read_text("state", &state);
  read_text("author", &job.author);
  read_text("failure", &job.error);
  // Jobs of programs that did not write it go on wherever they are found.
  if (std::string_view store; root["store"].get(store) == simdjson::SUCCESS) job.store = store;
  read_time("begun", &job.begun_ns);
  read_time("ended", &job.ended_ns);
  good = root["workDone"].get(job.progress.done) == simdjson::SUCCESS &&
         root["workTotal"].get(job.progress.total) == simdjson::SUCCESS && good;
  // What is between the known keys is what its kind tells.
  static constexpr std::array<std::string_view, 11> kKnown = {
      "job", "kind", "database", "state", "workDone", "workTotal", "author", "begun", "ended", "failure", "store"};
  for (const auto& [key, value] : root) {
    if (std::ranges::find(kKnown, key) != kKnown.end()) continue;
    if (!job.progress.details.empty()) job.progress.details += ',';
    text::AppendJsonString(&job.progress.details, key);
    job.progress.details += ':' + simdjson::minify(value);
  }
  const auto known = std::ranges::find(kStates, state, [](JobState one) { return Name(one); });
  if (!good || known == kStates.end()) return Corruption("a stored job is not what is written here");
  job.state = *known;
  return job;
}

}  // namespace tidemark::server::jobs
