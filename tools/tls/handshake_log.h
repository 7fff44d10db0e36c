// LogFailedHandshake: words in the log for a handshake that came to nothing, since the peer gets a number of the
// protocol at most, and who runs the server is asked why a client cannot connect.
#pragma once

#include <string_view>

namespace tidemark::tls {

// One line every few seconds at most, which says how many there were besides: strangers decide how often this happens.
// `peer` is an address, `why` a few words. Thread-safe.
void LogFailedHandshake(std::string_view peer, std::string_view why);

}  // namespace tidemark::tls
