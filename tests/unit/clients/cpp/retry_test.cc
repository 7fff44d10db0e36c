#include "clients/cpp/retry.h"

#include <gtest/gtest.h>

namespace tidemark::client {
namespace {

using std::chrono::milliseconds;

TEST(Retry, StatusesThatAreFinal) {
  for (const int status : {200, 204}) EXPECT_EQ(Judge(status), Verdict::kDelivered) << status;
  for (const int status : {301, 400, 404, 413, 422}) EXPECT_EQ(Judge(status), Verdict::kRefused) << status;
  for (const int status : {401, 403, 408, 429, 500, 502, 503, 504})
    EXPECT_EQ(Judge(status), Verdict::kTryAgain) << status;
}

TEST(Retry, RetryAfterInBothForms) {
  // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
  constexpr int64_t kDateNs = 784'111'777'000'000'000;
  EXPECT_EQ(ParseRetryAfter("3", 0), milliseconds(3000));
  EXPECT_EQ(ParseRetryAfter("0", 0), milliseconds(0));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kDateNs - 2'000'000'000), milliseconds(2000));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kDateNs + 1'000'000'000), milliseconds(0));
  for (const char* const bad : {"", "-1", "3s", "soon", "99999999999", "Sun, 06 Nov 1994"}) {
    EXPECT_EQ(ParseRetryAfter(bad, 0), std::nullopt) << bad;
  }
}

TEST(Retry, WaitsDoubleUpToTheMostAndAreDrawnFromTheUpperHalf) {
  Backoff backoff({milliseconds(100), milliseconds(1000)}, 7);
  for (const int most : {100, 200, 400, 800, 1000, 1000, 1000}) {
    const milliseconds wait = backoff.Next(std::nullopt);
    EXPECT_GE(wait.count(), most / 2);
    EXPECT_LE(wait.count(), most);
  }
  EXPECT_EQ(backoff.failures(), 7);
  backoff.Reset();
  EXPECT_LE(backoff.Next(std::nullopt).count(), 100);
}

TEST(Retry, TwoClientsDoNotComeBackTogether) {
  Backoff a({milliseconds(10'000), milliseconds(30'000)}, 1);
  Backoff b({milliseconds(10'000), milliseconds(30'000)}, 2);
  EXPECT_NE(a.Next(milliseconds(5000)), b.Next(milliseconds(5000)));
}

TEST(Retry, TheServersWishIsTheLeast) {
  Backoff backoff({milliseconds(10), milliseconds(20)}, 1);
  const milliseconds wait = backoff.Next(milliseconds(5000));
  EXPECT_GE(wait.count(), 5000);
  EXPECT_LE(wait.count(), 5010);
  EXPECT_LE(backoff.Next(std::chrono::hours(24)), Backoff::kMaxRetryAfter + milliseconds(20));
}

TEST(Retry, ManyFailuresDoNotOverflow) {
  Backoff backoff({milliseconds(1), milliseconds(INT64_MAX)}, 1);
  for (int i = 0; i < 200; ++i) EXPECT_GT(backoff.Next(std::nullopt).count(), 0);
}

}  // namespace
}  // namespace tidemark::client
