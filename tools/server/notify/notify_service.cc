#include "tools/server/notify/notify_service.h"

#include <fmt/core.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/log.h"

namespace tidemark::server::notify {
namespace {

using query::notify::Config;
using query::notify::Integration;
using query::notify::Message;
using query::notify::Receiver;
using query::notify::Silence;

// The machine's clock may be set: no wait is longer than this.
constexpr int64_t kLongestWaitNs = 1'000'000'000;
constexpr std::string_view kAuthor = "notifications";

// A random UUID (RFC 9562, version 4), as Alertmanager's clients expect of a silence.
std::string NewUuid() {
  std::array<uint8_t, 16> bytes{};
  TM_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", bytes.at(i));
  }
  return out;
}

query::notify::NotifierOptions WithIds(query::notify::NotifierOptions options) {
  if (!options.silences.new_id) options.silences.new_id = &NewUuid;
  return options;
}

// Null when the configuration has it no more.
const Integration* IntegrationOf(const Config& config, const query::notify::Channel& channel) {
  const Receiver* const receiver = config.FindReceiver(channel.receiver);
  if (receiver == nullptr || channel.integration >= receiver->integrations.size()) return nullptr;
  return &receiver->integrations[channel.integration];
}

}  // namespace

NotifyService::NotifyService(NotifyDependencies dependencies, DeliveryOptions delivery,
                             query::notify::NotifierOptions options, std::shared_ptr<const Config> config)
    : dependencies_(dependencies),
      delivery_(std::move(delivery)),
      notifier_(config, WithIds(std::move(options))),
      config_(std::move(config)),
      store_(dependencies.documents),
      outbox_(
          dependencies.clock, [this](const std::string& id) { return Attempt(id); },
          [this](const std::string& id, const DeliveryOutcome& outcome) { return Ended(id, outcome); }) {}

Result<std::unique_ptr<NotifyService>> NotifyService::Start(NotifyDependencies dependencies, DeliveryOptions delivery,
                                                            query::notify::NotifierOptions options,
                                                            std::shared_ptr<const Config> config) {
  delivery.as_alertmanager = options.as_alertmanager;
  std::unique_ptr<NotifyService> service(
      new NotifyService(dependencies, std::move(delivery), std::move(options), std::move(config)));
  {
    MutexLock lock(service->mutex_);
    TM_RETURN_IF_ERROR(service->store_.Load(&service->notifier_, service->Now()));
    for (const Message& message : service->notifier_.Pending()) service->outbox_.Add(message.channel, message.id);
  }
  service->thread_ = std::jthread([raw = service.get()] { raw->Run(); });
  return service;
}

void NotifyService::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  outbox_.Stop();
  if (thread_.joinable()) thread_.join();
}

void NotifyService::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    Look();
    const int64_t wait_ns = std::clamp<int64_t>(notifier_.NextDueNs() - Now(), 1'000'000, kLongestWaitNs);
    wake_.WaitFor(mutex_, std::chrono::nanoseconds(wait_ns));
  }
}

void NotifyService::Look() {
  const std::vector<Message> messages = notifier_.Run(Now());
  // A message whose note is not on disk goes out all the same: better told twice than not at all.
  // A disk that takes nothing is told of once, not at each look.
  const Status saved = Commit(kAuthor);
  if (!saved.ok() && !unstored_) {
    TM_LOG(kError, "the state of notifications cannot be stored, so that some may be sent again after a restart: {}",
           saved.error().message);
  }
  unstored_ = !saved.ok();
  for (const Message& message : messages) outbox_.Add(message.channel, message.id);
}

Status NotifyService::Commit(std::string_view author) {
  query::notify::Changes changes = notifier_.TakeChanges();
  changes.silences.merge(notifier_.silences().TakeChanged());
  return store_.Save(std::move(changes), notifier_, author);
}

Result<std::vector<Error>> NotifyService::Put(std::vector<query::notify::Alert> alerts, std::string_view author) {
  std::vector<Error> faults;
  MutexLock lock(mutex_);
  const int64_t now_ns = Now();
  for (query::notify::Alert& alert : alerts) {
    if (Status put = notifier_.Put(std::move(alert), now_ns); !put.ok()) faults.push_back(std::move(put).error());
  }
  TM_RETURN_IF_ERROR(Commit(author));
  wake_.NotifyAll();
  return faults;
}

void NotifyService::SetConfig(std::shared_ptr<const Config> config) {
  MutexLock lock(mutex_);
  config_ = config;
  notifier_.SetConfig(std::move(config), Now());
  wake_.NotifyAll();
}

std::shared_ptr<const Config> NotifyService::config() const {
  MutexLock lock(mutex_);
  return config_;
}

