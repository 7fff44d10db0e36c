// Feed: asks a server for what a board shows, on a thread of its own, so that keys are answered while it waits.
//
//   Feed feed(std::move(client));
//   feed.Ask(board, {.length_s = 900, .points = 60});
//   const Feed::Snapshot now = feed.Latest();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "storage/base/mutex.h"
#include "tools/cli/http_client.h"
#include "tools/cli/monitor/answers.h"
#include "tools/cli/monitor/board.h"

namespace tidemark::cli::monitor {

// What a server says about `board` now. `answers` keeps what it had where nothing new came. The error is that of the
// server not answering; a question that failed says so in its answer. `span->end_s` is set to the moment that was asked
// for.
Result<void> AskBoard(HttpClient& client, const Board& board, Span* span, Answers* answers);

// Thread-safe. The destructor waits for the request under way, at most for the client's timeout.
class Feed {
 public:
  struct Snapshot {
    uint64_t number = 0;  // ascends with every answer
    std::shared_ptr<const Board> board;
    Answers answers;
    Span span;
    std::string trouble;  // "": the server answered
  };

  explicit Feed(std::unique_ptr<HttpClient> client);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // The next thing to ask; replaces one that is not begun.
  void Ask(std::shared_ptr<const Board> board, const Span& span) TM_EXCLUDES(mutex_);
  [[nodiscard]] Snapshot Latest() const TM_EXCLUDES(mutex_);
  // Whether something is asked or waits to be.
  [[nodiscard]] bool busy() const TM_EXCLUDES(mutex_);

 private:
  struct Wanted {
    std::shared_ptr<const Board> board;
    Span span;
  };

  void Run(const std::stop_token& stop) TM_EXCLUDES(mutex_);

  const std::unique_ptr<HttpClient> client_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::optional<Wanted> wanted_ TM_GUARDED_BY(mutex_);
  bool asking_ TM_GUARDED_BY(mutex_) = false;
  Snapshot latest_ TM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace tidemark::cli::monitor
