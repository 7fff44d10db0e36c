// What a reload of the settings has done, and who does it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::server {

struct Reloaded {
  size_t rules = 0;                            // that are in force now
  std::vector<std::string> changed = {};       // keys of settings that were taken over
  std::vector<std::string> need_restart = {};  // keys of settings that are different, and are not taken over
};

// Reads all that can change while the server runs: all of it comes into force, or, with an Error that names file, line,
// column and reason, nothing. Any thread.
using Reload = std::function<Result<Reloaded>()>;

// The state of the last reload; of the start when there was none.
struct ReloadState {
  bool good = true;
  double good_seconds = 0;  // when the settings in force were read, in seconds since 1970
};

}  // namespace tidemark::server
