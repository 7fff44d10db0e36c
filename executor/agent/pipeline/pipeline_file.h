// Reads pipeline files (format: pipeline.h). Every refusal names file, line, column and reason:
//
//   checks.yaml:7:12: task "unit" needs "biuld", which is not a task of this pipeline
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "executor/agent/pipeline/pipeline.h"
#include "storage/base/result.h"

namespace tidemark::executor {

inline constexpr size_t kMaxPipelineFileBytes = 1 << 20;
inline constexpr size_t kMaxPipelineTasks = 10'000;
inline constexpr int kMaxRetries = 100;
inline constexpr int kMaxTaskSlots = 1024;

// Parses `text`; `file` is its path, for messages, for the default name and for relative working directories.
// Unknown and repeated keys are refused, so that a typing error is not a setting silently lost.
Result<Pipeline> ParsePipeline(std::string_view text, const std::string& file);

// kNotFound or kIo when the file cannot be read.
Result<Pipeline> LoadPipeline(const std::string& path);

// "500ms", "90s", "10m", "2h", "1.5h" or a number of seconds, as nanoseconds. More than 0 and at most 30 days.
Result<int64_t> ParseDuration(std::string_view text);

}  // namespace tidemark::executor
