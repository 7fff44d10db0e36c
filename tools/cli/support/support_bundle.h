// The support bundle: what somebody who is asked for help wants to know of a server, in one archive without secrets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

struct BundleOptions {
  std::string server;   // asked for settings, health, metrics and lists; "": none is
  std::string data;     // a folder whose files are listed; "": that of the server's settings, if it is here
  std::string log;      // a file whose last lines are taken; "": the journal of the unit tidemarkd, if there is one
  std::string version;  // of this program
  int64_t now_ns = 0;
  std::vector<std::string> secrets = {};  // that must not be in it, wherever they stand
};

// Asks the server for a path. An error is noted in the bundle in place of the answer.
using Ask = std::function<Result<std::string>(std::string_view path)>;

// The archive, as tar. Every text in it has gone through Redact. `note`: what is done, for people.
std::string MakeBundle(const BundleOptions& options, const Ask& ask, const std::function<void(std::string_view)>& note);

// As above, of the server of the options, into a file that is packed by its name. Exit codes: 0; 2 when it could not be
// written.
int RunSupport(BundleOptions options, const std::string& to);

}  // namespace tidemark::cli
