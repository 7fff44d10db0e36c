// NotifyService: tells people of alerts. Takes alerts from rules and from outside, and keeps, sends and shows what
// query/notify makes of them.
//
//   TM_TRY_ASSIGN(auto service, NotifyService::Start({.documents = ..., .clock = ...}, {.external_url = ...}, config));
//   service->Put(alerts, "rules");
//   ... service->Stop();
//
// What was put is durable when Put returns; who was told counts when that is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "query/notify/notifier.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "tools/server/notify/delivery.h"
#include "tools/server/notify/notify_store.h"
#include "tools/server/notify/outbox.h"

namespace tidemark::server::notify {

struct NotifyDependencies {
  // Both outlive it.
  storage::DocumentStore* documents = nullptr;
  const Clock* clock = nullptr;
};

// Thread-safe.
class NotifyService {
 public:
  // Goes on with what was stored.
  static Result<std::unique_ptr<NotifyService>> Start(NotifyDependencies dependencies, DeliveryOptions delivery,
                                                      query::notify::NotifierOptions options,
                                                      std::shared_ptr<const query::notify::Config> config);
  ~NotifyService() { Stop(); }
  NotifyService(const NotifyService&) = delete;
  NotifyService& operator=(const NotifyService&) = delete;

  // All that are right are taken. Per alert that is not, in the order of the alerts, what is wrong; kIo, kUnavailable
  // and the like when what was taken is not durable.
  Result<std::vector<Error>> Put(std::vector<query::notify::Alert> alerts, std::string_view author);
  void SetConfig(std::shared_ptr<const query::notify::Config> config);
  [[nodiscard]] std::shared_ptr<const query::notify::Config> config() const;

  Result<std::string> SetSilence(query::notify::Silence silence, std::string_view author);
  Status ExpireSilence(std::string_view id, std::string_view author);
  [[nodiscard]] std::optional<query::notify::Silence> FindSilence(std::string_view id) const;
  [[nodiscard]] std::vector<query::notify::Silence> ListSilences() const;
  [[nodiscard]] std::vector<query::notify::AlertView> Alerts() const;
  [[nodiscard]] std::vector<query::notify::GroupView> Groups() const;
  // Those that this server has told of itself, also those that have ended and of which somebody may have to hear yet.
  [[nodiscard]] std::vector<query::notify::Alert> OwnAlerts() const;
  [[nodiscard]] std::vector<LaneStats> Lanes() const { return outbox_.Stats(); }

  // Sends an example to each way of a receiver now, and waits. What became of each, in their order. kNotFound.
  Result<std::vector<DeliveryOutcome>> SendTest(const std::string& receiver);

  // Attempts that run are ended; what has not arrived is sent after the next start. Idempotent.
  void Stop();

 private:
  NotifyService(NotifyDependencies dependencies, DeliveryOptions delivery, query::notify::NotifierOptions options,
                std::shared_ptr<const query::notify::Config> config);
  void Run();
  // Stores what has changed, then lets messages go that are new.
  Status Commit(std::string_view author) TM_REQUIRES(mutex_);
  void Look() TM_REQUIRES(mutex_);
  std::optional<DeliveryOutcome> Attempt(const std::string& id);
  bool Ended(const std::string& id, const DeliveryOutcome& outcome);
  [[nodiscard]] int64_t Now() const { return dependencies_.clock->NowNs(); }

  const NotifyDependencies dependencies_;
  const DeliveryOptions delivery_;
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  query::notify::Notifier notifier_ TM_GUARDED_BY(mutex_);
  std::shared_ptr<const query::notify::Config> config_ TM_GUARDED_BY(mutex_);
  NotifyStore store_ TM_GUARDED_BY(mutex_);
  // Whether the last look could not be stored.
  bool unstored_ TM_GUARDED_BY(mutex_) = false;
  Outbox outbox_;
  std::jthread thread_;
};

}  // namespace tidemark::server::notify
