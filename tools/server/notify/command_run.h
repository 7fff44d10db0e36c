// RunCommand: tells a program. It has the message in its environment and as a file, and says by its exit code whether
// that is done: 0 yes, 75 (EX_TEMPFAIL of sysexits.h) try again, anything else no.
#pragma once

#include <atomic>

#include "query/notify/notifier.h"
#include "query/notify/receiver.h"
#include "tools/server/notify/delivery.h"

namespace tidemark::server::notify {

// TIDEMARK_STATUS (firing or resolved), TIDEMARK_TITLE, TIDEMARK_MESSAGE_ID, TIDEMARK_MESSAGE_FILE (the JSON of a
// webhook). `stop` ends it early.
DeliveryOutcome RunCommand(const query::notify::Message& message, const query::notify::Integration& integration,
                           const DeliveryOptions& options, const std::atomic<bool>& stop);

}  // namespace tidemark::server::notify
