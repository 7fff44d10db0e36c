// FairQueue: who waits, in the order in which they are let on. Clients take turns, so that one that asks for much waits
// for itself; what one client asks for comes in the order of its arrival, or before what began later.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>

namespace tidemark::query::run {

// Not thread-safe. Looking for a client takes as long as there are clients that wait.
template <typename Waiter>
class FairQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t size() const { return size_; }

  void Push(uint64_t client, Waiter* waiter) { LineOf(client).push_back(waiter); }

  // Puts it before the first of its client for which later(that) is true; at the end where there is none.
  template <typename Later>
  void PushBefore(uint64_t client, Waiter* waiter, const Later& later) {
    std::deque<Waiter*>& line = LineOf(client);
    line.insert(std::ranges::find_if(line, later), waiter);
  }

  [[nodiscard]] Waiter* front() const { return lines_.front().waiters.front(); }

  // The client whose turn it was goes behind the others.
  void PopFront() {
    --size_;
    lines_.front().waiters.pop_front();
    if (lines_.front().waiters.empty()) {
      lines_.pop_front();
    } else {
      lines_.splice(lines_.end(), lines_, lines_.begin());
    }
  }

  // Does nothing when it does not wait.
  void Erase(Waiter* waiter) {
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      const auto at = std::ranges::find(line->waiters, waiter);
      if (at == line->waiters.end()) continue;
      --size_;
      line->waiters.erase(at);
      if (line->waiters.empty()) lines_.erase(line);
      return;
    }
  }

  // Takes out who came last of the client that waits for most, to make room for one of `client`. Null, and nothing
  // happens, when no other client waits for more than `client` would then.
  Waiter* DropFor(uint64_t client) {
    const auto largest = std::ranges::max_element(lines_, {}, [](const Line& line) { return line.waiters.size(); });
    if (largest == lines_.end()) return nullptr;
    const auto own = std::ranges::find(lines_, client, &Line::client);
    const size_t own_count = own == lines_.end() ? 0 : own->waiters.size();
    if (largest->waiters.size() <= own_count + 1) return nullptr;
    --size_;
    Waiter* const last = largest->waiters.back();
    largest->waiters.pop_back();
    return last;
  }

 private:
  struct Line {
    uint64_t client = 0;
    std::deque<Waiter*> waiters{};
  };

  // For one more.
  std::deque<Waiter*>& LineOf(uint64_t client) {
    ++size_;
    auto line = std::ranges::find(lines_, client, &Line::client);
    if (line == lines_.end()) line = lines_.insert(line, Line{.client = client});
    return line->waiters;
  }

  std::list<Line> lines_;  // in the order of their turns, none empty
  size_t size_ = 0;
};

}  // namespace tidemark::query::run
