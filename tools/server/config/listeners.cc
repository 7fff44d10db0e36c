#include "tools/server/config/listeners.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "ingest/lineprotocol/parser.h"
#include "storage/base/text/byte_size.h"
#include "tools/server/config/setting_text.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server {
namespace {

// Each has a thread.
constexpr uint32_t kNativeConnectionsMax = 1024;

// What stands in front of `separator`, which goes too; all of it where there is none.
std::string_view TakeUntil(std::string_view* text, char separator) {
  const size_t end = std::min(text->find(separator), text->size());
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return part;
}

}  // namespace

std::string ShowUdp(const UdpConfig& udp) {
  return fmt::format("{},db={},precision={},batch={},interval={}", udp.listen, udp.database, udp.precision,
                     text::PrintByteSize(udp.batch_bytes), ShowDuration(udp.batch_ms));
}

std::string ShowNative(const NativeConfig& native) {
  return fmt::format("{},db={},connections={}{}", native.listen, native.database, native.connections_max,
                     native.encrypted ? ",tls=on" : "");
}

Result<NativeConfig> ParseNative(std::string_view text) {
  NativeConfig native;
  native.listen = TakeUntil(&text, ',');
  TM_TRY_ASSIGN([[maybe_unused]] const http::Endpoint endpoint, http::ParseEndpoint(native.listen));
  while (!text.empty()) {
    std::string_view value = TakeUntil(&text, ',');
    const std::string_view name = TakeUntil(&value, '=');
    if (name == "db") {
      native.database = value;
    } else if (name == "connections") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), native.connections_max);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() || native.connections_max < 1 ||
          native.connections_max > kNativeConnectionsMax) {
        return InvalidArgument(fmt::format("connections=\"{}\" is not in [1, {}]", value, kNativeConnectionsMax));
      }
    } else if (name == "tls") {
      if (value != "on" && value != "off")
        return InvalidArgument(fmt::format("tls=\"{}\" is neither on nor off", value));
      native.encrypted = value == "on";
    } else {
      return InvalidArgument(
          fmt::format("\"{}\" of a listener for native batches is none of db, connections, tls", name));
    }
  }
  return native;
}

Result<UdpConfig> ParseUdp(std::string_view text) {
  UdpConfig udp;
  udp.listen = TakeUntil(&text, ',');
  TM_TRY_ASSIGN([[maybe_unused]] const http::Endpoint endpoint, http::ParseEndpoint(udp.listen));
  while (!text.empty()) {
    std::string_view value = TakeUntil(&text, ',');
    const std::string_view name = TakeUntil(&value, '=');
    if (name == "db") {
      udp.database = value;
    } else if (name == "precision") {
      TM_TRY_ASSIGN([[maybe_unused]] const auto precision, lineprotocol::ParsePrecision(value));
      udp.precision = value;
    } else if (name == "batch") {
      TM_TRY_ASSIGN(udp.batch_bytes, ParseSize(value));
    } else if (name == "interval") {
      TM_TRY_ASSIGN(udp.batch_ms, ParseDuration(value));
    } else {
      return InvalidArgument(fmt::format("\"{}\" of a UDP listener is none of db, precision, batch, interval", name));
    }
  }
  if (udp.batch_bytes < 65'536 || udp.batch_ms < 1) return InvalidArgument("batch is at least 64KiB, interval 1ms");
  return udp;
}

}  // namespace tidemark::server
