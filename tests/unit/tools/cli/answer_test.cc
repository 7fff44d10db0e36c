#include "tools/cli/answer.h"

#include <gtest/gtest.h>

namespace tidemark::cli {
namespace {

TEST(Answer, VectorAsTable) {
  const auto answer = ParseAnswer(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},"value":[1451606400,"1"]},{"metric":{"__name__":"up","job":"longer"},"value":[1451606400.25,"12.5"]}]},"warnings":["w"]})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->notes, std::vector<std::string>{"w"});
  EXPECT_EQ(ToTable(*answer),
            "series            value  time\n"
            "up{job=\"x\"}           1  2016-01-01 00:00:00\n"
            "up{job=\"longer\"}   12.5  2016-01-01 00:00:00.250\n");
}

TEST(Answer, MatrixWideAndLong) {
  std::string body = R"({"status":"success","data":{"resultType":"matrix","result":[)";
  for (int i = 0; i < 7; ++i) {
    body += (i > 0 ? "," : "") + std::string(R"({"metric":{"i":")") + std::to_string(i) +
            R"("},"values":[[0,"1"],[60,"2"]]})";
  }
  const auto seven = ParseAnswer(body + "]}}");
  ASSERT_TRUE(seven.ok());
  EXPECT_TRUE(ToTable(*seven).starts_with("{i=\"0\"}\n1970-01-01 00:00:00  1\n1970-01-01 00:01:00  2\n\n{i=\"1\"}\n"));
  Answer two = *seven;
  two.series.resize(2);
  two.series[1].points.erase(two.series[1].points.begin());
  EXPECT_EQ(ToTable(two),
            "[1] {i=\"0\"}\n[2] {i=\"1\"}\n"
            "time                 [1]  [2]\n"
            "1970-01-01 00:00:00    1\n"
            "1970-01-01 00:01:00    2    2\n");
  Answer one = two;
  one.series.resize(1);
  EXPECT_EQ(ToTable(one),
            "{i=\"0\"}\n"
            "time                 value\n"
            "1970-01-01 00:00:00      1\n"
            "1970-01-01 00:01:00      2\n");
  EXPECT_EQ(ToCsv(two), "time,value,i\n0.000,1,0\n60.000,2,0\n60.000,2,1\n");
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
