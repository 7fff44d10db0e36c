#include "tools/cli/admin/act_table.h"

#include <gtest/gtest.h>

namespace tidemark::cli {
namespace {

TEST(ActTable, AnObjectIsALineForEachKeyWithUnits) {
  const auto answer = ActTable(
      R"({"status":"success","data":{"database":"d","retentionSeconds":2592000,"maxBytes":0,"selectors":[],)"
      R"("tiers":[{"widthSeconds":300,"keepSeconds":7776000},{"widthSeconds":3600,"keepSeconds":0}],"dryRun":true,)"
      R"("expired":{"rows":60,"inMemory":6,"bytes":12345678},"goneBy":null},"warnings":["later"]})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->text,
            "database           d\n"
            "retention          30d\n"
            "max bytes          no limit\n"
            "selectors          none\n"
            "tiers              width 5m, keep 90d\n"
            "tiers              width 1h, keep for ever\n"
            "dry run            yes\n"
            "expired rows       60\n"
            "expired in memory  6\n"
            "expired bytes      12.3 MB\n"
            "gone by            -\n");
  EXPECT_EQ(answer->warnings, std::vector<std::string>{"later"});
}

TEST(ActTable, AListIsATable) {
  const auto answer = ActTable(
      R"({"status":"success","data":[{"database":"default","retentionSeconds":0,"syncIntervalSeconds":0.5,"diskBytes":999},)"
      R"({"database":"_host","retentionSeconds":1209600,"diskBytes":5500000000}]})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->text,
            "database  retention  sync interval  disk bytes\n"
            "default   for ever   500ms          999 B\n"
            "_host     2w                        5.50 GB\n");
  EXPECT_EQ(ActTable(R"({"status":"success","data":[]})")->text, "none\n");
  EXPECT_EQ(ActTable(R"({"status":"success","data":["a","b"]})")->text, "a\nb\n");
}

TEST(ActTable, WhatIsNoAnswerIsAnError) {
  EXPECT_FALSE(ActTable("").ok());
  EXPECT_FALSE(ActTable("<html>").ok());
  EXPECT_FALSE(ActTable(R"({"status":"success"})").ok());
}

TEST(ProgressLine, InWords) {
  EXPECT_EQ(ProgressLine(R"({"partitionsDone":1,"partitionsTotal":4,"bytesRead":12345678,"done":true})"),
            "partitions done 1, partitions total 4, bytes read 12.3 MB, done yes");
  EXPECT_EQ(ProgressLine("nonsense"), "");
}

}  // namespace
}  // namespace tidemark::cli
