#include "executor/agent/pipeline/pipeline_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tidemark::executor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

TEST(PipelineFileTest, ReadsEverything) {
  const auto pipeline = ParsePipeline(R"(
name: checks
working_directory: ../..
environment: {LANG: C, SEED: 1}
tasks:
  - name: build
    kind: build
    command: ninja -C build && echo "done"
    timeout: 10m
  - name: unit
    command: [ctest, --test-dir, build]
    needs: [build]
    retries: 2
    working_directory: sub
    environment: {SEED: 7}
)",
                                      "tools/dev/checks.yaml");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_EQ(pipeline->name, "checks");
  ASSERT_EQ(pipeline->tasks.size(), 2U);
  const TaskSpec& build = pipeline->tasks[0];
  EXPECT_EQ(build.name, "build");
  EXPECT_EQ(build.kind, "build");
  EXPECT_THAT(build.command, ElementsAre("/bin/sh", "-c", "ninja -C build && echo \"done\""));
  EXPECT_EQ(build.timeout_ns, 600'000'000'000);
  EXPECT_EQ(build.retries, 0);
  EXPECT_EQ(build.working_directory, ".");
  EXPECT_THAT(build.environment, ElementsAre(Pair("LANG", "C"), Pair("SEED", "1")));
  const TaskSpec& unit = pipeline->tasks[1];
  EXPECT_EQ(unit.kind, "task");
  EXPECT_THAT(unit.command, ElementsAre("ctest", "--test-dir", "build"));
  EXPECT_THAT(unit.needs, ElementsAre(0U));
  EXPECT_EQ(unit.timeout_ns, 0);
  EXPECT_EQ(unit.retries, 2);
  EXPECT_EQ(unit.working_directory, "sub");
  EXPECT_THAT(unit.environment, ElementsAre(Pair("LANG", "C"), Pair("SEED", "1"), Pair("SEED", "7")));
  EXPECT_TRUE(pipeline->Check().ok());
}

TEST(PipelineFileTest, ReadsGatesInputsSlotsWeightAndProgress) {
  const auto pipeline = ParsePipeline(R"(
tasks:
  - name: coverage
    command: run
    inputs: [a.txt, "src/*.cc"]
    weight: 30s
    slots: 2
    progress: 'at ([0-9]+)'
    gate: {regex: 'lines: ([0-9.]+)%', unit: '%', warn: '< 85', fail: '< 70'}
  - name: scan
    command: run
    gate: {json: a.0.b, file: out.json, fail: '> 0'}
)",
                                      "p.yaml");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  const TaskSpec& coverage = pipeline->tasks[0];
  EXPECT_THAT(coverage.inputs, ElementsAre("a.txt", "src/*.cc"));
  EXPECT_EQ(coverage.weight_ns, 30'000'000'000);
  EXPECT_EQ(coverage.slots, 2U);
  EXPECT_EQ(coverage.progress, "at ([0-9]+)");
  ASSERT_TRUE(coverage.gate.has_value());
  EXPECT_EQ(coverage.gate->unit, "%");
  EXPECT_EQ(coverage.gate->warn->ToText(), "< 85");
  EXPECT_EQ(coverage.gate->fail->ToText(), "< 70");
  EXPECT_EQ(pipeline->tasks[1].gate->json, "a.0.b");
  EXPECT_EQ(pipeline->tasks[1].gate->file, "out.json");
  EXPECT_FALSE(pipeline->tasks[1].gate->warn.has_value());
}

