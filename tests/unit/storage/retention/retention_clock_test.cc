// The time by which rows grow old, where a machine's clock is set while another goes on.
#include "storage/retention/retention_clock.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/stepped_clock.h"

namespace tidemark::storage::retention {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3'600 * kSecond;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kT0 = 1'700'000'000 * kSecond;

// Looks once a minute.
void WorkFor(RetentionClock* clock, SteppedClock* machine, int64_t for_ns) {
  for (int64_t passed_ns = 0; passed_ns < for_ns; passed_ns += 60 * kSecond) {
    machine->Advance(60 * kSecond);
    clock->Look();
  }
}

TEST(RetentionClock, FollowsSmallSteps) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  EXPECT_EQ(clock.NowNs(), kT0);
  machine.Advance(kDay);
  EXPECT_EQ(clock.NowNs(), kT0 + kDay);
  for (const int64_t step : {kHour, -kHour}) {
    machine.Step(step);
    EXPECT_FALSE(clock.Look());
    EXPECT_EQ(clock.NowNs(), machine.NowNs());
    EXPECT_FALSE(clock.Read().jumped);
  }
}

TEST(RetentionClock, AClockFarAheadIsNotFollowed) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  machine.Step(400 * kDay);
  // Also before anybody has looked.
  EXPECT_EQ(clock.NowNs(), kT0);
  EXPECT_TRUE(clock.Look());
  machine.Advance(60 * kSecond);
  EXPECT_EQ(clock.NowNs(), kT0 + 60 * kSecond);
  const RetentionTime time = clock.Read();
  EXPECT_TRUE(time.jumped);
  EXPECT_EQ(time.trusted.ns, kT0 + 60 * kSecond);
  EXPECT_EQ(time.machine.ns, kT0 + 60 * kSecond + 400 * kDay);
  machine.Step(-400 * kDay);
  EXPECT_TRUE(clock.Look());
  EXPECT_FALSE(clock.Read().jumped);
  EXPECT_EQ(clock.NowNs(), kT0 + 60 * kSecond);
}

// Rows that are written by the machine's time must not be too old for it.
TEST(RetentionClock, OfAClockFarBehindTheEarlierCounts) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  machine.Step(-2 * kHour);
  EXPECT_EQ(clock.NowNs(), kT0 - 2 * kHour);
  EXPECT_TRUE(clock.Look());
  EXPECT_TRUE(clock.Read().jumped);
  EXPECT_EQ(clock.Read().trusted.ns, kT0);
}

TEST(RetentionClock, ADayOfAgreementConfirms) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  machine.Step(30 * kDay);
  EXPECT_TRUE(clock.Look());
  WorkFor(&clock, &machine, 23 * kHour);
  EXPECT_EQ(clock.NowNs(), kT0 + 23 * kHour);
  EXPECT_EQ(clock.Read().agreed_ns, 23 * kHour);
  WorkFor(&clock, &machine, kHour);
  EXPECT_FALSE(clock.Read().jumped);
  EXPECT_EQ(clock.NowNs(), kT0 + 31 * kDay);
}

TEST(RetentionClock, ASecondJumpBackBeginsAgain) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  machine.Step(30 * kDay);
  EXPECT_TRUE(clock.Look());
  WorkFor(&clock, &machine, 23 * kHour);
  machine.Step(-10 * kDay);
  EXPECT_TRUE(clock.Look());
  EXPECT_EQ(clock.Read().agreed_ns, 0);
  WorkFor(&clock, &machine, 23 * kHour);
  EXPECT_EQ(clock.NowNs(), kT0 + 46 * kHour);
}

TEST(RetentionClock, SomebodyMayConfirm) {
  SteppedClock machine(kT0);
  RetentionClock clock(machine);
  machine.Step(30 * kDay);
  EXPECT_TRUE(clock.Look());
  clock.Accept();
  EXPECT_EQ(clock.NowNs(), kT0 + 30 * kDay);
  EXPECT_FALSE(clock.Look());
  EXPECT_FALSE(clock.Read().jumped);
}

