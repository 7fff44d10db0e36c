#include "storage/model/limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "storage/base/utf8.h"

namespace tidemark::model {

Result<void> CheckDatabaseName(std::string_view name) {
  if (name.empty()) return InvalidArgument("a database name is empty");
  if (name.size() > kDatabaseNameBytesMax) {
    return InvalidArgument(
        fmt::format("database name of {} bytes: at most {} are allowed", name.size(), kDatabaseNameBytesMax));
  }
  const bool bad = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<uint8_t>(c) < 0x20 || c == 0x7F || c == '/' || c == '\\';
  });
  if (bad || name == "." || name == "..") {
    return InvalidArgument("database name: '/', '\\', control characters, \".\" and \"..\" are not allowed");
  }
  if (!IsUtf8(name)) return InvalidArgument("database name: not UTF-8");
  return {};
}

}  // namespace tidemark::model
