#include "tools/cli/transfer/import_state.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>

#include "storage/base/text/take_word.h"

namespace tidemark::cli {
namespace {
constexpr std::string_view kKind = "tidemark-import";
constexpr std::string_view kVersion = "1";
}  // namespace

Result<ImportState> ReadState(const std::string& path, const std::string& source) {
  ImportState state{.pieces = 0, .source = source};
  if (path.empty()) return state;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return state;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return IoError(fmt::format("{}: it cannot be read, or is empty", path));
  std::string_view rest = line;
  const bool kind = text::TakeWord(&rest) == kKind && text::TakeWord(&rest) == kVersion;
  const std::string_view count = text::TakeWord(&rest);
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), state.pieces);
  if (!kind || error != std::errc() || end != count.data() + count.size()) {
    return Corruption(fmt::format("{}: it does not say how far an import has come; name another file", path));
  }
  if (rest != source) {
    return MakeError(ErrorCode::kConflict,
                     fmt::format("{}: it is of another source ({}; this one is {}): name another file, or remove it",
                                 path, rest, source));
  }
  return state;
}

Status WriteState(const std::string& path, const ImportState& state) {
  if (path.empty()) return {};
  const std::string next = path + ".new";
  {
    std::ofstream file(next, std::ios::trunc);
    file << kKind << ' ' << kVersion << ' ' << state.pieces << ' ' << state.source << '\n';
    file.flush();
    if (!file) return IoError(fmt::format("{}: it cannot be written", next));
  }
  if (std::rename(next.c_str(), path.c_str()) != 0) return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  return {};
}

void RemoveState(const std::string& path) {
  if (!path.empty()) ::unlink(path.c_str());
}

}  // namespace tidemark::cli
