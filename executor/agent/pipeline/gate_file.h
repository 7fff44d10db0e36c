// ReadGateFile: what a gate reads a file with. The file is named by whoever wrote the pipeline and may be anything: a
// pipe that nobody writes to, a device without end, a file of any size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::executor {

// The largest file that a gate reads. 256 MiB take about a second.
inline constexpr uint64_t kMaxGateFileBytes = uint64_t{256} << 20;

// Gives the bytes of a regular file to `sink`, some KiB at a time. `may_go_on` is asked before each piece and ends it
// with kCancelled; null: always. Errors: kInvalidArgument for what is not a regular file, and says what it is;
// kLimitExceeded for more than `bytes_max` bytes; kIo.
Result<void> ReadGateFile(const std::string& path, uint64_t bytes_max, const std::function<bool()>& may_go_on,
                          const std::function<void(std::string_view)>& sink);

}  // namespace tidemark::executor
