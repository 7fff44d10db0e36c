// SourceQueue: what waits for a thread, in turns: each source that has something waiting gets one of it served before
// any gets a second, so that who sends through a hundred connections does not keep out who has one.
//
// A source may have as many waiting as there are places left, as switches share a buffer (Choudhury and Hahne, "Dynamic
// queue length thresholds for shared-memory packet switches", 1998): one alone fills half, many share nearly all, and
// for one that comes anew there is a place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tidemark::http {

// Not thread-safe. "" is a source that is held to the size of the whole only.
template <typename Task>
class SourceQueue {
 public:
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Whether one more of this source may wait among at most `max`.
  [[nodiscard]] bool HasPlace(std::string_view source, size_t max) const {
    if (size_ >= max) return false;
    const auto at = source.empty() ? waiting_.end() : waiting_.find(source);
    return at == waiting_.end() || at->second.size() < max - size_;
  }

  void Push(std::string_view source, Task task) {
    auto at = waiting_.find(source);
    if (at == waiting_.end()) {
      at = waiting_.emplace(std::string(source), std::deque<Task>()).first;
      turns_.push_back(at);
    }
    at->second.push_back(std::move(task));
    ++size_;
  }

  // The first of the source whose turn it is. There is one.
  Task Pop() {
    const auto turn = turns_.front();
    turns_.pop_front();
    Task task = std::move(turn->second.front());
    turn->second.pop_front();
    --size_;
    if (turn->second.empty()) {
      waiting_.erase(turn);
    } else {
      turns_.push_back(turn);
    }
    return task;
  }

 private:
  using Waiting = std::map<std::string, std::deque<Task>, std::less<>>;
  Waiting waiting_;                               // none is empty
  std::deque<typename Waiting::iterator> turns_;  // each of waiting_ once
  size_t size_ = 0;
};

}  // namespace tidemark::http
