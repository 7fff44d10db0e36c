#include "query/notify/resend.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::query::notify {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

class ResendTest : public ::testing::Test {
 protected:
  static Alert Named(const std::string& name, int64_t starts, int64_t ends) {
    return {.labels = {{"alertname", name}}, .starts_at_ns = starts, .ends_at_ns = ends};
  }
  // The names of what is due; it arrives.
  std::string Send(int64_t now) {
    const std::vector<Alert> due = book_.Due(now);
    std::string names;
    for (const Alert& alert : due) {
      names += std::string(ValueOf(alert.labels, "alertname")) + (alert.ResolvedAt(now) ? "- " : "+ ");
    }
    book_.Sent(due, now);
    return names;
  }
  void Fires(const std::string& name, int64_t now) { book_.Put({Named(name, kStart, now + 4 * kMinute)}, now); }

  ResendBook book_{kMinute};
};

TEST_F(ResendTest, AnAlertIsToldAtOnceAndEachMinute) {
  EXPECT_EQ(book_.NextDueNs(), INT64_MAX);
  Fires("A", kStart);
  EXPECT_EQ(book_.NextDueNs(), kStart);
  EXPECT_EQ(Send(kStart), "A+ ");
  EXPECT_EQ(book_.NextDueNs(), kStart + kMinute);
  for (int i = 1; i < 12; ++i) {
    const int64_t now = kStart + i * 15 * kSecond;
    Fires("A", now);
    EXPECT_EQ(Send(now), i % 4 == 0 ? "A+ " : "") << i;
  }
}

TEST_F(ResendTest, AnEndIsToldAtOnceAndForAQuarterOfAnHour) {
  Fires("A", kStart);
  Send(kStart);
  const int64_t end = kStart + 30 * kSecond;
  book_.Put({Named("A", kStart, end)}, end);
  EXPECT_EQ(Send(end), "A- ");
  int told = 0;
  for (int64_t now = end; now < end + 60 * kMinute; now += 10 * kSecond) told += Send(now).empty() ? 0 : 1;
  EXPECT_EQ(told, 15);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(ResendTest, WhatDoesNotArriveStaysDue) {
  Fires("A", kStart);
  EXPECT_EQ(book_.Due(kStart).size(), 1U);
  EXPECT_EQ(book_.Due(kStart + kSecond).size(), 1U);
  // It ends while the message that says that it fires is on its way.
  const std::vector<Alert> on_its_way = book_.Due(kStart + kSecond);
  book_.Put({Named("A", kStart, kStart + 2 * kSecond)}, kStart + 2 * kSecond);
  book_.Sent(on_its_way, kStart + 2 * kSecond);
  EXPECT_EQ(Send(kStart + 2 * kSecond), "A- ");
}

TEST_F(ResendTest, OneThatFiresAnewIsToldAtOnce) {
  Fires("A", kStart);
  Send(kStart);
  book_.Put({Named("A", kStart, kStart + kSecond)}, kStart + kSecond);
  Send(kStart + kSecond);
  const int64_t again = kStart + 2 * kSecond;
  book_.Put({Named("A", again, again + 4 * kMinute)}, again);
  EXPECT_EQ(Send(again), "A+ ");
}

TEST_F(ResendTest, WhatNobodyTellsOfAnyMoreIsForgotten) {
  Fires("A", kStart);
  Send(kStart);
  EXPECT_EQ(Send(kStart + 3 * kMinute), "A+ ");
  EXPECT_EQ(Send(kStart + 4 * kMinute), "");
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(ResendTest, AMessageHasABound) {
  std::vector<Alert> many;
  for (int i = 0; i < 100; ++i) many.push_back(Named("A" + std::to_string(i), kStart, kStart + 4 * kMinute));
  book_.Put(many, kStart);
  EXPECT_EQ(book_.Due(kStart).size(), ResendBook::kBatchMax);
  Send(kStart);
  EXPECT_EQ(book_.NextDueNs(), kStart);
  EXPECT_EQ(book_.Due(kStart).size(), 100 - ResendBook::kBatchMax);
}

TEST_F(ResendTest, AClockThatIsSetBackDoesNoHarm) {
  Fires("A", kStart);
  Send(kStart);
  const int64_t back = kStart - 60 * kMinute;
  book_.Put({Named("A", kStart, back + 4 * kMinute)}, back);
  EXPECT_EQ(Send(back), "A+ ");
}

}  // namespace
}  // namespace tidemark::query::notify
