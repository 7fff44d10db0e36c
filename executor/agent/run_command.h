// What `tidemark exec run FILE` does, without its flags and its connection: reads the file, runs it, tells a person
// how it goes, and says with which code to exit.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "executor/agent/run.h"
#include "storage/base/result.h"

namespace tidemark::executor {

struct RunCommandOptions {
  std::string file{};
  // All but `observer`, which the command is itself.
  RunOptions run;
  // Where progress, the output of failed tasks and the summary go.
  std::FILE* out = stdout;
  // Show the output of all tasks as it comes, each line with its task in front.
  bool show_output = false;
  // Say nothing at all.
  bool quiet = false;
};

// The same for a pipeline that has been read; `options.file` is not looked at.
Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunCommandOptions& options);

// An Error means that nothing was run, as by a bad file.
Result<RunReport> RunPipelineFile(const RunCommandOptions& options);

// 0: all tasks succeeded; 1: some did not; 130: cancelled, as a shell says of Ctrl-C.
int ExitCode(const RunReport& report);

// "key=value" as given to --label. kInvalidArgument without a key, a value or the sign between them.
Result<model::Label> ParseLabel(std::string_view text);

}  // namespace tidemark::executor
