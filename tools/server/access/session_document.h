// SessionDocument: a session as it is kept: hashes only, but for the value that keeps other pages' forms out, which is
// of no use without the cookie.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/access/secret.h"
#include "tools/server/access/session_book.h"

namespace tidemark::server::access {

struct SessionDocument {
  SessionInfo info;
  SecretHash sha256 = {};        // of the cookie's value
  SecretHash token_sha256 = {};  // of the secret that it was opened with
  std::string forgery_value;
};

std::string PrintSession(const SessionDocument& session);
// kCorruption: `text` is not what PrintSession writes.
Result<SessionDocument> ReadSession(std::string_view text);

}  // namespace tidemark::server::access
