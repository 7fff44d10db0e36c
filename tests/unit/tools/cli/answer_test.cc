#include "tools/cli/answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tidemark::cli {
namespace {

TEST(Answer, VectorAsTable) {
  const auto answer = ParseAnswer(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},"value":[1451606400,"1"]},{"metric":{"__name__":"up","job":"longer"},"value":[1451606400.25,"12.5"]}]},"warnings":["w"]})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->notes, std::vector<std::string>{"w"});
  EXPECT_EQ(ToTable(*answer),
            "series            value  time\n"
            "up{job=\"x\"}           1  2016-01-01 00:00:00 UTC\n"
            "up{job=\"longer\"}   12.5  2016-01-01 00:00:00.250 UTC\n");
}

TEST(Answer, MatrixWideAndLong) {
  std::string body = R"({"status":"success","data":{"resultType":"matrix","result":[)";
  for (int i = 0; i < 7; ++i) {
    body += (i > 0 ? "," : "") + std::string(R"({"metric":{"i":")") + std::to_string(i) +
            R"("},"values":[[0,"1"],[60,"2"]]})";
  }
  const auto seven = ParseAnswer(body + "]}}");
  ASSERT_TRUE(seven.ok());
  EXPECT_TRUE(
      ToTable(*seven).starts_with("{i=\"0\"}\n1970-01-01 00:00:00 UTC  1\n1970-01-01 00:01:00 UTC  2\n\n{i=\"1\"}\n"));
  Answer two = *seven;
  two.series.resize(2);
  two.series[1].points.erase(two.series[1].points.begin());
  EXPECT_EQ(ToTable(two),
            "[1] {i=\"0\"}\n[2] {i=\"1\"}\n"
            "time                     [1]  [2]\n"
            "1970-01-01 00:00:00 UTC    1\n"
            "1970-01-01 00:01:00 UTC    2    2\n");
  Answer one = two;
  one.series.resize(1);
  EXPECT_EQ(ToTable(one),
            "{i=\"0\"}\n"
            "time                     value\n"
            "1970-01-01 00:00:00 UTC      1\n"
            "1970-01-01 00:01:00 UTC      2\n");
  EXPECT_EQ(ToCsv(two), "time,value,i\n0.000,1,0\n60.000,2,0\n60.000,2,1\n");
}

TEST(Answer, NumbersHaveSixDigitsUnlessTheyAreToBeExact) {
  const auto answer = ParseAnswer(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"1.23456789"]}]}})");
  ASSERT_TRUE(answer.ok());
  EXPECT_NE(ToTable(*answer).find(" 1.23457 "), std::string::npos) << ToTable(*answer);
  EXPECT_NE(ToTable(*answer, {.exact = true}).find(" 1.23456789 "), std::string::npos);
  EXPECT_NE(ToCsv(*answer).find("1.23456789"), std::string::npos);
}

TEST(Answer, TablesFitTheTerminal) {
  Answer answer{.type = "vector", .series = {}, .notes = {}};
  const std::string rack(60, 'r');
  for (int i = 0; i < 3; ++i) {
    answer.series.push_back({{{"__name__", "m"}, {"host", "h" + std::to_string(i)}, {"rack", rack}}, {{0, "1"}}});
  }
  const auto widest = [](const std::string& table) {
    size_t most = 0;
    for (size_t at = 0; at < table.size();) {
      const size_t end = table.find('\n', at);
      most = std::max(most, end - at);
      at = end + 1;
    }
    return most;
  };
  EXPECT_GT(widest(ToTable(answer)), 100U) << "into a file it goes whole";
  std::string table = ToTable(answer, {.width = 80});
  EXPECT_LE(widest(table), 80U) << table;
  EXPECT_TRUE(table.starts_with("all have {rack=\"rrr")) << table;
  EXPECT_NE(table.find("m{host=\"h1\"}"), std::string::npos) << table;
  // One series has nothing to share: its middle goes.
  answer.series.resize(1);
  table = ToTable(answer, {.width = 70});
  EXPECT_LE(widest(table), 70U) << table;
  EXPECT_NE(table.find("..."), std::string::npos) << table;
  // Columns that do not fit stand one below the other.
  Answer wide{.type = "matrix", .series = {}, .notes = {}};
  for (int i = 0; i < 6; ++i) wide.series.push_back({{{"i", std::to_string(i)}}, {{0, "123456"}, {60'000, "2"}}});
  EXPECT_NE(ToTable(wide, {.width = 100}).find("[6]"), std::string::npos);
  EXPECT_EQ(ToTable(wide, {.width = 40}).find("[6]"), std::string::npos);
  EXPECT_LE(widest(ToTable(wide, {.width = 40})), 40U);
}

TEST(Answer, ScalarsEmptyAnswersAndErrors) {
  EXPECT_EQ(ToTable(*ParseAnswer(R"({"status":"success","data":{"resultType":"scalar","result":[0,"2"]}})")), "2\n");
  EXPECT_EQ(ToTable(*ParseAnswer(R"({"status":"success","data":{"resultType":"vector","result":[]}})")), "no series\n");
  const auto error = ParseAnswer(R"({"status":"error","errorType":"bad_data","error":"1:2: parse error"})");
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().message, "bad_data: 1:2: parse error");
  EXPECT_FALSE(ParseAnswer("<html>").ok());
  EXPECT_FALSE(ParseAnswer(R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}})").ok());
}

}  // namespace
}  // namespace tidemark::cli
