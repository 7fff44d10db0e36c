// tidemark query: PromQL to a server, the answer as a table, JSON or CSV.
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/clock.h"
#include "tools/cli/answer.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/query/no_series.h"
#include "tools/cli/say.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

struct QueryFlags {
  std::string expression;
  std::string server = "http://127.0.0.1:8086";
  std::string database;
  std::string start;
  std::string end;
  std::string time;
  std::string step;
  std::string format = "table";
  bool exact = false;
  bool utc = false;
};

// Columns of the terminal that the table goes to; 0: it goes to none.
size_t TerminalWidth() {
  winsize size = {};
  return isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

struct Question {
  std::string target;
  std::string form;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
};

constexpr int64_t kDefaultSteps = 60;

std::string Seconds(int64_t ms) { return fmt::format("{:.3f}", static_cast<double>(ms) / 1000); }

Result<Question> MakeRequest(const QueryFlags& flags) {
  const int64_t now = SystemClock::Get().NowNs() / 1'000'000;
  std::vector<std::pair<std::string, std::string>> form{{"query", flags.expression}, {"db", flags.database}};
  const bool range = !flags.start.empty() || !flags.end.empty() || !flags.step.empty();
  if (!range) {
    int64_t time = now;
    if (!flags.time.empty()) {
      TM_TRY_ASSIGN(time, ParseTimeText(flags.time, now));
      form.emplace_back("time", Seconds(time));
    }
    return Question{"/api/v1/query", FormBody(form), time, time};
  }
  if (!flags.time.empty())
    return InvalidArgument("--time is for one moment; leave it out with --start, --end or --step");
  if (flags.start.empty()) return InvalidArgument("a range needs --start");
  TM_TRY_ASSIGN(const int64_t start, ParseTimeText(flags.start, now));
  int64_t end = now;
  if (!flags.end.empty()) {
    TM_TRY_ASSIGN(end, ParseTimeText(flags.end, now));
  }
  int64_t step = std::max<int64_t>(1000, (end - start) / kDefaultSteps / 1000 * 1000);
  if (!flags.step.empty()) {
    TM_TRY_ASSIGN(step, ParseDurationText(flags.step));
  }
  form.emplace_back("start", Seconds(start));
  form.emplace_back("end", Seconds(end));
  form.emplace_back("step", Seconds(step));
  return Question{"/api/v1/query_range", FormBody(form), start, end};
}

// Of an answer without series. 1 where something was named that is not there.
int TellWhy(const QueryFlags& flags, const Question& question, std::FILE* out) {
  EmptyReason reason;
  if (auto client = HttpClient::Create(flags.server); client.ok()) {
    // Nobody waits long for what only helps.
    (*client)->set_timeout(std::chrono::seconds(10));
    const AskServerFn ask = [&client](std::string_view path, const auto& parameters) -> Result<std::string> {
      TM_TRY_ASSIGN(HttpReply reply, (*client)->Send("GET", std::string(path) + QueryString(parameters), {}, ""));
      return std::move(reply.body);
    };
    reason = WhyNoSeries(ask, {.expression = flags.expression,
                               .database = flags.database,
                               .start_ms = question.start_ms,
                               .end_ms = question.end_ms});
  }
  Say(out, "no series{}{}\n", reason.text.empty() ? "" : ": ", reason.text);
  return reason.absent ? 1 : 0;
}

int Query(const QueryFlags& flags) {
  const auto request = MakeRequest(flags);
  if (!request.ok()) return Fail(request.error().message);
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  const auto reply =
      (*client)->Send("POST", request->target, {{"Content-Type", "application/x-www-form-urlencoded"}}, request->form);
  if (!reply.ok()) return Fail(reply.error().message);
  if (flags.format == "json") {
    Say("{}\n", reply->body);
    return reply->status == 200 ? 0 : 1;
  }
  const auto answer = ParseAnswer(reply->body);
  if (!answer.ok()) return Fail(answer.error().message);
  for (const std::string& note : answer->notes) Say(stderr, "{}\n", note);
  const bool csv = flags.format == "csv";
  if (csv) Say("{}", ToCsv(*answer));
  if (answer->series.empty()) return TellWhy(flags, *request, csv ? stderr : stdout);
  if (!csv) {
    Say("{}", ToTable(*answer, {.width = TerminalWidth(),
                                .exact = flags.exact,
                                .zone = flags.utc ? TimeZone::kUtc : TimeZone::kLocal}));
  }
  return 0;
}

}  // namespace

void AddQuery(CLI::App& app, Action* action) {
  auto flags = std::make_shared<QueryFlags>();
  AddServerFlag(app, &flags->server);
  app.add_option("expression", flags->expression, "PromQL expression")->required();
  app.add_option("--db", flags->database, "database (default: the server's)");
  app.add_option("--time", flags->time, "the moment (default: now): RFC 3339, unix seconds, -1h")->group("Time");
  app.add_option("--start", flags->start, "start of a range, included")->group("Time");
  app.add_option("--end", flags->end, "end of a range, included (default: now)")->group("Time");
  app.add_option("--step", flags->step, "distance of the points of a range (default: a 60th of it)")->group("Time");
  app.add_option("--format", flags->format, "table, json or csv")
      ->group("Output")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "json", "csv"}));
  app.add_flag("--exact", flags->exact, "in a table: numbers as the server has them, not with six digits")
      ->group("Output");
  app.add_flag("--utc", flags->utc, "in a table: times in UTC, not in this machine's time zone")->group("Output");
  app.callback([flags, action] { *action = [flags] { return Query(*flags); }; });
}

}  // namespace tidemark::cli
