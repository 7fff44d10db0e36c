#include "tools/server/http/server.h"

#include <fmt/core.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <future>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "storage/base/usable_cpus.h"
#include "tools/server/http/session.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Guard = asio::executor_work_guard<asio::io_context::executor_type>;

// How often they are looked at while the server goes, when they are short.
constexpr std::chrono::milliseconds kDrainSweepInterval{20};

// How often deadlines are looked at: often enough for the shortest of them, at most every second.
std::chrono::milliseconds SweepInterval(const ServerOptions& options) {
  const std::chrono::milliseconds shortest =
      std::min({options.header_timeout, options.body_stall, options.body_grace, options.idle_timeout});
  return std::clamp(shortest / 8, std::chrono::milliseconds(5), std::chrono::milliseconds(1000));
}

}  // namespace

struct Server::Impl {
  // A loop, and its timer for deadlines.
  struct Worker {
    explicit Worker(WorkerSet* workers) : loop(workers) {}
    IoLoop loop;
    Guard guard = asio::make_work_guard(loop.context());
    asio::steady_timer sweep{loop.context()};
    std::atomic<int64_t> swept_ns{SystemClock::Get().SteadyNs()};  // when it last came round
  };

  // An address, and what is spoken on it.
  struct Listener {
    asio::ip::tcp::acceptor acceptor;
    std::shared_ptr<const tls::ServerContext> tls;
  };

  Impl(const ServerOptions& options, Application* application) : shared(Settle(options), application) {
    for (size_t i = 0; i < shared.options().io_threads; ++i) {
      loops.push_back(std::make_unique<Worker>(&shared.readers));
    }
  }

  static ServerOptions Settle(ServerOptions options) {
    if (options.io_threads == 0) options.io_threads = UsableCpus();
    return options;
  }

  // All acceptors live on the first loop; the connections go round all of them.
  std::unique_ptr<Listener> NewListener(std::shared_ptr<const tls::ServerContext> tls) {
    return std::make_unique<Listener>(Listener{asio::ip::tcp::acceptor(loops.front()->loop.context()), std::move(tls)});
  }

  // What it is bound to.
  Endpoint Keep(std::unique_ptr<Listener> listener) {
    error_code ignored;
    const auto bound = listener->acceptor.local_endpoint(ignored);
    const bool encrypted = listener->tls != nullptr;
    listeners.push_back(std::move(listener));
    return {bound.address().to_string(), bound.port(), encrypted};
  }

  void Accept(Listener* listener) {
    asio::ip::tcp::acceptor* const acceptor = &listener->acceptor;
    Worker* const target = loops[next_loop++ % loops.size()].get();
    auto on_accept = [this, listener, acceptor, target](const error_code& error, asio::ip::tcp::socket socket) {
      // Who was accepted before the server went is served.
      if (!error) Adopt(target, std::move(socket), listener->tls.get());
      if (shared.draining.load(std::memory_order_relaxed) || error == asio::error::operation_aborted) return;
      if (error) {
        // Out of descriptors: waiting a moment is better than spinning.
        TM_LOG(kWarn, "accept: {}", error.message());
        auto timer = std::make_shared<asio::steady_timer>(acceptor->get_executor(), std::chrono::milliseconds(100));
        timer->async_wait([this, listener, timer](const error_code&) {
          if (!shared.draining.load(std::memory_order_relaxed)) Accept(listener);
        });
        return;
      }
      Accept(listener);
    };
    acceptor->async_accept(target->loop.context(), std::move(on_accept));
  }

  void Adopt(Worker* target, asio::ip::tcp::socket socket, const tls::ServerContext* tls) {
    ServerCounters& counters = shared.counters;
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    Result<ConnectionCounts::Place> place = shared.connections.Enter(error ? "" : peer.address().to_string());
    if (!place.ok()) {
      counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
      // A client that waits for a handshake could not read it.
      if (tls == nullptr) SayNo(&socket, place.error().message);
      return;  // the socket closes
    }
    counters.connections_open.fetch_add(1, std::memory_order_relaxed);
    counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    std::unique_ptr<tls::Channel> channel;
    if (tls != nullptr) {
      Result<std::unique_ptr<tls::Channel>> opened = tls->Open(socket.native_handle());
      if (!opened.ok()) {
        counters.connections_open.fetch_sub(1, std::memory_order_relaxed);
        TM_LOG(kWarn, "a TLS connection: {}", opened.error().message);
        return;
      }
      channel = std::move(opened).value();
      counters.connections_encrypted.fetch_add(1, std::memory_order_relaxed);
    }
    auto start = [this, target, moved = std::move(socket), channel = std::move(channel),
                  taken = std::move(*place)]() mutable {
      std::make_shared<Session>(std::move(moved), std::move(channel), std::move(taken), &target->loop, &shared)
          ->Start();
    };
    asio::post(target->loop.context(), std::move(start));
  }

