#include "tools/server/config/limits.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace tidemark::server {
namespace {

TEST(Limits, TheDocumentIsTheTable) {
  std::ostringstream document;
  document << std::ifstream(LIMITS_FILE).rdbuf();
  EXPECT_EQ(document.str(), PrintLimits(Config())) << "tidemarkd --print-limits > tools/server/LIMITS.md";
}

TEST(Limits, ShowTheSettingsInForce) {
  Config config;
  ASSERT_TRUE(ParseConfig("query: {timeout: 7s}", "f", &config).ok());
  EXPECT_NE(PrintLimits(config).find("| 7s | 503, timeout | `query.timeout` |"), std::string::npos);
}

// What a setting's comment says ends in a code, or that there is a limit, is a row of the table.
TEST(Limits, NoneIsMissing) {
  Config config;
  std::set<std::string> known;
  for (const Limit& limit : LimitsOf(config)) {
    EXPECT_FALSE(limit.what.empty() || limit.value.empty() || limit.beyond.empty()) << limit.what;
    if (!limit.key.empty()) {
      EXPECT_TRUE(known.insert(limit.key).second) << limit.key << " is there twice";
    }
  }
  for (const Setting& setting : SettingsOf(&config)) {
    const std::string& comment = setting.comment;
    const bool limits = setting.key.find("_max") != std::string::npos ||
                        setting.key.find("max_") != std::string::npos || comment.find(" get 4") != std::string::npos ||
                        comment.find(" gets 4") != std::string::npos || comment.find(" get 5") != std::string::npos ||
                        comment.find("no limit") != std::string::npos;
    EXPECT_TRUE(!limits || known.contains(setting.key)) << setting.key << " is no row of limits.cc";
  }
}

}  // namespace
}  // namespace tidemark::server
