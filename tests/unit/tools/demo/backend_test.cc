#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/tools/demo/lines_of_points.h"
#include "tools/demo/backend_model.h"
#include "tools/demo/backend_reporter.h"

namespace tidemark::demo {
namespace {

constexpr int64_t kToday = 1'700'000'000 * kSecond;

TEST(Story, WeeksEndToday) {
  EXPECT_EQ(WeekAt(kToday, kToday), kWeeks - 1);
  EXPECT_EQ(WeekAt(kToday + kWeek, kToday), kWeeks - 1);
  EXPECT_EQ(WeekAt(kToday - 1, kToday), kWeeks - 1);
  EXPECT_EQ(WeekAt(kToday - kWeek, kToday), kWeeks - 1);
  EXPECT_EQ(WeekAt(kToday - kWeek - 1, kToday), kWeeks - 2);
  EXPECT_EQ(WeekAt(kToday - 6 * kWeek, kToday), 0);
  EXPECT_EQ(WeekAt(kToday - 60 * kWeek, kToday), 0);
}

TEST(Chance, IsEvenRepeatsAndDiffersByStream) {
  const Chance chance(7);
  double sum = 0;
  double square = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const double even = chance.Uniform(3, i);
    EXPECT_GE(even, 0);
    EXPECT_LT(even, 1);
    EXPECT_EQ(even, Chance(7).Uniform(3, i));
    const double bell = chance.Bell(3, i);
    sum += bell;
    square += bell * bell;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.03);
  EXPECT_NEAR(square / kDraws, 1, 0.03);
  EXPECT_NE(chance.Uniform(3, 1), chance.Uniform(4, 1));
  EXPECT_NE(chance.Uniform(3, 1), Chance(8).Uniform(3, 1));
}

TEST(BackendModel, TodayIsAsOnTheCard) {
  const BackendModel model(1, kToday);
  for (size_t c = 0; c < kComponents.size(); ++c) {
    double throughput = 0;
    double median = 0;
    int calm = 0;
    for (int i = 0; i < 2'000; ++i) {
      const ComponentState state = model.ComponentAt(c, kToday + i * 60 * kSecond);
      EXPECT_GE(state.cpu_percent, 0);
      EXPECT_LE(state.cpu_percent, 100);
      EXPECT_GE(state.error_share, 0);
      if (state.incident.kind != IncidentKind::kNone) continue;
      ++calm;
      throughput += state.throughput;
      median += state.latency.median_s;
    }
    EXPECT_GT(calm, 1'500);
    EXPECT_NEAR(throughput / calm / kComponents[c].throughput, 1, 0.03);
    EXPECT_NEAR(median / calm * 1'000 / kComponents[c].median_ms, 1, 0.03);
  }
  // The call router's P99 of 0.9 ms.
  EXPECT_NEAR(model.ComponentAt(0, kToday).latency.ShareUpTo(0.0009), 0.99, 0.01);
  // POST's P99 of 35 ms.
  EXPECT_NEAR(model.MethodAt(1, kToday).latency.ShareUpTo(0.035), 0.99, 0.005);
}

TEST(BackendModel, GetsBetterWeekByWeek) {
  const BackendModel model(1, kToday);
  double latency = 1e9;
  double throughput = 0;
  for (int week = 5; week >= 0; --week) {
    // The same moment of each week; incidents are left out by taking the least of a day.
    double best = 1e9;
    for (int minute = 0; minute < 1'440; minute += 30) {
      best = std::min(best, model.ComponentAt(0, kToday - week * kWeek - 60 * minute * kSecond - 1).latency.median_s);
    }
    const double now = model.MethodAt(0, kToday - week * kWeek - 1).throughput;
    EXPECT_LT(best, latency) << week;
    EXPECT_GT(now, throughput) << week;
    latency = best;
    throughput = now;
  }
}

TEST(BackendModel, IncidentsComeNowAndThenAndShow) {
  const BackendModel model(1, kToday);
  std::map<IncidentKind, int> minutes;
  constexpr int kMinutes = 30 * 1'440;
  for (size_t c = 0; c < kComponents.size(); ++c) {
    for (int i = 0; i < kMinutes; ++i) {
      const int64_t time_ns = kToday + i * 60 * kSecond;
      const ComponentState state = model.ComponentAt(c, time_ns);
      ++minutes[state.incident.kind];
      if (state.incident.kind == IncidentKind::kNone) continue;
      EXPECT_LE(state.incident.begin_ns, time_ns);
      EXPECT_GT(state.incident.end_ns, time_ns);
      if (state.incident.kind != IncidentKind::kOverload) {
        EXPECT_EQ(state.status, Status::kDegraded);
      }
    }
  }
  EXPECT_EQ(minutes.size(), 4) << "each kind";
  EXPECT_GT(minutes[IncidentKind::kNone], 0.98 * kMinutes * kComponents.size());
}

// At each hour, so that the thresholds of alerts.yaml are reached whenever a demo begins.
TEST(BackendModel, DrillsReachTheThresholdsAtAnyHour) {
  for (int hour = 0; hour < 24; ++hour) {
    for (const double scale : {1.0, 0.05}) {
      BackendModel model(1, kToday);
      const int64_t begin_ns = kToday + hour * 3'600 * kSecond;
      model.BeginDrills(begin_ns, scale);
      for (const Drill& drill : kDrills) {
        const auto at = [&](double part) {
          return begin_ns + static_cast<int64_t>(scale * (static_cast<double>(drill.begin_ns) +
                                                          part * static_cast<double>(drill.length_ns)));
        };
        for (const double part : {0.01, 0.5, 0.99}) {
          if (drill.component == kApi) {
            const MethodState get = model.MethodAt(0, at(part));
            EXPECT_EQ(get.incident.kind, drill.kind);
            EXPECT_LT(get.latency.ShareUpTo(0.05), 0.99) << hour;
            continue;
          }
          const ComponentState state = model.ComponentAt(drill.component, at(part));
          EXPECT_EQ(state.incident.kind, drill.kind) << hour << " " << drill.component;
          if (drill.kind == IncidentKind::kLatency) {
            EXPECT_LT(state.latency.ShareUpTo(0.001), 0.95) << hour;
          } else if (drill.kind == IncidentKind::kOverload) {
            EXPECT_GT(state.cpu_percent, 85 - (drill.component == 1 ? 15 : 0)) << hour;
          } else {
            EXPECT_LT(state.throughput, 80'000) << hour;
          }
        }
      }
    }
  }
}

TEST(BackendModel, DrillsComeInTheirOrderAndNoTwoOfAComponentAtOnce) {
  for (size_t i = 1; i < kDrills.size(); ++i) EXPECT_LE(kDrills[i - 1].begin_ns, kDrills[i].begin_ns);
  std::map<size_t, int64_t> ends_ns;
  for (const Drill& drill : kDrills) {
    EXPECT_LE(ends_ns[drill.component], drill.begin_ns);
    ends_ns[drill.component] = drill.begin_ns + drill.length_ns;
  }
}

TEST(BackendReporter, TheSameSeedTellsTheSame) {
  const auto tell = [](uint64_t seed) {
    Lines lines;
    const BackendModel model(seed, kToday);
    BackendReporter reporter(model, "dce", Into(&lines));
    for (int i = 0; i < 50; ++i) reporter.Sample(kToday + i * 120 * kSecond, 120 * kSecond);
    return lines;
  };
  EXPECT_EQ(tell(1), tell(1));
  EXPECT_NE(tell(1), tell(2));
}

// Within a day, at any spacing of samples, and each once.
TEST(BackendReporter, TellsOfDeploymentsAndOfScaling) {
  const BackendModel model(1, kToday);
  const auto told = [&](int64_t step_ns) {
    std::map<std::string, int> texts;
    Lines lines;
    BackendReporter reporter(model, "dce", Into(&lines));
    const int64_t begin_ns = kToday / (86'400 * kSecond) * 86'400 * kSecond;
    for (int64_t at = begin_ns + step_ns; at <= begin_ns + 86'400 * kSecond; at += step_ns)
      reporter.Sample(at, step_ns);
    for (const auto& [_, line] : lines) {
      for (const char* const part : {"deployed successfully", ": busy hours", ": quiet hours"})
        if (line.find(part) != std::string::npos) ++texts[part];
      if (line.find("deployed successfully") != std::string::npos) {
        EXPECT_NE(line.find("level=\"info\""), std::string::npos) << line;
      }
    }
    return texts;
  };
  const auto rarely = told(300 * kSecond);
  EXPECT_EQ(rarely.at(": busy hours"), 7);
  EXPECT_EQ(rarely.at(": quiet hours"), 7);
  EXPECT_GT(rarely.at("deployed successfully"), 20);
  EXPECT_EQ(told(60 * kSecond), rarely);
}

TEST(BackendReporter, HistogramsAreWhole) {
  Lines lines;
  const BackendModel model(3, kToday);
  BackendReporter reporter(model, "somewhere", Into(&lines));
  std::map<std::string, double> last;
  for (int i = 0; i < 20; ++i) {
    lines.clear();
    reporter.Sample(kToday + i * kSecond, kSecond);
    double below = 0;
    for (const auto& [database, line] : lines) {
      EXPECT_EQ(database, "somewhere");
      ASSERT_FALSE(line.starts_with("BAD")) << line;
      const double bucket = NumberOf(line, "bucket");
      if (std::isnan(bucket)) {
        if (const double count = NumberOf(line, "count"); !std::isnan(count)) {
          EXPECT_EQ(count, below) << "the last bucket holds all: " << line;
        }
        below = 0;
        continue;
      }
      EXPECT_GE(bucket, below) << line;
      below = bucket;
      double& before = last[line.substr(0, line.find(' '))];
      EXPECT_GE(bucket, before) << "counters only grow: " << line;
      before = bucket;
    }
  }
  EXPECT_EQ(last.size(), 7 * 21 + 4 * 18);
}

TEST(BackendReporter, NoTwoRowsAreThePoint) {
  Lines lines;
  const BackendModel model(1, kToday);
  BackendReporter reporter(model, "dce", Into(&lines));
  for (int i = 0; i < 720; ++i) reporter.Sample(kToday + i * 120 * kSecond, 120 * kSecond);
  std::set<std::string> seen;
  int events = 0;
  for (const auto& [database, line] : lines) {
    const std::string point = line.substr(0, line.find(' ')) + line.substr(line.rfind(' '));
    EXPECT_TRUE(seen.insert(point).second) << line;
    events += line.starts_with("dce_event") ? 1 : 0;
  }
  EXPECT_GT(events, 5) << "a day has incidents";
}

}  // namespace
}  // namespace tidemark::demo
