#include "tools/server/batch/batch_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/text/json_string.h"

namespace tidemark::server {
namespace {

using query::api::ErrorReply;
using query::api::ErrorType;
using query::api::Reply;

constexpr int kTooLong = 413;

void AppendLine(std::string* out, std::string_view id, int status, std::string_view reply) {
  *out += R"({"id":)";
  text::AppendJsonString(out, id);
  *out += fmt::format(R"(,"status":{},"reply":)", status);
  *out += reply;
  *out += "}\n";
}

// Where the answer to a question is had alone.
std::string PathOf(const BatchQuestion& question) {
  if (question.endpoint->name != "label_values") return fmt::format("/api/v1/{}", question.endpoint->name);
  return fmt::format("/api/v1/label/{}/values", question.params.Get("label"));
}

}  // namespace

Reply FitForBatch(const BatchQuestion& question, Reply reply) {
  if (!reply.rest && reply.body.size() <= BatchRun::kAnswerBytesMax) return reply;
  Reply refusal =
      ErrorReply(ErrorType::kExecution,
                 fmt::format("the result is too long for a batch: ask for it alone, with {}", PathOf(question)));
  refusal.status = kTooLong;
  return refusal;
}

std::string AnswerLine(const BatchQuestion& question, const Reply& reply) {
  std::string line;
  line.reserve(reply.body.size() + question.id.size() + 64);
  AppendLine(&line, question.id, reply.status, reply.body);
  return line;
}

BatchRun::BatchRun(std::vector<BatchQuestion> questions, Ask ask)
    : questions_(std::move(questions)), ask_(std::move(ask)) {
  const size_t threads = std::min(questions_.size(), kThreads);
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

BatchRun::~BatchRun() {
  GiveUp();
  changed_.NotifyAll();
}

void BatchRun::Work() {
  // How often a thread that has nowhere to put an answer looks whether anybody still wants it.
  constexpr std::chrono::milliseconds kLook{20};
  for (;;) {
    size_t mine = 0;
    {
      MutexLock lock(mutex_);
      while (waiting_.size() > kWaitingBytesMax && !stop_.stop_requested()) changed_.WaitFor(mutex_, kLook);
      if (next_ == questions_.size()) return;
      mine = next_++;
    }
    const BatchQuestion& question = questions_[mine];
    std::string line = stop_.stop_requested()
                           ? AnswerLine(question, ErrorReply(ErrorType::kCanceled, "the client went away"))
                           : AnswerLine(question, *ask_(question, stop_.get_token()));
    MutexLock lock(mutex_);
    if (waiting_.empty()) {
      waiting_ = std::move(line);
    } else {
      waiting_ += line;
    }
    ++answered_;
    changed_.NotifyAll();
  }
}

BatchRun::State BatchRun::Take(std::string* lines, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mutex_);
  while (waiting_.empty() && answered_ < questions_.size()) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return State::kMore;
    changed_.WaitFor(mutex_, left);
  }
  *lines += waiting_;
  waiting_.clear();
  changed_.NotifyAll();
  return answered_ == questions_.size() ? State::kDone : State::kMore;
}

}  // namespace tidemark::server
