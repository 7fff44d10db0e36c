#include "storage/rocks/store_identity.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <random>

#include "storage/base/failure_point.h"
#include "storage/base/hash.h"
#include "storage/base/printable.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

constexpr std::string_view kNotice = "# Tidemark keeps a store in this directory. Do not delete this file.\n";
constexpr std::string_view kFormat = "1";
constexpr size_t kIdDigits = 32;

std::string_view NameOf(StoreIdentity::State state) {
  return state == StoreIdentity::State::kCreating ? "creating" : "ready";
}

// Takes the line "`key` VALUE\n" from the front of `text`.
std::optional<std::string_view> TakeLine(std::string_view key, std::string_view* text) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text->substr(0, end);
  if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') return std::nullopt;
  text->remove_prefix(end + 1);
  return line.substr(key.size() + 1);
}

}  // namespace

StoreIdentity DrawIdentity() {
  std::random_device random;
  std::string id;
  while (id.size() < kIdDigits) id += fmt::format("{:08x}", random());
  return {std::move(id), StoreIdentity::State::kCreating};
}

std::string Encode(const StoreIdentity& identity) {
  std::string text =
      fmt::format("{}format {}\nid {}\nstate {}\n", kNotice, kFormat, identity.id, NameOf(identity.state));
  text += fmt::format("checksum {:016x}\n", Hash64(text, /*seed=*/0));
  return text;
}

Result<StoreIdentity> DecodeIdentity(std::string_view text) {
  // The checksum comes first: a flipped bit is damage, also where it makes another format of it. Every format ends with
  // it.
  const size_t summed = text.rfind("checksum ");
  if (summed == std::string_view::npos) return Corruption("it has no checksum");
  std::string_view last = text.substr(summed);
  const auto checksum = TakeLine("checksum", &last);
  const std::string expected = fmt::format("{:016x}", Hash64(text.substr(0, summed), /*seed=*/0));
  if (!checksum || !last.empty() || *checksum != expected) {
    return Corruption(fmt::format("checksum expected {}, found {}", expected, Printable(checksum.value_or("none"))));
  }
  text = text.substr(0, summed);
  if (!text.starts_with(kNotice)) return Unsupported("it does not begin as this program writes it");
  text.remove_prefix(kNotice.size());
  const auto format = TakeLine("format", &text);
  if (!format || *format != kFormat) {
    return Unsupported(
        fmt::format("format {}, this program reads format {}", Printable(format.value_or("?")), kFormat));
  }
  const auto id = TakeLine("id", &text);
  const auto state = TakeLine("state", &text);
  const bool creating = state == NameOf(StoreIdentity::State::kCreating);
  if (!id || !text.empty() || (!creating && state != NameOf(StoreIdentity::State::kReady))) {
    return Unsupported("its lines are not those that this program writes");
  }
  return StoreIdentity{std::string(*id), creating ? StoreIdentity::State::kCreating : StoreIdentity::State::kReady};
}

std::string IdentityPath(const std::string& directory) { return directory + "/identity"; }

Result<std::optional<StoreIdentity>> ReadIdentity(rocksdb::FileSystem* files, const std::string& directory) {
  const std::string path = IdentityPath(directory);
  const rocksdb::IOStatus there = files->FileExists(path, rocksdb::IOOptions(), nullptr);
  if (there.IsNotFound()) return std::optional<StoreIdentity>();
  std::string text;
  rocksdb::IOStatus status = there;
  if (status.ok()) status = rocksdb::ReadFileToString(files, path, &text);
  TM_RETURN_IF_ERROR(FromRocks(status, "reading " + path));
  auto identity = DecodeIdentity(text);
  if (!identity.ok()) return std::move(identity).error().Within(path);
  return std::optional<StoreIdentity>(std::move(identity).value());
}

Result<void> WriteIdentity(rocksdb::FileSystem* files, const std::string& directory, const StoreIdentity& identity) {
  const FailurePointName written("identity.written");
  TM_RETURN_IF_ERROR(ReplaceFile(files, IdentityPath(directory), Encode(identity), written));
  FailurePoint("identity.renamed");
  return {};
}

}  // namespace tidemark::storage::rocks
