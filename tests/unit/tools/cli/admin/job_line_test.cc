// Jobs as lines for people.
#include "tools/cli/admin/job_line.h"

#include <gtest/gtest.h>

namespace tidemark::cli {
namespace {

TEST(JobLine, SaysHowFarHowFastAndHowLongStill) {
  JobLine line;
  line.Take(
      R"({"job":"3","kind":"compact","database":"d","state":"running","workDone":2,"workTotal":12,"bytesRead":1000000})",
      0);
  EXPECT_EQ(line.Progress(), "compact of d: 2 of 12 partitions, 17 %, 1.00 MB read");
  line.Take(
      R"({"job":"3","kind":"compact","database":"d","state":"running","workDone":4,"workTotal":12,"bytesRead":3000000})",
      2);
  EXPECT_EQ(line.Progress(), "compact of d: 4 of 12 partitions, 33 %, 3.00 MB read, 1.00 MB/s, 8s left");
  line.Take(
      R"({"job":"3","kind":"compact","database":"d","state":"done","workDone":12,"workTotal":12,"bytesRead":9000000,)"
      R"("bytesBefore":10000000,"bytesAfter":7500000,"done":true})",
      9);
  EXPECT_EQ(line.Summary(),
            "job 3: compact of d is done: 12 partitions, 10.0 MB before and 7.50 MB after: 2.50 MB won (25 %)");
}

TEST(JobLine, OneIsNotMany) {
  JobLine line;
  line.Take(R"({"job":"1","kind":"compact","database":"d","state":"done","workDone":1,"workTotal":1})", 0);
  EXPECT_EQ(line.Summary(), "job 1: compact of d is done: 1 partition");
}

TEST(JobLine, ABackupSaysWhatIsInIt) {
  // Less was copied than one step of the progress.
  JobLine line;
  line.Take(R"({"job":"5","kind":"backup","state":"done","bytesCopied":0,"id":1,"bytes":347666,"files":11})", 1);
  EXPECT_EQ(line.Summary(), "job 5: backup is done: backup 1 of 348 kB in 11 files");
}

TEST(JobLine, AVerificationNamesDamage) {
  JobLine line;
  line.Take(R"({"job":"2","kind":"verify","database":"","state":"waiting","workDone":0,"workTotal":0})", 0);
  EXPECT_EQ(line.Progress(), "verify: waits for another job of its kind");
  EXPECT_FALSE(line.damaged());
  line.Take(
      R"({"job":"2","kind":"verify","database":"","state":"done","workDone":5,"workTotal":5,"pages":3,"bytesRead":5,)"
      R"("damagedPages":1,"damage":["page x"]})",
      1);
  EXPECT_TRUE(line.damaged());
  EXPECT_EQ(line.damage(), std::vector<std::string>{"page x"});
  EXPECT_EQ(line.Summary(), "job 2: verify is done: 3 pages of 5 B, 1 damaged");
}

TEST(JobLine, ACompactionNamesWhatItHasLeft) {
  JobLine line;
  line.Take(
      R"({"job":"3","kind":"compact","database":"d","state":"done","workDone":9,"workTotal":9,"partitionsLeft":2,)"
      R"("left":["x","y"]})",
      1);
  EXPECT_TRUE(line.damaged());
  EXPECT_EQ(line.damage(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(line.Summary(),
            "job 3: compact of d is done: 9 partitions, except 2 partitions that cannot be read and stay as they were");
}

TEST(JobLine, OtherLinesAreLeftOut) {
  JobLine line;
  line.Take("no", 0);
  line.Take(R"({"error":"x"})", 0);
  EXPECT_TRUE(line.id().empty());
}

}  // namespace
}  // namespace tidemark::cli
