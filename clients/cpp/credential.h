// The token that a client shows, where its caller names none.
#pragma once

#include <string>

#include "clients/cpp/result.h"

namespace tidemark::client {

// What the environment variable TIDEMARK_TOKEN holds, else what the file that TIDEMARK_TOKEN_FILE names holds, without
// the white space around it; "" when neither is set. Never of the command line, which every user of a machine can read.
// kInvalidArgument: the file cannot be read, is larger than 64 KiB, or holds no token.
Result<std::string> TokenOfEnvironment();

// kInvalidArgument for a text that cannot stand in a header (RFC 6750, 2.1).
Status CheckToken(const std::string& token);

}  // namespace tidemark::client
