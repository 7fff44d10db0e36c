#include "tools/cli/monitor/feed.h"

#include <fmt/core.h>

#include <cmath>
#include <string>
#include <utility>

#include "storage/base/clock.h"
#include "tools/cli/monitor/goals.h"

namespace tidemark::cli::monitor {
namespace {

constexpr std::string_view kBatch = "/api/v1/query_batch";
constexpr int kForbidden = 403;

// `what`: what the path tells, in words.
Result<std::string> Get(HttpClient& client, std::string_view path, std::string_view what) {
  TM_TRY_ASSIGN(HttpReply reply, client.Send("GET", path, {}, ""));
  if (reply.status == 200) return std::move(reply.body);
  if (reply.status == kForbidden) return InvalidArgument(fmt::format("this token may not see {}", what));
  return MakeError(ErrorCode::kUnavailable, fmt::format("the server answered {}", reply.status));
}

Result<void> Post(HttpClient& client, const std::string& body, const std::function<void(std::string_view)>& line) {
  TM_TRY_ASSIGN(const HttpReply reply,
                client.SendForLines("POST", kBatch, {{"Content-Type", "application/json"}}, body, line));
  if (reply.status == 200) return {};
  if (reply.status == 401) {
    return InvalidArgument("the server asks for a token: --token-file FILE, or TIDEMARK_TOKEN");
  }
  return MakeError(ErrorCode::kUnavailable,
                   fmt::format("the server answered {}: {}", reply.status, reply.body.substr(0, 200)));
}

// The one number that an expression gives; NaN for an empty answer.
Result<double> AskNumber(HttpClient& client, const std::string& expr, double time_s) {
  Question question;
  question.expr = expr;
  Panel panel;
  panel.questions = {question};
  Board board;
  board.rows.push_back({.title = {}, .panels = {std::move(panel)}});
  Answers answers = NoAnswers(board);
  TM_RETURN_IF_ERROR(Post(client, BoardBatch(board, {.end_s = time_s}, {}),
                          [&](std::string_view line) { TakeLine(board, line, &answers); }));
  const Answer& answer = answers[0][0];
  if (!answer.error.empty()) return InvalidArgument(answer.error);
  return answer.series.empty() ? NAN : answer.series[0].last();
}

}  // namespace

Result<void> AskBoard(HttpClient& client, const Board& board, Span* span, Answers* answers) {
  span->end_s = static_cast<double>(SystemClock::Get().NowNs()) * 1e-9;
  Values values;
  // In the order of the file: a variable may name those before it.
  for (const Variable& variable : board.variables) {
    std::string value = variable.value;
    if (!variable.label.empty()) {
      TM_RETURN_IF_ERROR(Post(client, VariableBatch(variable, values),
                              [&](std::string_view line) { value = EscapeForString(VariableValue(variable, line)); }));
    }
    values[variable.name] = std::move(value);
  }
  TM_RETURN_IF_ERROR(
      Post(client, BoardBatch(board, *span, values), [&](std::string_view line) { TakeLine(board, line, answers); }));
  if (AsksSavings(board)) {
    TakeSavings(board, [&](const std::string& expr) { return AskNumber(client, expr, span->end_s); }, answers);
  }
  if (AsksUsage(board)) {
    TakeUsage(board, Get(client, "/api/v1/admin/usage", "what each takes: it needs the right to administer"), answers);
  }
  if (!AsksWhoIsTold(board)) return {};
  const Result<std::string> silences = Get(client, "/api/v2/silences", "silences");
  const Result<std::string> told = Get(client, "/api/v2/alerts", "alerts");
  TakeTold(board, span->end_s, silences, told.ok() ? std::string_view(told.value()) : std::string_view(), answers);
  return {};
}

Feed::Feed(std::unique_ptr<HttpClient> client)
    : client_(std::move(client)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void Feed::Ask(std::shared_ptr<const Board> board, const Span& span) {
  MutexLock lock(mutex_);
  wanted_ = Wanted{std::move(board), span};
  wake_.NotifyAll();
}

Feed::Snapshot Feed::Latest() const {
  MutexLock lock(mutex_);
  return latest_;
}

bool Feed::busy() const {
  MutexLock lock(mutex_);
  return asking_ || wanted_.has_value();
}

void Feed::Run(const std::stop_token& stop) {
  // How often it looks whether it should end.
  constexpr std::chrono::milliseconds kLook{50};
  while (!stop.stop_requested()) {
    Wanted wanted;
    Answers answers;
    {
      MutexLock lock(mutex_);
      if (!wanted_) {
        wake_.WaitFor(mutex_, kLook);
        continue;
      }
      wanted = std::move(*wanted_);
      wanted_.reset();
      asking_ = true;
      answers = latest_.board == wanted.board ? latest_.answers : NoAnswers(*wanted.board);
    }
    const Result<void> asked = AskBoard(*client_, *wanted.board, &wanted.span, &answers);
    MutexLock lock(mutex_);
    asking_ = false;
    latest_ = {.number = latest_.number + 1,
               .board = std::move(wanted.board),
               .answers = std::move(answers),
               .span = wanted.span,
               .trouble = asked.ok() ? "" : asked.error().message};
  }
}

}  // namespace tidemark::cli::monitor
