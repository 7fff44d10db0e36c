// What the server knows of itself, recorded as it does, evaluated by the rules that ship: each cause makes its alert
// fire after its time, and no other; and it ends with its cause.
#include "tools/server/watch/self_alerts.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <set>
#include <string>

#include "query/engine/engine.h"
#include "query/rules/manager.h"
#include "storage/model/batch.h"
#include "tests/unit/query/api/memory_store.h"
#include "tools/server/watch/self_recorder.h"

namespace tidemark::server {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;
constexpr int64_t kMinutes = 60 * kSecond;

// What a machine is at.
struct Machine {
  SelfFigures figures = {.memory_used_ratio = 0.5, .certificate_ends_seconds = kStart / kSecond + 90 * 86'400};
  double disk_used_percent = 60;
  double disk_free = 4e9;
  int64_t clock_set_ns = 0;  // by how much the clock is set in this step
};

struct Cause {
  std::string alert;
  // Called each 15 s, with the time since the cause began.
  std::function<void(Machine* machine, int64_t since_ns)> make;
  // When the alert fires at last, and how long after the end of the cause it has ended.
  int64_t within_ns;
  int64_t ends_within_ns;
};
void PrintTo(const Cause& cause, std::ostream* out) { *out << cause.alert; }

class SelfAlerts : public ::testing::TestWithParam<Cause> {
 protected:
  SelfAlerts() {
    auto groups = query::rules::ParseRuleFile(SelfAlertsText(), "self");
    EXPECT_TRUE(groups.ok());
    manager_.SetGroups(std::move(groups).value());
  }
  // 15 s later; the alerts that fire.
  std::set<std::string> Step(const Machine& machine) {
    // The machine's clock is set, the steady one goes on.
    clock_.now_ns += SelfRecorder::kPeriodNs + machine.clock_set_ns;
    clock_.steady_ns += SelfRecorder::kPeriodNs;
    now_ = machine.figures;
    EXPECT_TRUE(recorder_.Record().ok());
    model::BatchBuilder rows;
    rows.Row("disk", {{"path", "/"}}, {clock_.now_ns})
        .Field("used_percent", machine.disk_used_percent)
        .Field("free", machine.disk_free);
    EXPECT_TRUE(store_.Write("_host", rows.batch()).ok());
    manager_.RunDue();
    std::set<std::string> firing;
    const query::rules::Snapshot status = manager_.Status();
    for (const auto& rule : status.groups[0].rules) {
      EXPECT_EQ(rule.last_error, "");
      if (rule.state() == query::rules::AlertState::kFiring) firing.insert(rule.rule->name);
    }
    return firing;
  }

  struct TwoClocks final : Clock {
    [[nodiscard]] int64_t NowNs() const override { return now_ns; }
    [[nodiscard]] int64_t SteadyNs() const override { return steady_ns; }
    int64_t now_ns = kStart;
    int64_t steady_ns = 0;
  };
  MemoryStore store_;
  TwoClocks clock_;
  InlineScheduler scheduler_;
  SelfFigures now_;
  SelfRecorder recorder_{store_, clock_, [this] { return now_; }};
  query::rules::Manager manager_{{.store = &store_,
                                  .sink = &store_,
                                  .scheduler = &scheduler_,
                                  .clock = &clock_,
                                  .execute = &query::engine::Execute},
                                 {}};
};

TEST_P(SelfAlerts, FiresWhenItIsProvokedAndEnds) {
  const Cause& cause = GetParam();
  Machine machine;
  for (int i = 0; i < 8; ++i) ASSERT_EQ(Step(machine), std::set<std::string>()) << "nothing is wrong yet";
  int64_t since_ns = 0;
  std::set<std::string> firing;
  while (firing.empty() && since_ns <= cause.within_ns) {
    machine = {};
    cause.make(&machine, since_ns);
    firing = Step(machine);
    since_ns += SelfRecorder::kPeriodNs;
  }
  ASSERT_EQ(firing, std::set<std::string>{cause.alert});
  int64_t over_ns = 0;
  while (!firing.empty() && over_ns <= cause.ends_within_ns) {
    firing = Step({});
    over_ns += SelfRecorder::kPeriodNs;
  }
  EXPECT_EQ(firing, std::set<std::string>()) << "it is over";
}

INSTANTIATE_TEST_SUITE_P(
    All, SelfAlerts,
    ::testing::Values(
        // Of 4 GB one goes each five minutes, so that none is left in twenty.
        Cause{"TidemarkDiskFullSoon",
              [](Machine* machine, int64_t since_ns) {
                machine->disk_free = 4e9 - 1e9 * static_cast<double>(since_ns) / (5.0 * kMinutes);
              },
              19 * kMinutes, 60 * kMinutes},
        Cause{"TidemarkDiskFull", [](Machine* machine, int64_t) { machine->disk_used_percent = 96; }, 2 * kMinutes,
              kMinutes},
        Cause{"TidemarkNoReserve", [](Machine* machine, int64_t) { machine->figures.reserve_missing_bytes = 1 << 20; },
              6 * kMinutes, kMinutes},
        Cause{"TidemarkDamage", [](Machine* machine, int64_t) { machine->figures.findings = 1; }, kMinutes, kMinutes},
        Cause{"TidemarkClockJump",
              [](Machine* machine, int64_t since_ns) { machine->clock_set_ns = since_ns == 0 ? 30 * kSecond : 0; },
              kMinutes, 12 * kMinutes},
        Cause{"TidemarkReceiverFails", [](Machine* machine, int64_t) { machine->figures.receivers_failing = 1; },
              3 * kMinutes, kMinutes},
        Cause{"TidemarkMemoryHigh", [](Machine* machine, int64_t) { machine->figures.memory_used_ratio = 0.95; },
              3 * kMinutes, kMinutes},
        Cause{"TidemarkCertificateEnds",
              [](Machine* machine, int64_t) { machine->figures.certificate_ends_seconds = kStart / kSecond + 86'400; },
              kMinutes, kMinutes}),
    [](const auto& one) { return one.param.alert; });

// One more row makes one more case.
TEST(SelfAlertsText, EachAlertHasACause) {
  const auto groups = query::rules::ParseRuleFile(SelfAlertsText(), "self");
  ASSERT_TRUE(groups.ok());
  EXPECT_EQ(groups->front().rules.size(), 8U);
}

}  // namespace
}  // namespace tidemark::server
