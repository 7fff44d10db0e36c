#include "storage/base/background.h"

#include <sched.h>

#include <optional>
#include <thread>

#include "storage/base/background_watch.h"

namespace tidemark {
namespace {

// What a thread in the background asks for where it cannot be in the idle class.
constexpr uint64_t kLongSliceNs = 50'000'000;

bool CanGoAndComeBack(const SchedAttr& there, const SchedAttr& own) { return there.SetOn(0) && own.SetOn(0); }

// On threads that end at once: one may be stuck in the idle class.
BackgroundMeans TryOut() {
  const std::optional<SchedAttr> found = SchedAttr::Of(0);
  if (!found || found->policy != SCHED_OTHER) return BackgroundMeans::kNone;
  const SchedAttr own = found->WithSlice(0);
  const auto on_a_thread = [&own](const SchedAttr& there) {
    bool works = false;
    std::jthread([&] { works = CanGoAndComeBack(there, own); }).join();
    return works;
  };
  if (on_a_thread(own.InIdleClass())) return BackgroundMeans::kIdleClass;
  if (on_a_thread(own.WithSlice(kLongSliceNs))) return BackgroundMeans::kLongSlice;
  return BackgroundMeans::kNone;
}

class ThreadBackground {
 public:
  void Enter(const BackgroundLimits& limits) {
    if (++depth_ > 1) return;
    means_ = HowBackgroundWorks();
    if (means_ == BackgroundMeans::kNone) return;
    const std::optional<SchedAttr> found = SchedAttr::Of(0);
    if (!found || found->policy != SCHED_OTHER) {
      means_ = BackgroundMeans::kNone;
      return;
    }
    own_ = found->WithSlice(0);
    if (means_ == BackgroundMeans::kLongSlice) {
      own_.WithSlice(kLongSliceNs).SetOn(0);
      return;
    }
    if (!guest_) guest_.emplace();
    if (!guest_->Enter(own_, limits)) means_ = BackgroundMeans::kNone;
  }

  void Leave() {
    if (--depth_ > 0) return;
    if (means_ == BackgroundMeans::kIdleClass) guest_->Leave();
    if (means_ == BackgroundMeans::kLongSlice) own_.SetOn(0);
    means_ = BackgroundMeans::kNone;
  }

  [[nodiscard]] uint64_t escapes() const { return guest_ ? guest_->escapes() : 0; }

 private:
  int depth_ = 0;
  BackgroundMeans means_ = BackgroundMeans::kNone;  // of the scope that is open
  SchedAttr own_;
  std::optional<BackgroundWatch::Guest> guest_;
};

thread_local ThreadBackground current_thread;

}  // namespace

BackgroundMeans HowBackgroundWorks() {
  static const BackgroundMeans kMeans = TryOut();
  return kMeans;
}

BackgroundScope::BackgroundScope(const BackgroundLimits& limits) { current_thread.Enter(limits); }
BackgroundScope::~BackgroundScope() { current_thread.Leave(); }
uint64_t BackgroundEscapes() { return current_thread.escapes(); }

}  // namespace tidemark
