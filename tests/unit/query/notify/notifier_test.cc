#include "query/notify/notifier.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tidemark::query::notify {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

// Seconds of a day that begins with the test; what is sent is noted as "10:r A! B" (B is resolved at second 10).
class NotifierTest : public ::testing::Test {
 protected:
  void Begin(const std::string& yaml, NotifierOptions options = {}) {
    options.silences.new_id = [this] { return fmt::format("s{}", ++silence_ids_); };
    options_ = options;
    const Result<Config> config = ParseConfig(yaml, "f");
    ASSERT_TRUE(config.ok()) << config.error().message;
    notifier_ = std::make_unique<Notifier>(std::make_shared<const Config>(*config), options);
  }
  void Reload(const std::string& yaml) {
    notifier_->SetConfig(std::make_shared<const Config>(*ParseConfig(yaml, "f")), Now());
  }
  [[nodiscard]] int64_t Now() const { return kStart + now_s_ * kSecond; }

  // Lets time pass, and receivers answer at once.
  void To(int64_t second) {
    for (; now_s_ < second; ++now_s_) Look();
    Look();
  }
  void Look() {
    for (const Message& message : notifier_->Run(Now())) {
      queue_.push_back(message.id);
      all_.push_back(message);
    }
    for (const std::string& id : std::exchange(queue_, {})) {
      const Message* message = notifier_->BeginAttempt(id);
      if (message == nullptr) continue;
      if (down_.contains(message->channel.receiver)) {
        ASSERT_EQ(notifier_->EndAttempt(id, Now()), !gives_up_);
        if (!gives_up_) queue_.push_back(id);
      } else if (refusing_.contains(message->channel.receiver)) {
        Note(*message, "x");
        notifier_->Refused(id);
      } else {
        Note(*message, "");
        notifier_->Delivered(id, Now());
      }
    }
  }
  void Note(const Message& message, const char* mark) {
    std::string line = fmt::format("{}{}:{}", mark, now_s_, message.channel.receiver);
    for (const Alert& alert : message.alerts) {
      line += fmt::format(" {}{}", ValueOf(alert.labels, "alertname"), alert.ends_at_ns == 0 ? "!" : "");
    }
    sent_ += (sent_.empty() ? "" : ", ") + line;
  }
  static model::Labels Labels(const std::string& name, model::Labels more) {
    more.push_back({"alertname", name});
    std::sort(more.begin(), more.end());
    return more;
  }
  void Fire(const std::string& name, model::Labels more = {}, int64_t for_s = 10'000) {
    ASSERT_TRUE(notifier_
                    ->Put({.labels = Labels(name, std::move(more)),
                           .starts_at_ns = Now(),
                           .ends_at_ns = Now() + for_s * kSecond,
                           .timeout = true},
                          Now())
                    .ok());
  }
  void Resolve(const std::string& name, model::Labels more = {}) {
    const Alert* old = notifier_->FindAlert(FingerprintOf(Labels(name, more)));
    ASSERT_TRUE(notifier_
                    ->Put({.labels = Labels(name, std::move(more)),
                           .starts_at_ns = old == nullptr ? Now() : old->starts_at_ns,
                           .ends_at_ns = Now()},
                          Now())
                    .ok());
  }
  std::string SilenceAlert(const std::string& name, int64_t for_s) {
    return *notifier_->silences().Set(
        {.matchers = *ParseMatchers("alertname=" + name), .starts_at_ns = Now(), .ends_at_ns = Now() + for_s * kSecond},
        Now());
  }

  // As after a kill: what was stored, and nothing else.
  void Restart(const std::string& yaml) {
    auto next = std::make_unique<Notifier>(std::make_shared<const Config>(*ParseConfig(yaml, "f")), options_);
    for (const std::string& id : stored_.groups) {
      if (const Group* group = notifier_->FindGroup(id)) next->RestoreGroup(id, {group->next_flush_ns, group->flushed});
    }
    for (const Channel& channel : stored_.told) {
      if (const Told* told = notifier_->FindTold(channel)) next->RestoreTold(channel, *told);
    }
    queue_.clear();
    for (const std::string& id : stored_.messages) {
      if (const Message* message = notifier_->FindMessage(id)) {
        next->RestoreMessage(*message);
        queue_.push_back(id);
      }
    }
    for (const uint64_t fingerprint : stored_.alerts) {
      if (const Alert* alert = notifier_->FindAlert(fingerprint)) next->RestoreAlert(*alert, Now());
    }
    for (const Silence& silence : notifier_->silences().List(Now())) next->silences().Restore(silence);
    notifier_ = std::move(next);
  }
  void Store() {
    Changes changes = notifier_->TakeChanges();
    stored_.alerts.merge(changes.alerts);
    stored_.groups.merge(changes.groups);
    stored_.told.merge(changes.told);
    stored_.messages.merge(changes.messages);
  }

