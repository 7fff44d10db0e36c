#include "executor/agent/pipeline/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "executor/agent/pipeline/gate_file.h"
#include "tests/temp_directory.h"

namespace tidemark::executor {
namespace {

using ::testing::HasSubstr;

GateFacts Read(const GateSpec& spec, std::initializer_list<std::string_view> pieces) {
  EXPECT_TRUE(spec.Check().ok()) << spec.Check().error().message;
  GateReader reader(spec);
  for (const std::string_view piece : pieces) reader.Append(piece);
  return reader.Finish("");
}

const GateSpec kCoverage{
    .regex = R"(lines\.+: ([0-9.]+)%)", .unit = "%", .warn = *ParseLimit("< 85"), .fail = *ParseLimit("<70")};

// A gate on what is no regular file, or a large one, must neither wait nor read without end.
class GateFileTest : public ::testing::Test {
 protected:
  GateFacts ReadFile(const std::string& file, const std::function<bool()>& may_go_on = nullptr) {
    const GateSpec spec{.regex = "x=([0-9]+)", .file = file, .fail = *ParseLimit("> 9")};
    GateReader reader(spec);
    return reader.Finish(folder_.path(), may_go_on);
  }
  [[nodiscard]] std::string PathOf(const std::string& name) const { return folder_.path() + "/" + name; }

