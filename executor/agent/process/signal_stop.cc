#include "executor/agent/process/signal_stop.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tidemark::executor {

Result<std::unique_ptr<SignalStop>> SignalStop::Make() {
  std::unique_ptr<SignalStop> stop(new SignalStop);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  stop->signals_ = UniqueFd(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  stop->quit_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop->signals_.valid() || !stop->quit_.valid()) {
    return IoError(fmt::format("cannot watch for signals: {}", std::strerror(errno)));
  }
  pthread_sigmask(SIG_BLOCK, &mask, &stop->previous_mask_);
  stop->watcher_ = std::thread([self = stop.get()] {
    std::array<pollfd, 2> fds{pollfd{self->signals_.get(), POLLIN, 0}, pollfd{self->quit_.get(), POLLIN, 0}};
    while (true) {
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      signalfd_siginfo info{};
      if (read(self->signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        self->signal_ = static_cast<int>(info.ssi_signo);
        self->source_.request_stop();
      }
    }
  });
  return stop;
}

SignalStop::~SignalStop() {
  if (!watcher_.joinable()) return;
  eventfd_write(quit_.get(), 1);
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

}  // namespace tidemark::executor
