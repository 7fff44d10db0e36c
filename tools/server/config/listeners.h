// Ways in beside HTTP, as one text each: "127.0.0.1:8089,db=metrics,precision=ns".
#pragma once

#include <string>

#include "tools/server/config/config.h"

namespace tidemark::server {

// The text that ParseUdp and ParseNative (config.h) read, every part of it named.
std::string ShowUdp(const UdpConfig& udp);
std::string ShowNative(const NativeConfig& native);

}  // namespace tidemark::server