TEST(PipelineFileTest, BadGatesAndNumbersNameTheirPlace) {
  const auto reason = [](const std::string& line) {
    const auto pipeline = ParsePipeline("tasks:\n  - name: a\n    command: x\n    " + line + "\n", "p.yaml");
    return pipeline.ok() ? std::string("accepted") : pipeline.error().message;
  };
  EXPECT_THAT(reason("gate: {regex: '(', fail: '> 0'}"),
              StartsWith("p.yaml:4:11: the gate of task \"a\": bad regular"));
  EXPECT_THAT(reason("gate: {regex: a, warn: '~ 3'}"), StartsWith("p.yaml:4:28: "));
  EXPECT_THAT(reason("gate: {regex: a}"), HasSubstr("needs a limit"));
  EXPECT_THAT(reason("gate: {regexp: a}"), HasSubstr("has no key \"regexp\""));
  EXPECT_THAT(reason("gate: 85"), HasSubstr("must be a map"));
  EXPECT_THAT(reason("slots: 0"), StartsWith("p.yaml:4:12: "));
  EXPECT_THAT(reason("slots: two"), HasSubstr("whole number"));
  EXPECT_THAT(reason("weight: -1"), HasSubstr("weight"));
  EXPECT_THAT(reason("inputs: a"), HasSubstr("must be a list"));
  EXPECT_THAT(reason("inputs: ['']"), HasSubstr("is empty"));
  EXPECT_THAT(reason("progress: done"), HasSubstr("one group"));
}

TEST(PipelineFileTest, NameAndFolderComeFromThePath) {
  const auto pipeline = ParsePipeline("tasks: [{name: a, command: x}]", "some/where/nightly.yaml");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_EQ(pipeline->name, "nightly");
  EXPECT_EQ(pipeline->tasks[0].working_directory, "some/where");
}

TEST(PipelineFileTest, NeedsMayPointForward) {
  const auto pipeline =
      ParsePipeline("tasks:\n  - {name: a, command: x, needs: [b]}\n  - {name: b, command: x}\n", "f.yaml");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_THAT(pipeline->tasks[0].needs, ElementsAre(1U));
}

struct BadFile {
  const char* text;
  const char* place;   // after "f.yaml"
  const char* reason;  // part of the message
};

class BadPipelineFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadPipelineFileTest, IsRefusedWithPlaceAndReason) {
  const auto pipeline = ParsePipeline(GetParam().text, "f.yaml");
  ASSERT_FALSE(pipeline.ok());
  EXPECT_EQ(pipeline.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(pipeline.error().message, StartsWith(std::string("f.yaml") + GetParam().place));
  EXPECT_THAT(pipeline.error().message, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPipelineFileTest,
    ::testing::Values(
        BadFile{"", ":1:1: ", "empty"}, BadFile{"# only a comment\n", ":1:1: ", "empty"},
        BadFile{"[1, 2]", ":1:1: ", "must be a map, not a list"},
        BadFile{"name: x\n", ":1:1: ", "needs a list of tasks"},
        BadFile{"name: x\ntasks: []\n", ":2:8: ", "at least one task"},
        BadFile{"tasks: {a: b}\n", ":1:8: ", "tasks must be a list, not a map"},
        BadFile{"tasks:\n  - {name: a, command: x\n", ":3:1: ", ""}, BadFile{"tasks:\n\t- a\n", ":2:2: ", "illegal"},
        BadFile{"taks: []\n", ":1:1: ", "has no key \"taks\""},
        BadFile{"tasks:\n  - name: a\n    comand: x\n", ":3:5: ", "has no key \"comand\""},
        BadFile{"tasks:\n  - name: a\n    command: x\n    command: y\n", ":4:5: ", "has \"command\" twice"},
        BadFile{"tasks:\n  - just text\n", ":2:5: ", "task 1 must be a map, not text"},
        BadFile{"tasks:\n  - command: x\n", ":2:5: ", "task 1 has no name"},
        BadFile{"tasks:\n  - name: [a]\n    command: x\n", ":2:11: ", "must be text, not a list"},
        BadFile{"tasks:\n  - name: 'a b'\n    command: x\n", ":2:11: ", "letters, digits"},
        BadFile{"tasks:\n  - name: a\n", ":2:5: ", "task \"a\" has no command"},
        BadFile{"tasks:\n  - name: a\n    command: ''\n", ":3:14: ", "is empty"},
        BadFile{"tasks:\n  - name: a\n    command: []\n", ":3:14: ", "is empty"},
        BadFile{"tasks:\n  - name: a\n    command: {x: y}\n", ":3:14: ", "text or a list, not a map"},
        BadFile{"tasks:\n  - name: a\n    command: [x, [y]]\n", ":3:18: ", "must be text, not a list"},
        BadFile{"tasks:\n  - name: a\n    command: \"x\\0y\"\n", ":3:14: ", "zero byte"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    kind: [k]\n", ":4:11: ", "must be text"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    timeout: soon\n", ":4:14: ", "\"soon\" is not a duration"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    retries: -1\n", ":4:14: ", "retries must be"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    retries: 1.5\n", ":4:14: ", "retries must be"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    retries: 101\n", ":4:14: ", "retries must be"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    needs: b\n", ":4:12: ", "must be a list, not text"},
        BadFile{"tasks:\n  - name: a\n    command: x\n    needs: [b]\n", ":4:13: ", "needs \"b\", which is not a task"},
        BadFile{"tasks:\n  - {name: a, command: x}\n  - {name: b, command: x, needs: [a, a]}\n", ":3:38: ", "twice"},
        BadFile{"tasks:\n  - {name: a, command: x}\n  - {name: a, command: y}\n",
                ":3:12: ", "two tasks are named \"a\"; the first is in line 2"},
        BadFile{"tasks:\n  - {name: a, command: x, needs: [a]}\n", ":2:34: ", "a -> a"},
        BadFile{"tasks:\n  - {name: a, command: x, needs: [c]}\n  - {name: b, command: x, needs: [a]}\n"
                "  - {name: c, command: x, needs: [b]}\n",
                ":2:34: ", "a -> c -> b -> a"},
        BadFile{"environment: {'A=B': c}\ntasks: []\n", ":1:15: ", "not a name for a variable"},
        BadFile{"environment: {A: [c]}\ntasks: []\n", ":1:18: ", "must be text"},
        BadFile{"environment: [A]\ntasks: []\n", ":1:14: ", "must be a map"}));

TEST(PipelineFileTest, LimitsAreEnforced) {
  EXPECT_EQ(ParsePipeline(std::string(kMaxPipelineFileBytes + 1, ' '), "f.yaml").error().code,
            ErrorCode::kLimitExceeded);
  std::string many = "tasks:\n";
  for (size_t i = 0; i <= kMaxPipelineTasks; ++i) many += "  - {name: t" + std::to_string(i) + ", command: x}\n";
  EXPECT_FALSE(ParsePipeline(many, "f.yaml").ok());
  // Nested deeper than any parser should follow.
  EXPECT_FALSE(ParsePipeline(std::string(100'000, '['), "f.yaml").ok());
}

TEST(PipelineFileTest, TheRepositorysOwnPipelineIsGood) {
  const auto pipeline = LoadPipeline(TM_SOURCE_DIR "/tools/dev/pipeline.yaml");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_EQ(pipeline->tasks[0].working_directory, TM_SOURCE_DIR);
}

TEST(PipelineFileTest, FilesThatCannotBeRead) {
  EXPECT_EQ(LoadPipeline("/no/such/file.yaml").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(LoadPipeline("/").error().code, ErrorCode::kIo);
}

TEST(ParseDurationTest, UnitsAndBounds) {
  EXPECT_EQ(*ParseDuration("500ms"), 500'000'000);
  EXPECT_EQ(*ParseDuration("90s"), 90'000'000'000);
  EXPECT_EQ(*ParseDuration("90"), 90'000'000'000);
  EXPECT_EQ(*ParseDuration("1.5h"), 5'400'000'000'000);
  EXPECT_EQ(*ParseDuration("720h"), 2'592'000'000'000'000);
  for (const char* bad : {"", "s", "-1s", "0", "0ms", "1d", "1 s", "1s ", "721h", "nan", "inf", "1e3", "0x10"}) {
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tidemark::executor
