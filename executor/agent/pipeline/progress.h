// ProgressReader: how far a task says it is, from its output. Understood without being told: "progress: 78%",
// "[ 78%] ..." (make, ctest), "[12/34] ..." (ninja); another form is told by a regular expression whose first group is
// the percentage.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::executor {

// kInvalidArgument: not an RE2 expression with exactly one group.
Result<void> CheckProgress(const std::string& regex);

// Not thread-safe.
class ProgressReader {
 public:
  // "": only the forms above. Otherwise it must pass CheckProgress.
  explicit ProgressReader(const std::string& regex);
  ~ProgressReader();
  ProgressReader(const ProgressReader&) = delete;
  ProgressReader& operator=(const ProgressReader&) = delete;

  // The newest percentage [0, 100] that the lines ended in `output` told, if it differs from the one before by at
  // least a whole percent.
  std::optional<double> Append(std::string_view output);

 private:
  class Reader;
  const std::string regex_;
  // Made at the first output: compiling expressions would delay the start of tasks that say nothing.
  std::unique_ptr<Reader> reader_;
};

}  // namespace tidemark::executor
