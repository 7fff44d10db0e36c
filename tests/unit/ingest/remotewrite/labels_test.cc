#include "ingest/remotewrite/labels.h"

#include <gtest/gtest.h>

#include <random>

#include "storage/base/utf8.h"
#include "storage/model/series_key.h"
#include "tests/unit/ingest/remotewrite/request_builder.h"

namespace tidemark::remotewrite {
namespace {

TEST(LabelsTest, TheMetricNameIsTheOneOfTheStore) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> names = {"__name__", "a", "b", "B", "", "__name__x"};
  const std::vector<std::string> values = {"", "v", "w", std::string(130, 'x')};
  int good = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string key;
    protozero::pbf_writer series(key);
    for (uint64_t n = random() % 5; n > 0; --n) {
      AddLabel(&series, names[random() % names.size()], values[random() % values.size()]);
    }
    if (random() % 4 == 0 && !key.empty()) key[random() % key.size()] = static_cast<char>(random());
    Arena arena;
    const auto expected = model::ParseSeriesKey(model::KeyFormat::kRemoteWrite, key, &arena);
    const auto metric = MetricNameOf(key, &arena);
    if (metric.ok()) {
      ++good;
      ASSERT_TRUE(expected.ok());
      ASSERT_EQ(expected->measurement, *metric);
    } else if (expected.ok() && !expected->measurement.empty()) {
      ASSERT_NE(metric.error().message.find("UTF-8"), std::string::npos) << metric.error().message;
    }
  }
  EXPECT_GT(good, 1'000);
}

TEST(LabelsTest, PrintingNeverCutsACharacter) {
  const std::string key("\x0a\x0c\x0a\x01\x61\x12\x07\xc3\xa9\xc3\xa9\xc3\xa9x", 14);
  for (size_t max = 0; max < 20; ++max) {
    const std::string text = PrintLabels(key, max);
    EXPECT_TRUE(IsUtf8(text));
    EXPECT_LE(text.size(), max + 3);
  }
  EXPECT_EQ(PrintLabels(key, 100), "{a=\"éééx\"}");
}

TEST(LabelsTest, PrintingTakesAnything) {
  EXPECT_EQ(PrintLabels("", 10), "{}");
  EXPECT_EQ(PrintLabels("\x0a\xff\xff\xff", 10), "{}");
}

}  // namespace
}  // namespace tidemark::remotewrite
