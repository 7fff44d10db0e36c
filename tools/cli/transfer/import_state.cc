#include "tools/cli/transfer/import_state.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <istream>
#include <system_error>
#include <utility>

#include "storage/base/text/take_word.h"

namespace tidemark::cli {
namespace {
constexpr std::string_view kKind = "tidemark-import";
constexpr std::string_view kVersion = "2";

// What the next line says of `name`.
Result<std::string> ReadLine(std::istream* file, const std::string& path, std::string_view name) {
  std::string line;
  const std::string front = fmt::format("{} ", name);
  if (!std::getline(*file, line) || !line.starts_with(front)) {
    return Corruption(fmt::format("{}: its line \"{}\" is missing; name another file", path, name));
  }
  return line.substr(front.size());
}

}  // namespace

Result<ImportState> ReadState(const std::string& path, ImportState wanted) {
  wanted.pieces = 0;
  if (path.empty()) return wanted;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return wanted;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return IoError(fmt::format("{}: it cannot be read, or is empty", path));
  std::string_view rest = line;
  const bool kind = text::TakeWord(&rest) == kKind;
  const std::string_view version = text::TakeWord(&rest);
  const std::string_view count = text::TakeWord(&rest);
  if (kind && version == "1") {
    return MakeError(ErrorCode::kConflict,
                     fmt::format("{}: it is of an earlier version, and does not say into which store and database the "
                                 "import went: remove it; what is sent again changes nothing",
                                 path));
  }
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), wanted.pieces);
  if (!kind || version != kVersion || error != std::errc() || end != count.data() + count.size()) {
    return Corruption(fmt::format("{}: it does not say how far an import has come; name another file", path));
  }
  const std::pair<std::string_view, const std::string*> lines[] = {
      {"target", &wanted.target}, {"database", &wanted.database}, {"source", &wanted.source}};
  for (const auto& [name, own] : lines) {
    TM_TRY_ASSIGN(const std::string text, ReadLine(&file, path, name));
    if (text == *own) continue;
    return MakeError(
        ErrorCode::kConflict,
        fmt::format("{}: it is of another {} (\"{}\"; this one is \"{}\"): name another file, or remove it", path, name,
                    text, *own));
  }
  return wanted;
}

Status WriteState(const std::string& path, const ImportState& state) {
  if (path.empty()) return {};
  const std::string next = path + ".new";
  {
    std::ofstream file(next, std::ios::trunc);
    file << kKind << ' ' << kVersion << ' ' << state.pieces << "\ntarget " << state.target << "\ndatabase "
         << state.database << "\nsource " << state.source << '\n';
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