// Without a battery for its clock, a machine begins in 1970; the first time that has been set is the first there is.
TEST(RetentionClock, AFirstStartIn1970WaitsForTheFirstTimeThatWasSet) {
  SteppedClock machine(20 * kSecond);
  RetentionClock clock(machine);
  clock.Begin(std::nullopt, "boot");
  EXPECT_EQ(clock.NowNs(), 20 * kSecond);
  machine.Advance(5 * kSecond);
  machine.Step(kT0);
  EXPECT_TRUE(clock.Look());
  EXPECT_EQ(clock.NowNs(), machine.NowNs());
  EXPECT_FALSE(clock.Read().jumped);
}

TEST(RetentionClock, AProcessOfTheSameBootKnowsHowMuchTimePassed) {
  SteppedClock machine(kT0);
  RetentionClock first(machine);
  first.Begin(std::nullopt, "boot");
  const KeptClock kept = first.Keep();
  machine.Advance(3 * kDay);
  RetentionClock second(machine);
  second.Begin(kept, "boot");
  EXPECT_EQ(second.NowNs(), kT0 + 3 * kDay);
  EXPECT_FALSE(second.Read().jumped);

  machine.Step(400 * kDay);
  RetentionClock third(machine);
  third.Begin(kept, "boot");
  EXPECT_EQ(third.NowNs(), kT0 + 3 * kDay);
  EXPECT_TRUE(third.Read().jumped);
}

// A machine that is switched off each night is a night ahead after it; that is a jump that a day of running confirms.
TEST(RetentionClock, AgreementGoesOnOverBoots) {
  SteppedClock machine(kT0);
  KeptClock kept = RetentionClock(machine).Keep();
  int64_t off_ns = 0;
  for (int day = 0; day < 4; ++day) {
    // The steady clock begins anew with each boot.
    SteppedClock booted(kSecond);
    off_ns += 10 * kHour;
    booted.Step(kT0 + off_ns);
    RetentionClock clock(booted);
    clock.Begin(kept, "boot " + std::to_string(day));
    EXPECT_TRUE(clock.Read().jumped) << day;
    if (day == 2) {
      EXPECT_EQ(clock.NowNs(), booted.NowNs() - 10 * kHour) << "followed on day 1";
    }
    WorkFor(&clock, &booted, 14 * kHour);
    off_ns += 14 * kHour;
    kept = clock.Keep();
    EXPECT_EQ(kept.jumped, day % 2 == 0) << day;
  }
}

TEST(RetentionClock, AnotherBootIn1970KeepsTheTimeThatWasKnown) {
  SteppedClock machine(kT0);
  const KeptClock kept = RetentionClock(machine).Keep();
  SteppedClock booted(20 * kSecond);
  RetentionClock clock(booted);
  clock.Begin(kept, "next");
  EXPECT_TRUE(clock.Read().jumped);
  EXPECT_EQ(clock.Read().trusted.ns, kT0);
  booted.Step(kT0);
  EXPECT_TRUE(clock.Look());
  EXPECT_EQ(clock.NowNs(), kT0 + 20 * kSecond);
}

TEST(RetentionClock, WhatIsKeptIsReadAgain) {
  for (const KeptClock& kept : {KeptClock{kT0, kT0 + 5, 17, true, kHour, "0f1e", "a-b"},
                                KeptClock{-1, INT64_MIN, INT64_MAX, false, 0, "", ""}}) {
    const auto read = DecodeKeptClock(EncodeKeptClock(kept));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, kept);
  }
  for (const char* bad : {"", "clock 1", "clock 2 1 2 3 0 4 x", "clock 1 1 2 3 2 4 x", "clock 1 1 2 x 0 4 s y",
                          "clock 1 1 2", "clock 1 1 2 3 0 4"}) {
    EXPECT_FALSE(DecodeKeptClock(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tidemark::storage::retention