  std::unique_ptr<Notifier> notifier_;
  NotifierOptions options_;
  Changes stored_;
  int64_t now_s_ = 0;
  int silence_ids_ = 0;
  bool gives_up_ = false;
  std::vector<std::string> queue_;
  std::vector<Message> all_;
  std::set<std::string> down_;
  std::set<std::string> refusing_;
  std::string sent_;
};

constexpr const char* kPlain = R"(
route: {receiver: r, group_by: [team], group_wait: 10s, group_interval: 30s, repeat_interval: 100s}
receivers: [{name: r, webhook_configs: [{url: 'http://h'}]}]
)";

TEST_F(NotifierTest, WaitsGroupsAndRepeats) {
  Begin(kPlain);
  Fire("A");
  To(5);
  Fire("B");
  Fire("C", {{"team", "x"}});
  To(200);
  // The first 10 s after the group's first alert; a repeat at the first look that is more than 100 s after the last.
  EXPECT_EQ(sent_, "10:r A! B!, 15:r C!, 130:r A! B!, 135:r C!");
  EXPECT_EQ(all_[0].group_key, "{}:{}");
  EXPECT_EQ(all_[1].group_key, "{}:{team=\"x\"}");
}

TEST_F(NotifierTest, ARepeatThatIsAMultipleOfTheIntervalComesALookLater) {
  Begin(R"(
route: {receiver: r, group_wait: 10s, group_interval: 30s, repeat_interval: 60s}
receivers: [{name: r, webhook_configs: [{url: 'http://h'}]}]
)");
  Fire("A");
  To(160);
  EXPECT_EQ(sent_, "10:r A!, 100:r A!");
}

TEST_F(NotifierTest, AnAlertThatIsOldAlreadyWaitsForNobody) {
  Begin(kPlain);
  ASSERT_TRUE(notifier_
                  ->Put({.labels = {{"alertname", "Old"}},
                         .starts_at_ns = Now() - 11 * kSecond,
                         .ends_at_ns = Now() + 1000 * kSecond},
                        Now())
                  .ok());
  To(1);
  EXPECT_EQ(sent_, "0:r Old!");
}

TEST_F(NotifierTest, NewsAndResolvesAtTheNextLook) {
  Begin(kPlain);
  Fire("A");
  To(12);
  Fire("B");
  To(41);
  Resolve("A");
  To(80);
  Resolve("B");
  To(300);
  EXPECT_EQ(sent_, "10:r A!, 40:r A! B!, 70:r A B!, 100:r B");
  EXPECT_EQ(notifier_->group_count(), 0U);
  EXPECT_TRUE(notifier_->Alerts(Now()).empty());
}

TEST_F(NotifierTest, WhatNobodyWasToldOfIsNotResolved) {
  Begin(kPlain);
  Fire("A");
  To(12);
  Fire("B");
  To(20);
  Resolve("B");
  To(60);
  EXPECT_EQ(sent_, "10:r A!");
}

TEST_F(NotifierTest, WhatNobodyWasToldOfIsResolvedInAlertmanager) {
  Begin(kPlain, {.as_alertmanager = true});
  Fire("A");
  To(12);
  Fire("B");
  To(20);
  Resolve("B");
  To(60);
  EXPECT_EQ(sent_, "10:r A!, 40:r A! B");
}

TEST_F(NotifierTest, WithoutAnEndItEndsByItself) {
  Begin(kPlain);
  Fire("A", {}, 50);
  To(80);
  EXPECT_EQ(sent_, "10:r A!, 70:r A");
}