  // What a client reads that has not sent a request yet, or whose request nobody reads: as much as the socket takes at
  // once, since nobody waits for this connection.
  static void SayNo(asio::ip::tcp::socket* socket, std::string_view text) {
    const std::string reply = fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
        "Connection: close\r\nContent-Length: {}\r\n\r\n{}\n",
        text.size() + 1, text);
    error_code ignored;
    socket->non_blocking(true, ignored);
    socket->write_some(asio::buffer(reply), ignored);
    // Unread bytes would make the kernel send a reset, which takes the answer away.
    std::array<char, 4096> unread;
    while (socket->read_some(asio::buffer(unread), ignored) > 0) {
    }
    socket->shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void ScheduleSweep(Worker* worker) {
    worker->sweep.expires_after(SweepInterval(shared.options()));
    worker->sweep.async_wait([this, worker](const error_code& error) {
      // A cancel that comes when this is already queued does not reach it, hence the flag.
      if (error || ending.load(std::memory_order_relaxed)) return;
      const int64_t now = SystemClock::Get().SteadyNs();
      worker->swept_ns.store(now, std::memory_order_relaxed);
      ForEachSession(worker, [now](Session& session) { session.Sweep(now); });
      ScheduleSweep(worker);
    });
  }

  // On the first loop, which the acceptors are of: behind it nobody else is accepted, and whoever was is counted.
  std::vector<int> ReleaseListeners() {
    std::vector<int> descriptors;
    const auto release = [&] {
      for (const auto& listener : listeners) {
        error_code error;
        const int descriptor = listener->acceptor.release(error);
        if (!error) descriptors.push_back(descriptor);
      }
    };
    if (!started) {
      release();
      return descriptors;
    }
    std::promise<void> released;
    asio::io_context& context = loops.front()->loop.context();
    asio::post(context, [&] {
      release();
      // Accepts that were done before stand in the queue now, and in front of this.
      asio::post(context, [&] { released.set_value(); });
    });
    released.get_future().wait();
    return descriptors;
  }

  // Lets each session end by itself, and cuts those that have not after `timeout`. The loops end. True: none was cut.
  bool EndSessions(std::chrono::milliseconds timeout) {
    const auto none_is_open = [this] { return shared.counters.connections_open.load() == 0; };
    OnSessions([](Session& session) { session.BeginDrain(); });
    const bool all = WaitUntil(timeout, none_is_open);
    if (!all) {
      OnSessions([](Session& session) { session.Abort(); });
      // Handlers that are running keep their sessions; they see the stop token.
      WaitUntil(std::chrono::seconds(5), none_is_open);
    }
    ending.store(true);
    for (auto& worker : loops) {
      worker->guard.reset();
      asio::post(worker->loop.context(), [raw = worker.get()] { raw->sweep.cancel(); });
      if (!all) worker->loop.context().stop();
    }
    // Ends with the last leader.
    shared.readers.Stop();
    return all;
  }

  // False: `done` did not come true within `limit`. It is asked when a session has ended.
  template <typename Done>
  bool WaitUntil(std::chrono::milliseconds limit, Done done) {
    const auto end = std::chrono::steady_clock::now() + limit;
    auto sweep_at = std::chrono::steady_clock::now() + kDrainSweepInterval;
    MutexLock lock(shared.mutex);
    while (!done()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return false;
      if (now >= sweep_at) {
        OnSessions([now_ns = SystemClock::Get().SteadyNs()](Session& session) { session.Sweep(now_ns); });
        sweep_at = now + kDrainSweepInterval;
      }
      shared.closed.WaitFor(shared.mutex, std::min(end, sweep_at) - now);
    }
    return true;
  }

  template <typename Visit>
  void OnSessions(Visit visit) {
    for (auto& worker : loops) {
      asio::post(worker->loop.context(), [raw = worker.get(), visit] { ForEachSession(raw, visit); });
    }
  }

  template <typename Visit>
  static void ForEachSession(Worker* worker, Visit visit) {
    for (const std::shared_ptr<Session>& session : worker->loop.Sessions()) visit(*session);
  }

  ServerShared shared;
  std::vector<std::unique_ptr<Worker>> loops;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::atomic<size_t> next_loop{0};
  std::atomic<bool> ending{false};
  bool started = false;
  bool drained = false;
};

Server::Server(const ServerOptions& options, Application* application)
    : impl_(std::make_unique<Impl>(options, application)) {}

Server::~Server() {
  Drain(std::chrono::milliseconds(0));
  // Before the loops go: a worker that is still busy hands its reply to one of them.
  impl_->shared.writers.Stop();
  impl_->shared.readers.Stop();
  impl_->shared.service.Stop();
  impl_->shared.streams.Stop();
  impl_->shared.handshakes.Stop();
}

