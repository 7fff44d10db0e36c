#include "tools/server/batch/batch_service.h"

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "storage/series_filter.h"
#include "tools/server/batch/batch_run.h"
#include "tools/server/quota/account.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::ErrorReply;
using query::api::ErrorType;
using query::api::Reply;

constexpr int kForbidden = 403;

Response Refuse(const Error& error) {
  Reply reply = ErrorReply(ErrorType::kBadData, error.message);
  if (error.code == ErrorCode::kLimitExceeded) reply.status = 413;
  return http::JsonResponse(reply.status, std::move(reply.body));
}

// Why `caller` gets no answer to a question; "" where he does.
std::string RefusalOf(const BatchQuestion& question, const http::Caller& caller, const BatchOptions& options) {
  const std::string_view database = question.endpoint->of_rules ? std::string_view(options.rules_database)
                                    : question.database.empty() ? std::string_view(options.default_database)
                                                                : std::string_view(question.database);
  if (caller.May(http::Access::kRead, database)) return {};
  return fmt::format("\"{}\" has no right to read database \"{}\"", caller.name(), database);
}

// Hands on what is ready until all is, or nobody wants more.
void Stream(BatchRun& run, http::ReplyStream& stream) {
  // How often a stream that waits for an answer looks whether its client is still there.
  constexpr std::chrono::milliseconds kLook{50};
  for (bool more = true; more && !stream.closed();) {
    std::string lines;
    more = run.Take(&lines, kLook) == BatchRun::State::kMore;
    if (!lines.empty() && !stream.Push(std::move(lines))) break;
  }
  run.GiveUp();
  stream.Finish();
}

}  // namespace

Response BatchService::Answer(Request& request) {
  Result<std::vector<BatchQuestion>> questions = ParseBatch(request.body.view(), request.database);
  if (!questions.ok()) return Refuse(questions.error());
  for (const BatchQuestion& question : *questions) {
    if (request.refusal.empty()) request.refusal = RefusalOf(question, *request.caller, options_);
  }
  auto ask = [api = api_, flights = flights_, caller = request.caller, client = http::ClientOf(request),
              options = options_](const BatchQuestion& question, const std::stop_token& stop) -> Flights::Answer {
    if (const std::string refusal = RefusalOf(question, *caller, options); !refusal.empty()) {
      Reply reply = ErrorReply(ErrorType::kBadData, refusal);
      reply.status = kForbidden;
      return std::make_shared<const Reply>(std::move(reply));
    }
    const storage::SeriesFilter filter = storage::SeriesFilter::Of(caller->filter());
    quota::Account* const account = caller->account();
    // What one caller may see, or what is too much for him, is no answer for another.
    std::string key = fmt::format("{} {} ", filter.text().size(), filter.text());
    if (account != nullptr && !account->limits().none()) key += fmt::format("{} ", account->whose());
    return flights->Ask(key + KeyOf(question), stop, [&] {
      // Whoever waits for the same gets no more than fits: each would hold it for himself.
      return FitForBatch(question,
                         question.endpoint->ask(
                             *api, {.params = question.params,
                                    .database = question.endpoint->of_rules ? std::string_view(options.rules_database)
                                                                            : std::string_view(question.database),
                                    .filter = filter,
                                    .stop = stop,
                                    .client = client,
                                    .memory = account != nullptr ? account->memory() : nullptr}));
    });
  };
  auto run = std::make_unique<BatchRun>(std::move(questions).value(), std::move(ask));
  Response response = http::JsonResponse(200, "");
  response.content_type = "application/x-ndjson";
  response.Set("Cache-Control", "no-store").Set("X-Accel-Buffering", "no");
  const auto until = std::chrono::steady_clock::now() + options_.hold;
  {
    const std::stop_callback give_up(request.stop, [&run] { run->GiveUp(); });
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      // What is long enough to be sent goes out before the rest is ready.
      if (left.count() <= 0 || response.body.size() > BatchRun::kWaitingBytesMax) break;
      if (run->Take(&response.body, left) == BatchRun::State::kDone) return response;
    }
  }
  response.produce = [run = std::move(run)](const std::shared_ptr<http::ReplyStream>& stream) {
    Stream(*run, *stream);
  };
  return response;
}

}  // namespace tidemark::server