TEST_F(NotifierTest, AFiringAfterASilentResolveIsNews) {
  Begin(R"(
route: {receiver: r, group_wait: 10s, group_interval: 30s, repeat_interval: 1h}
receivers: [{name: r, webhook_configs: [{url: 'http://h', send_resolved: false}]}]
)");
  Fire("A");
  To(20);
  Resolve("A");
  To(50);
  Fire("A");
  To(150);
  EXPECT_EQ(sent_, "10:r A!, 70:r A!");
}

TEST_F(NotifierTest, ASilenceHoldsBackTheFiringAndNotTheResolve) {
  Begin(kPlain);
  Fire("A");
  SilenceAlert("B", 1000);
  Fire("B");
  To(15);
  SilenceAlert("A", 1000);
  To(50);
  Resolve("A");
  Resolve("B");
  To(120);
  EXPECT_EQ(sent_, "10:r A!, 70:r A");
}

TEST_F(NotifierTest, ASilenceLosesTheResolveInAlertmanager) {
  Begin(kPlain, {.as_alertmanager = true});
  Fire("A");
  To(15);
  SilenceAlert("A", 1000);
  To(50);
  Resolve("A");
  To(120);
  EXPECT_EQ(sent_, "10:r A!");
}

TEST_F(NotifierTest, WhenASilenceEndsWhatStillFiresIsSaid) {
  const char* slow = R"(
route: {receiver: r, group_wait: 10s, group_interval: 30s, repeat_interval: 1h}
receivers: [{name: r, webhook_configs: [{url: 'http://h'}]}]
)";
  Begin(slow);
  Fire("A");
  To(15);
  SilenceAlert("A", 40);
  To(200);
  EXPECT_EQ(sent_, "10:r A!, 70:r A!");
}

TEST_F(NotifierTest, InhibitionAndTimes) {
  Begin(R"(
route:
  receiver: r
  group_wait: 10s
  group_interval: 30s
  group_by: [alertname]
  routes:
    - {matchers: [team=night], receiver: r, mute_time_intervals: [always]}
    - {matchers: [team=day], receiver: r, active_time_intervals: [never]}
receivers: [{name: r, webhook_configs: [{url: 'http://h'}]}]
inhibit_rules: [{source_matchers: [alertname=A], target_matchers: [alertname=B]}]
time_intervals:
  - {name: always, time_intervals: [{}]}
  - {name: never, time_intervals: [{years: ['1999']}]}
)");
  Fire("A");
  Fire("B");
  Fire("C", {{"team", "night"}});
  Fire("D", {{"team", "day"}});
  To(30);
  Resolve("A");
  To(80);
  EXPECT_EQ(sent_, "10:r A!, 40:r A, 40:r B!");
}

constexpr const char* kTwo = R"(
route:
  receiver: r
  group_wait: 10s
  group_interval: 30s
  repeat_interval: 1h
  routes:
    - {matchers: ['alertname=~".*"'], receiver: a, continue: true}
    - {matchers: ['alertname=~".*"'], receiver: b}
receivers:
  - {name: r}
  - {name: a, webhook_configs: [{url: 'http://h'}]}
  - {name: b, webhook_configs: [{url: 'http://h'}]}
)";

TEST_F(NotifierTest, ADeadReceiverIsToldTheFiringAndThenTheResolve) {
  Begin(kTwo);
  down_ = {"a"};
  Fire("A");
  To(30);
  Resolve("A");
  To(75);
  EXPECT_EQ(sent_, "10:b A!, 40:b A");
  down_ = {};
  To(200);
  // What it was to be told at 10, then that it is over.
  EXPECT_EQ(sent_, "10:b A!, 40:b A, 75:a A!, 100:a A");
}

TEST_F(NotifierTest, ADeadReceiverIsToldAllThatIsStillTrueAtOnce) {
  Begin(kTwo);
  down_ = {"a"};
  Fire("A");
  To(30);
  Fire("B");
  To(75);
  down_ = {};
  To(200);
  EXPECT_EQ(sent_, "10:b A!, 40:b A! B!, 75:a A! B!");
}

TEST_F(NotifierTest, AReceiverThatRefusesIsAskedAtTheNextLook) {
  Begin(kPlain);
  refusing_ = {"r"};
  Fire("A");
  To(45);
  refusing_ = {};
  To(100);
  EXPECT_EQ(sent_, "x10:r A!, x40:r A!, 70:r A!");
}