Result<std::string> NotifyService::SetSilence(Silence silence, std::string_view author) {
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(std::string id, notifier_.silences().Set(std::move(silence), Now()));
  TM_RETURN_IF_ERROR(Commit(author));
  return id;
}

Status NotifyService::ExpireSilence(std::string_view id, std::string_view author) {
  MutexLock lock(mutex_);
  TM_RETURN_IF_ERROR(notifier_.silences().Expire(id, Now()));
  return Commit(author);
}

std::optional<Silence> NotifyService::FindSilence(std::string_view id) const {
  MutexLock lock(mutex_);
  const Silence* const silence = notifier_.silences().Find(id);
  return silence == nullptr ? std::nullopt : std::optional(*silence);
}

std::vector<Silence> NotifyService::ListSilences() const {
  MutexLock lock(mutex_);
  return notifier_.silences().List(Now());
}

std::vector<query::notify::AlertView> NotifyService::Alerts() const {
  MutexLock lock(mutex_);
  return notifier_.Alerts(Now());
}

std::vector<query::notify::Alert> NotifyService::OwnAlerts() const {
  MutexLock lock(mutex_);
  return notifier_.OwnAlerts();
}

std::vector<query::notify::GroupView> NotifyService::Groups() const {
  MutexLock lock(mutex_);
  return notifier_.Groups(Now());
}

std::optional<DeliveryOutcome> NotifyService::Attempt(const std::string& id) {
  Message message;
  std::shared_ptr<const Config> config;
  {
    MutexLock lock(mutex_);
    const Message* const found = notifier_.BeginAttempt(id);
    if (found == nullptr) return std::nullopt;
    message = *found;
    config = config_;
  }
  const Integration* const integration = IntegrationOf(*config, message.channel);
  if (integration == nullptr) {
    return DeliveryOutcome{.kind = DeliveryOutcome::Kind::kRefused, .reason = "the receiver is configured no more"};
  }
  return Deliver(message, *integration, delivery_, Now(), outbox_.stopping());
}

bool NotifyService::Ended(const std::string& id, const DeliveryOutcome& outcome) {
  MutexLock lock(mutex_);
  const Message* const message = notifier_.FindMessage(id);
  const std::string receiver = message == nullptr ? "" : message->channel.receiver;
  bool again = false;
  switch (outcome.kind) {
    case DeliveryOutcome::Kind::kDelivered: notifier_.Delivered(id, Now()); break;
    case DeliveryOutcome::Kind::kRefused: notifier_.Refused(id); break;
    case DeliveryOutcome::Kind::kAgain: again = notifier_.EndAttempt(id, Now()); break;
  }
  if (outcome.kind != DeliveryOutcome::Kind::kDelivered && !outbox_.stopping()) {
    TM_LOG(kWarn, "message {} has not reached the receiver \"{}\": {}; {}", id, receiver, outcome.reason,
           again ? "it is sent again" : "it is given up");
  }
  if (const Status saved = Commit(kAuthor); !saved.ok()) {
    TM_LOG(kError, "that the receiver \"{}\" was told cannot be stored, so that it may be told again: {}", receiver,
           saved.error().message);
  }
  return again;
}

Result<std::vector<DeliveryOutcome>> NotifyService::SendTest(const std::string& name) {
  const std::shared_ptr<const Config> config = this->config();
  const Receiver* const receiver = config->FindReceiver(name);
  if (receiver == nullptr) {
    std::string known;
    for (const Receiver& other : config->receivers) known += (known.empty() ? "" : ", ") + other.name;
    return NotFound(fmt::format("there is no receiver \"{}\": {}", name,
                                known.empty() ? "none is configured; --notify-config FILE names some"
                                              : "those that are configured are " + known));
  }
  query::notify::Alert alert;
  alert.labels = {{"alertname", "TestAlert"}, {"receiver", name}, {"severity", "info"}};
  alert.annotations = {{"summary", "Somebody asked for this test: the receiver is reached."}};
  alert.starts_at_ns = Now();
  alert.fingerprint = query::notify::FingerprintOf(alert.labels);
  std::vector<DeliveryOutcome> outcomes;
  for (size_t i = 0; i < receiver->integrations.size(); ++i) {
    Message message;
    message.id = "test-" + NewUuid();
    message.channel = {.group = "test", .receiver = name, .integration = i};
    message.group_key = "{}:{alertname=\"TestAlert\"}";
    message.group_labels = {{"alertname", "TestAlert"}};
    message.alerts = {alert};
    message.made_at_ns = alert.starts_at_ns;
    message.firing = {alert.fingerprint};
    outcomes.push_back(Deliver(message, receiver->integrations[i], delivery_, Now(), outbox_.stopping()));
  }
  return outcomes;
}

}  // namespace tidemark::server::notify
