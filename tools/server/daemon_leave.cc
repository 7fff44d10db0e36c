// The end of a daemon, and what it leaves to the one that follows in the same process; and how that one takes it.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "storage/base/log.h"
#include "tools/server/daemon.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server {
namespace {

// A stop ends within http.drain plus 10 s: the last checkpoint gets half of the 10, what cannot be cut short the rest.
constexpr int64_t kCheckpointNs = 5'000'000'000;
constexpr std::string_view kDatagrams = "udp";
constexpr std::string_view kNative = "native";

}  // namespace

int Daemon::TakeKept(std::string_view kind, std::string_view wanted) {
  std::vector<service::InheritedSocket>& sockets = surroundings_.handover.sockets;
  const auto found =
      std::ranges::find_if(sockets, [&](const auto& socket) { return socket.name == kind && socket.wanted == wanted; });
  if (found == sockets.end()) return -1;
  const int descriptor = found->descriptor;
  sockets.erase(found);
  return descriptor;
}

void Daemon::CloseKept() {
  for (const service::InheritedSocket& socket : surroundings_.handover.sockets) {
    TM_LOG(kInfo, "no longer listens on {} {}:{}, which the settings do not name", socket.name, socket.address,
           socket.port);
    ::close(socket.descriptor);
  }
  surroundings_.handover.sockets.clear();
}

Result<int> Daemon::TakeInherited(std::string_view kind, const std::string& listen) {
  if (const int kept = TakeKept(kind, listen); kept >= 0) return kept;
  // One of the supervisor's is known by its address.
  std::vector<service::InheritedSocket>& sockets = surroundings_.handover.sockets;
  TM_TRY_ASSIGN(const http::Endpoint wanted, http::ParseEndpoint(listen));
  const auto same = std::ranges::find_if(sockets, [&](const auto& socket) {
    return socket.name == kind && socket.wanted.empty() && socket.address == wanted.address &&
           socket.port == wanted.port;
  });
  if (same == sockets.end()) return -1;
  const int descriptor = same->descriptor;
  sockets.erase(same);
  return descriptor;
}

Status Daemon::RefuseNotNamed(std::string_view kind) const {
  for (const service::InheritedSocket& socket : surroundings_.handover.sockets) {
    if (socket.name != kind || !socket.wanted.empty()) continue;
    return InvalidArgument(
        fmt::format("the supervisor listens on {0}:{1} for {2}, which no `{2}` setting names: write "
                    "{0}:{1},db=NAME",
                    socket.address, socket.port, kind));
  }
  return {};
}

Status Daemon::ListenUdp() {
  for (const UdpConfig& config : config_.udp) {
    TM_TRY_ASSIGN(const int inherited, TakeInherited(kDatagrams, config.listen));
    auto listener = std::make_unique<UdpListener>(config, writes_.get(), &SystemClock::Get());
    TM_TRY_ASSIGN(const uint16_t port, listener->Start(inherited));
    udp_ports_.push_back(port);
    udp_.push_back(std::move(listener));
  }
  return RefuseNotNamed(kDatagrams);
}

Status Daemon::ListenNative() {
  for (const NativeConfig& config : config_.native) {
    NativeListenerOptions options{.frame_bytes_max = config_.http.body_bytes_max};
    options.admit = [tokens = tokens_.get()](std::string_view token) -> std::shared_ptr<const http::Caller> {
      if (!tokens->on()) return http::Everyone();
      return tokens->Find(token);
    };
    if (config.encrypted) options.tls = tls_;
    auto listener = std::make_unique<NativeListener>(config, std::move(options), writes_.get());
    TM_TRY_ASSIGN(const int inherited, TakeInherited(kNative, config.listen));
    TM_TRY_ASSIGN(const uint16_t port, listener->Start(inherited));
    native_ports_.push_back(port);
    native_.push_back(std::move(listener));
  }
  return RefuseNotNamed(kNative);
}

void Daemon::Resume() {
  const service::Handover handover = std::exchange(surroundings_.handover, {});
  for (const int connection : handover.connections) server_->Resume(connection);
  if (surroundings_.restarter == nullptr || handover.paused_ns == 0) return;
  const Restarter::Past past{.restarts = handover.restarts,
                             .pause_ns = SystemClock::Get().SteadyNs() - handover.paused_ns};
  surroundings_.restarter->SetPast(past);
  TM_LOG(kInfo, "restarted: requests waited for {:.3f} s; {} connections were kept; restarts of this process: {}",
         static_cast<double>(past.pause_ns) * 1e-9, handover.connections.size(), handover.restarts);
}

