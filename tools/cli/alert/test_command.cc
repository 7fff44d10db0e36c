#include "tools/cli/alert/test_command.h"

#include <fmt/core.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/ruletest/replay.h"
#include "query/ruletest/test_file.h"
#include "query/ruletest/test_run.h"
#include "tools/cli/alert/past_data.h"
#include "tools/cli/alert/scratch_store.h"
#include "tools/cli/alert/time_span.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

using query::ruletest::TestFile;
using query::ruletest::Verdict;

struct TestFlags {
  std::string server = "http://127.0.0.1:8086";
  std::vector<std::string> files;
  std::string from;
  std::string to;
  std::string database;
};

// The verdict of one file; `number`: of the file among all.
Verdict VerdictOf(const std::string& path, size_t number, storage::Store* store) {
  const Result<TestFile> file = query::ruletest::LoadTestFile(path);
  if (!file.ok()) {
    std::string why = file.error().message;
    if (why.ends_with(R"(unknown key "groups" in a file of rule tests)")) {
      why += ": it has rules; `--from -7d` tries them over stored data, and a test file names it below rule_files";
    }
    return {.failures = {std::move(why)}, .warnings = {}};
  }
  return RunTests(*file, {.store = store, .database = fmt::format("test_{}", number)});
}

int RunFiles(const std::vector<std::string>& files) {
  auto scratch = ScratchStore::Open();
  if (!scratch.ok()) return Fail(scratch.error().message);
  int code = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    Say("Unit Testing:  {}\n", files[i]);
    const Verdict verdict = VerdictOf(files[i], i, &(*scratch)->store());
    for (const std::string& warning : verdict.warnings) Say(stderr, "  WARNING: {}\n", warning);
    if (verdict.failures.empty()) {
      Say("  SUCCESS\n\n");
      continue;
    }
    code = 1;
    std::fflush(stdout);
    Say(stderr, "  FAILED:\n");
    for (const std::string& failure : verdict.failures) Say(stderr, "{}\n", failure);
    Say("\n");
  }
  return code;
}

int RunPast(const TestFlags& flags) {
  const Result<TimeSpan> span = ParseTimeSpan(flags.from, flags.to);
  if (!span.ok()) return FailUsage(span.error().message);
  std::vector<query::rules::Group> groups;
  for (const std::string& file : flags.files) {
    auto some = query::rules::LoadRuleFile(file);
    if (!some.ok()) return Fail(some.error().message);
    std::move(some->begin(), some->end(), std::back_inserter(groups));
  }
  auto past = PastData::Connect(flags.server);
  if (!past.ok()) return Fail(past.error().message);
  const Result<int> firings =
      PrintReplay(groups, {.from_ms = span->from_ms, .to_ms = span->to_ms, .database = flags.database}, **past);
  return firings.ok() ? 0 : Fail(firings.error().message);
}

int Test(const TestFlags& flags) {
  if (!flags.from.empty()) return RunPast(flags);
  if (!flags.to.empty() || !flags.database.empty()) {
    return FailUsage("--to and --db are for rules over stored data, which begin with --from");
  }
  return RunFiles(flags.files);
}

}  // namespace

void AddAlertTest(CLI::App& app, Action* action) {
  auto flags = std::make_shared<TestFlags>();
  CLI::App* const test =
      app.add_subcommand("test", "run rule unit-test files, or rules over stored data (--from); 1 when a test fails");
  AddServerFlag(*test, &flags->server);
  test->add_option("file", flags->files, "test files as promtool's; with --from: rule files")->required();
  test->add_option("--from", flags->from, "begin of the stored data: RFC 3339, unix seconds, -7d");
  test->add_option("--to", flags->to, "its end (default: now)");
  test->add_option("--db", flags->database, "database of rules that name none (default: the server's)");
  test->callback([flags, action] { *action = [flags] { return Test(*flags); }; });
}

}  // namespace tidemark::cli