Result<Endpoint> Server::Listen(const std::string& address, uint16_t port,
                                std::shared_ptr<const tls::ServerContext> tls) {
  error_code error;
  const asio::ip::address ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  if (error) return InvalidArgument(fmt::format("\"{}\" is not an IP address", address));
  const asio::ip::tcp::endpoint endpoint(ip, port);
  std::unique_ptr<Impl::Listener> listener = impl_->NewListener(std::move(tls));
  asio::ip::tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const ErrorCode code = error == asio::error::address_in_use ? ErrorCode::kUnavailable : ErrorCode::kIo;
    return MakeError(code, fmt::format("cannot listen on {}:{}: {}", address, port, error.message()));
  }
  return impl_->Keep(std::move(listener));
}

Result<Endpoint> Server::Adopt(int descriptor, std::shared_ptr<const tls::ServerContext> tls) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return MakeError(ErrorCode::kIo, fmt::format("descriptor {} is no socket: {}", descriptor, std::strerror(errno)));
  }
  std::unique_ptr<Impl::Listener> listener = impl_->NewListener(std::move(tls));
  error_code error;
  listener->acceptor.assign(address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor,
                            error);
  if (error) {
    return MakeError(ErrorCode::kIo, fmt::format("cannot listen on descriptor {}: {}", descriptor, error.message()));
  }
  return impl_->Keep(std::move(listener));
}

void Server::Start() {
  impl_->started = true;
  for (auto& worker : impl_->loops) {
    impl_->ScheduleSweep(worker.get());
    worker->loop.Start();
  }
  for (auto& listener : impl_->listeners) {
    asio::post(listener->acceptor.get_executor(), [this, raw = listener.get()] { impl_->Accept(raw); });
  }
}

bool Server::Drain(std::chrono::milliseconds timeout) {
  if (impl_->drained) return true;
  impl_->drained = true;
  if (!impl_->started) return true;
  impl_->shared.draining.store(true);
  for (auto& listener : impl_->listeners) {
    asio::post(listener->acceptor.get_executor(), [raw = listener.get()] {
      error_code ignored;
      raw->acceptor.close(ignored);
    });
  }
  return impl_->EndSessions(timeout);
}

Inheritance Server::Leave(std::chrono::milliseconds timeout) {
  impl_->drained = true;
  ServerShared& shared = impl_->shared;
  Inheritance left;
  if (impl_->started && std::ranges::any_of(impl_->listeners, [](const auto& one) { return one->tls != nullptr; })) {
    shared.last_replies.store(true);
    impl_->WaitUntil(kLastRepliesTime, [&] { return shared.counters.connections_encrypted.load() == 0; });
    impl_->OnSessions([](Session& session) { session.EndIdleTls(); });
  }
  shared.keeps.store(true);
  shared.draining.store(true);
  left.paused_ns = SystemClock::Get().SteadyNs();
  left.listeners = impl_->ReleaseListeners();
  if (impl_->started) left.all_finished = impl_->EndSessions(timeout);
  MutexLock lock(shared.mutex);
  left.connections = std::exchange(shared.kept, {});
  return left;
}

void Server::Resume(int descriptor) {
  Impl::Worker* const target = impl_->loops[impl_->next_loop++ % impl_->loops.size()].get();
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  asio::ip::tcp::socket socket(target->loop.context());
  error_code error;
  const bool known = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  socket.assign(address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor, error);
  if (!known || error) {
    ::close(descriptor);
    return;
  }
  impl_->Adopt(target, std::move(socket), nullptr);
}

void Server::SetLimits(const ServerOptions& wanted) {
  ServerOptions options = impl_->shared.options();
  options.header_bytes_max = wanted.header_bytes_max;
  options.body_bytes_max = wanted.body_bytes_max;
  options.body_memory_bytes = wanted.body_memory_bytes;
  options.reply_memory_bytes = wanted.reply_memory_bytes;
  options.decode = wanted.decode;
  options.header_timeout = wanted.header_timeout;
  options.body_stall = wanted.body_stall;
  options.body_bytes_per_second_min = wanted.body_bytes_per_second_min;
  options.body_grace = wanted.body_grace;
  options.idle_timeout = wanted.idle_timeout;
  impl_->shared.versions.Set(options);
}

int64_t Server::last_sweep_ns() const {
  int64_t oldest = INT64_MAX;
  for (const auto& worker : impl_->loops) oldest = std::min(oldest, worker->swept_ns.load(std::memory_order_relaxed));
  return oldest;
}

const ServerCounters& Server::counters() const { return impl_->shared.counters; }
size_t Server::queued_writes() const { return impl_->shared.writers.queued(); }
size_t Server::queued_reads() const { return impl_->shared.readers.queued(); }

}  // namespace tidemark::http