StartFacts Daemon::Facts() const {
  std::error_code error;
  StartFacts facts{.asks_for_tokens = tokens_->on(),
                   .data = std::filesystem::weakly_canonical(config_.data, error).string()};
  for (const service::InheritedSocket& socket : listening_) facts.kept.push_back({socket.name, socket.wanted});
  for (const UdpConfig& udp : config_.udp) facts.kept.push_back({std::string(kDatagrams), udp.listen});
  for (const NativeConfig& native : config_.native) facts.kept.push_back({std::string(kNative), native.listen});
  return facts;
}

void Daemon::NoteSignal(std::string_view act, int32_t sender_pid, uint32_t sender_uid) {
  if (!auditor_) return;
  auditor_->Did(fmt::format("user {}", sender_uid), fmt::format("process {}", sender_pid), act);
}

Status Daemon::Stop() { return End(nullptr); }

service::Handover Daemon::Leave() {
  // What stands in the log of the store is not waited for by anybody then.
  if (!store_->Stats().read_only) {
    if (const Status done = store_->Checkpoint(); !done.ok()) {
      TM_LOG(kWarn, "a checkpoint before the restart: {}", done.error().message);
    }
  }
  service::Handover left{.sockets = {}, .connections = {}, .paused_ns = 0, .restarts = 1};
  if (surroundings_.restarter != nullptr) left.restarts = surroundings_.restarter->past().restarts + 1;
  // What was not flushed is in the journal, from which the next start takes it.
  if (const Status ended = End(&left); !ended.ok()) TM_LOG(kError, "before the restart: {}", ended.error().message);
  return left;
}

Status Daemon::End(service::Handover* left) {
  if (stopped_) return {};
  stopped_ = true;
  const auto drain = std::chrono::milliseconds(config_.drain_ms);
  bool all_finished = true;
  if (server_ && left != nullptr) {
    http::Inheritance open = server_->Leave(drain);
    all_finished = open.all_finished;
    left->paused_ns = open.paused_ns;
    left->connections = std::move(open.connections);
    for (size_t i = 0; i < open.listeners.size(); ++i) {
      listening_[i].descriptor = open.listeners[i];
      left->sockets.push_back(listening_[i]);
    }
  } else if (server_) {
    all_finished = server_->Drain(drain);
  }
  if (!all_finished) TM_LOG(kWarn, "some requests did not finish within {} ms and were cut", config_.drain_ms);
  const int64_t close_by_ns = SystemClock::Get().SteadyNs() + kCheckpointNs;
  {
    // What a reload changes is taken apart below: one that runs ends first, and no other begins.
    MutexLock lock(reload_mutex_);
    stopping_ = true;
  }
  for (const auto& listener : udp_) {
    if (left != nullptr) {
      left->sockets.push_back(
          {.descriptor = listener->Leave(), .name = std::string(kDatagrams), .wanted = listener->config().listen});
    } else {
      listener->Stop();
    }
  }
  for (const auto& listener : native_) {
    if (left != nullptr) {
      left->sockets.push_back(
          {.descriptor = listener->Leave(), .name = std::string(kNative), .wanted = listener->config().listen});
    } else {
      listener->Stop();
    }
  }
  if (backup_schedule_) backup_schedule_->Stop();
  if (watchdog_) watchdog_->Stop();
  if (backfills_) backfills_->Stop();
  if (job_book_) job_book_->Stop();
  if (scrubber_) scrubber_->Stop();
  if (rule_runner_) rule_runner_->Stop();
  senders_.Stop();
  if (notify_) notify_->Stop();
  if (host_) host_->Stop();
  if (uptime_) uptime_->Stop();
  if (self_) self_->Stop();
  server_.reset();
  // Before the store whose documents hold the end of its chain.
  auditor_.reset();
  Status closed;
  if (store_) closed = store_->Close(close_by_ns);
  store_.reset();
  if (pool_) pool_->Stop();
  return closed;
}

}  // namespace tidemark::server
