#include "storage/backup/backup_note.h"

#include <fmt/core.h>

#include <charconv>
#include <system_error>

#include "storage/base/text/take_word.h"

namespace tidemark::storage::backup {
namespace {

constexpr std::string_view kKind = "tidemark-backup";
constexpr std::string_view kFormat = "1";

}  // namespace

std::string Encode(const BackupNote& note) {
  return fmt::format("{} {} {} {}", kKind, kFormat, note.store_id, note.made_ns);
}

Result<BackupNote> DecodeNote(std::string_view text) {
  std::string_view rest = text;
  if (text::TakeWord(&rest) != kKind) return Corruption("it is no backup of a Tidemark store");
  if (const std::string_view format = text::TakeWord(&rest); format != kFormat) {
    return Unsupported(
        fmt::format("the backup has format \"{}\", this program reads {}: use a newer one", format, kFormat));
  }
  BackupNote note;
  note.store_id = text::TakeWord(&rest);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), note.made_ns);
  if (note.store_id.empty() || error != std::errc() || end != rest.data() + rest.size()) {
    return Corruption("what it says of itself cannot be read");
  }
  return note;
}

}  // namespace tidemark::storage::backup
