// BatchRun: the questions of one batch under way, and their answers in the order in which they are ready.
//
//   BatchRun run(std::move(questions), ask);
//   std::string lines;
//   while (run.Take(&lines, std::chrono::milliseconds(50)) != BatchRun::State::kDone) { Send(lines); lines.clear(); }
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "tools/server/batch/batch_request.h"
#include "tools/server/batch/flights.h"

namespace tidemark::server {

// Take is for one thread at a time; the destructor gives up what is not answered and waits for its threads.
class BatchRun {
 public:
  // Questions of one batch that are answered at once.
  static constexpr size_t kThreads = 4;
  // Text that waits to be taken. Beyond it no further question is begun.
  static constexpr size_t kWaitingBytesMax = size_t{8} << 20;
  // An answer that is longer is an error that says where it can be had.
  static constexpr size_t kAnswerBytesMax = size_t{4} << 20;

  // Asked on several threads at once; never null.
  using Ask = std::function<Flights::Answer(const BatchQuestion& question, const std::stop_token& stop)>;

  BatchRun(std::vector<BatchQuestion> questions, Ask ask);
  ~BatchRun();
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  enum class State : uint8_t {
    kMore,  // there will be other answers
    kDone,  // all have been taken, with this call
  };
  // Appends the answers that are there, a line each; waits for one for at most `patience`.
  State Take(std::string* lines, std::chrono::milliseconds patience) TM_EXCLUDES(mutex_);

  // Ends what is under way: what has not been answered is answered with an error of a request that was given up.
  void GiveUp() { stop_.request_stop(); }

 private:
  void Work() TM_EXCLUDES(mutex_);

  const std::vector<BatchQuestion> questions_;
  const Ask ask_;
  std::stop_source stop_;
  Mutex mutex_;
  CondVar changed_;
  size_t next_ TM_GUARDED_BY(mutex_) = 0;      // the first question that nobody has begun
  size_t answered_ TM_GUARDED_BY(mutex_) = 0;  // answers that stand in waiting_ or have been taken
  std::string waiting_ TM_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

// `reply`, or the error in its place where it is too long for a batch: one that goes on in pieces, or is longer than
// kAnswerBytesMax. One answer must not keep the others waiting for as long as it is sent, and what waits is held for
// each batch.
query::api::Reply FitForBatch(const BatchQuestion& question, query::api::Reply reply);

// {"id":...,"status":...,"reply":...} and a newline.
std::string AnswerLine(const BatchQuestion& question, const query::api::Reply& reply);

}  // namespace tidemark::server