TEST_F(NotifierTest, GivesUpWhatIsTooOld) {
  Begin(kPlain, {.message_age_max_ns = 20 * kSecond});
  down_ = {"r"};
  Fire("A");
  To(30);
  now_s_ = 31;
  gives_up_ = true;
  Look();
  gives_up_ = false;
  EXPECT_TRUE(notifier_->Pending().empty());
  down_ = {};
  To(50);
  EXPECT_EQ(sent_, "40:r A!");
}

TEST_F(NotifierTest, AReloadSaysNothingAndLosesNothing) {
  Begin(kPlain);
  Fire("A");
  To(5);
  Fire("B", {{"team", "x"}});
  Reload(kPlain);
  To(20);
  Reload(kPlain);
  To(60);
  EXPECT_EQ(sent_, "10:r A!, 15:r B!");
  Resolve("A");
  Reload(kPlain);
  To(100);
  EXPECT_EQ(sent_, "10:r A!, 15:r B!, 70:r A");
}

TEST_F(NotifierTest, ARestartSaysNothingAndLosesNothing) {
  Begin(kPlain);
  Fire("A");
  To(5);
  Store();
  Restart(kPlain);
  To(12);
  EXPECT_EQ(sent_, "10:r A!");
  Store();
  Restart(kPlain);
  To(50);
  EXPECT_EQ(sent_, "10:r A!");
  Resolve("A");
  down_ = {"r"};
  To(72);
  Store();
  Restart(kPlain);
  down_ = {};
  To(120);
  // The resolve was on its way; it has the id that it had.
  EXPECT_EQ(sent_, "10:r A!, 72:r A");
  EXPECT_EQ(all_.size(), 2U);
}

TEST_F(NotifierTest, ARestartIsNoEndOfAnAlert) {
  Begin(kPlain);
  Fire("A", {}, 60);
  To(12);
  Store();
  now_s_ = 500;  // nobody could say that it goes on
  Restart(kPlain);
  To(540);
  EXPECT_EQ(sent_, "10:r A!, 500:r A!");
  To(620);
  EXPECT_EQ(sent_, "10:r A!, 500:r A!, 560:r A");
}

TEST_F(NotifierTest, AClockThatIsSetBackDelaysNobodyForLong) {
  Begin(kPlain);
  now_s_ = 10'000;
  Fire("A");
  To(10'000);
  now_s_ = 100;
  To(131);
  EXPECT_EQ(sent_, "130:r A!");
}

TEST_F(NotifierTest, WhatIsToldAgainNeedsNoWriting) {
  Begin(kPlain);
  Fire("A");
  EXPECT_EQ(notifier_->TakeChanges().alerts.size(), 1U);
  now_s_ = 15;
  ASSERT_TRUE(notifier_
                  ->Put({.labels = {{"alertname", "A"}},
                         .starts_at_ns = kStart,
                         .ends_at_ns = Now() + 10'000 * kSecond,
                         .timeout = true},
                        Now())
                  .ok());
  EXPECT_TRUE(notifier_->TakeChanges().alerts.empty());
  Resolve("A");
  EXPECT_EQ(notifier_->TakeChanges().alerts.size(), 1U);
}

TEST_F(NotifierTest, BoundsAreKept) {
  Begin(kPlain, {.alerts_max = 2, .groups_max = 1});
  Fire("A");
  Fire("B", {{"team", "x"}});
  EXPECT_EQ(notifier_->groups_refused(), 1U);
  EXPECT_EQ(
      notifier_->Put({.labels = {{"a", "b"}}, .starts_at_ns = Now(), .ends_at_ns = Now() + 1}, Now()).error().code,
      ErrorCode::kLimitExceeded);
}

TEST_F(NotifierTest, ViewsNameWhoIsToldAndWhyNot) {
  Begin(kTwo);
  Fire("A");
  const std::string id = SilenceAlert("A", 100);
  const std::vector<AlertView> alerts = notifier_->Alerts(Now());
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].receivers, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(alerts[0].silenced_by, std::vector<std::string>{id});
  const std::vector<GroupView> groups = notifier_->Groups(Now());
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].receiver, "a");
  EXPECT_EQ(groups[1].alerts.size(), 1U);
}

}  // namespace
}  // namespace tidemark::query::notify