  const TempDirectory folder_;
};

TEST_F(GateFileTest, APipeThatNobodyWritesToIsRefused) {
  ASSERT_EQ(mkfifo(PathOf("pipe").c_str(), 0600), 0);
  const GateFacts facts = ReadFile("pipe");
  EXPECT_EQ(facts.status, GateStatus::kFail);
  EXPECT_THAT(facts.reason, HasSubstr("is a pipe; a gate reads regular files only"));
}

TEST_F(GateFileTest, DevicesAndDirectoriesAreRefusedAlsoBehindALink) {
  std::filesystem::create_symlink("/dev/zero", PathOf("zero"));
  EXPECT_THAT(ReadFile("zero").reason, HasSubstr("is a device"));
  EXPECT_THAT(ReadFile("/dev/zero").reason, HasSubstr("is a device"));
  EXPECT_THAT(ReadFile(".").reason, HasSubstr("is a directory"));
}

TEST_F(GateFileTest, AFileOfAnySizeIsNotReadWhole) {
  const std::ofstream created(PathOf("sparse"));
  std::filesystem::resize_file(PathOf("sparse"), uint64_t{5} << 30);
  bool asked = false;
  const GateFacts facts = ReadFile("sparse", [&asked] { return asked = true; });
  EXPECT_EQ(facts.status, GateStatus::kFail);
  EXPECT_THAT(facts.reason, HasSubstr("more than the 268435456 bytes that this gate reads"));
  EXPECT_FALSE(asked) << "refused by its size, before anything is read";
}

TEST_F(GateFileTest, AFileThatGrowsWhileItIsReadEndsToo) {
  std::ofstream file(PathOf("grows"));
  uint64_t bytes = 0;
  const Result<void> read = ReadGateFile(
      PathOf("grows"), 1000,
      [&file] {
        file << std::string(100, 'x') << std::flush;
        return true;
      },
      [&bytes](std::string_view piece) { bytes += piece.size(); });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kLimitExceeded);
  EXPECT_LE(bytes, 1000U);
}

TEST_F(GateFileTest, ReadingEndsWhenTheTaskHasTo) {
  std::ofstream(PathOf("report")) << std::string(1'000'000, 'x') << "x=10\n";
  EXPECT_THAT(ReadFile("report").reason, HasSubstr("10 > 9"));
  int asked = 0;
  const GateFacts facts = ReadFile("report", [&asked] { return ++asked < 3; });
  EXPECT_EQ(facts.status, GateStatus::kFail);
  EXPECT_THAT(facts.reason, HasSubstr("was not read to its end"));
  EXPECT_EQ(asked, 3);
}

TEST(GateTest, LimitsAreConditions) {
  EXPECT_TRUE(ParseLimit("< 85")->Holds(84.9));
  EXPECT_FALSE(ParseLimit("< 85")->Holds(85));
  EXPECT_TRUE(ParseLimit("<=85")->Holds(85));
  EXPECT_TRUE(ParseLimit("> 0")->Holds(1e-9));
  EXPECT_TRUE(ParseLimit(" >=  -1.5e3 ")->Holds(-1500));
  EXPECT_TRUE(ParseLimit("!= 0")->Holds(1));
  EXPECT_FALSE(ParseLimit("== 0")->Holds(1));
  for (const char* const bad : {"", "85", "<", "< x", "=< 3", "< nan", "< inf", "< 1 2", "=> 1"}) {
    EXPECT_FALSE(ParseLimit(bad).ok()) << bad;
  }
}

TEST(GateTest, PassesWarnsAndFailsByTheLastNumber) {
  const GateFacts pass = Read(kCoverage, {"lines....: 12.5%\nlines....: 91.2%\n"});
  EXPECT_EQ(pass.status, GateStatus::kPass);
  EXPECT_DOUBLE_EQ(pass.value.value(), 91.2);
  const GateFacts warn = Read(kCoverage, {"lines....: 84.2%"});
  EXPECT_EQ(warn.status, GateStatus::kWarn);
  EXPECT_EQ(warn.reason, "84.2% < 85%");
  const GateFacts fail = Read(kCoverage, {"lines....: 69.99%\n"});
  EXPECT_EQ(fail.status, GateStatus::kFail);
  EXPECT_EQ(fail.reason, "69.99% < 70%");
}

TEST(GateTest, PiecesMakeLines) {
  EXPECT_DOUBLE_EQ(Read(kCoverage, {"li", "nes..: 9", "1", ".5%", "\n", "more\r\n"}).value.value(), 91.5);
}

TEST(GateTest, NoNumberFails) {
  const GateFacts none = Read(kCoverage, {"nothing of the kind\n"});
  EXPECT_EQ(none.status, GateStatus::kFail);
  EXPECT_FALSE(none.value.has_value());
  EXPECT_THAT(none.reason, HasSubstr("nothing matches"));
}

TEST(GateTest, TakesNumbersOutOfJson) {
  const GateSpec spec{.json = "totals.1.count", .unit = "issues", .fail = *ParseLimit("> 0")};
  const GateFacts pass = Read(spec, {R"({"totals": [{"count": 5}, )", R"({"count": 0}]})"});
  EXPECT_EQ(pass.status, GateStatus::kPass);
  EXPECT_EQ(pass.reason, "0 issues");
  EXPECT_EQ(Read(spec, {R"({"totals": [1, {"count": 2}]})"}).reason, "2 issues > 0");
  for (const char* const bad : {"", "{", R"({"totals": 3})", R"({"totals": [1]})", R"({"totals": [1, {"count": "x"}]})",
                                R"({"totals": {"1": 4}})"}) {
    EXPECT_EQ(Read(spec, {bad}).status, GateStatus::kFail) << bad;
  }
  EXPECT_FALSE(NumberAt(std::string(100'000, '['), "a").ok());
  EXPECT_DOUBLE_EQ(*NumberAt("-2.5e3", ""), -2500);
}

TEST(GateTest, TooMuchJsonFails) {
  const GateSpec spec{.json = "a", .fail = *ParseLimit("> 0")};
  GateReader reader(spec);
  const std::string piece(size_t{1} << 20, ' ');
  for (int i = 0; i < 20; ++i) reader.Append(piece);
  EXPECT_THAT(reader.Finish("").reason, HasSubstr("bytes of JSON"));
}

TEST(GateTest, AMissingFileFails) {
  const GateSpec spec{.json = "a", .file = "no-such-file.json", .warn = *ParseLimit("> 0")};
  GateReader reader(spec);
  const GateFacts facts = reader.Finish("/nowhere");
  EXPECT_EQ(facts.status, GateStatus::kFail);
  EXPECT_THAT(facts.reason, HasSubstr("no-such-file.json"));
}

TEST(GateTest, BadGatesAreRefused) {
  const auto limit = *ParseLimit("> 0");
  EXPECT_FALSE((GateSpec{.fail = limit}).Check().ok());
  EXPECT_FALSE((GateSpec{.regex = "a", .json = "b", .fail = limit}).Check().ok());
  EXPECT_FALSE((GateSpec{.regex = "a"}).Check().ok());
  EXPECT_FALSE((GateSpec{.regex = "(", .fail = limit}).Check().ok());
  EXPECT_FALSE((GateSpec{.regex = "(a)(b)", .fail = limit}).Check().ok());
}

}  // namespace
}  // namespace tidemark::executor
