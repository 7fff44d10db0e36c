// The one place where an Error of a write becomes an HTTP code.
#pragma once

#include "storage/base/result.h"

namespace tidemark::server {

// 400: sending it again does not help; 503: it does, later; 500: the server's fault.
int StatusOf(ErrorCode code);

}  // namespace tidemark::server
