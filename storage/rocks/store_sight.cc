#include "storage/rocks/store_sight.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <utility>
#include <vector>

#include "storage/base/log.h"
#include "storage/journal/segment_writer.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

// A file that only a store leaves; "" when there is none.
Result<std::string> TraceOfStore(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<std::string> rocks, NamesIn(files, directory + "/rocksdb"));
  for (const std::string& name : rocks) {
    if (name.ends_with(".sst") || name.starts_with("MANIFEST-")) return "rocksdb/" + name;
  }
  TM_TRY_ASSIGN(const std::vector<std::string> segments, NamesIn(files, directory + "/journal"));
  for (const std::string& name : segments) {
    if (journal::SegmentNumber(name)) return "journal/" + name;
  }
  return std::string();
}

Error Missing(const std::string& directory, const std::string& what, const std::string& why) {
  return Corruption(fmt::format("{}/{} is missing, but a store lies in this directory ({})", directory, what, why));
}

// That RocksDB finds its beginning: CURRENT, and the MANIFEST that it names. RocksDB itself would make both anew.
Result<void> CheckBeginning(rocksdb::FileSystem* files, const std::string& directory, const std::string& why) {
  const std::string rocks = directory + "/rocksdb";
  TM_TRY_ASSIGN(const bool folder, Exists(files, rocks));
  if (!folder) return Missing(directory, "rocksdb", why);
  TM_TRY_ASSIGN(const bool current, Exists(files, rocks + "/CURRENT"));
  if (!current) return Missing(directory, "rocksdb/CURRENT", why);
  std::string name;
  TM_RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(files, rocks + "/CURRENT", &name), "reading CURRENT"));
  while (!name.empty() && name.back() == '\n') name.pop_back();
  constexpr std::string_view kManifest = "MANIFEST-";
  if (!name.starts_with(kManifest) || name.size() == kManifest.size() ||
      name.find_first_not_of("0123456789", kManifest.size()) != std::string::npos) {
    return Corruption(fmt::format("{}/CURRENT is damaged: it does not name a MANIFEST", rocks));
  }
  TM_TRY_ASSIGN(const bool manifest, Exists(files, rocks + "/" + name));
  if (!manifest) return Missing(directory, "rocksdb/" + name, why);
  return {};
}

}  // namespace

Result<StoreSight> LookForStore(rocksdb::FileSystem* files, const std::string& directory) {
  StoreSight sight;
  std::string why;
  auto identity = ReadIdentity(files, directory);
  if (identity.ok()) {
    sight.identity = std::move(identity).value();
    if (sight.identity) {
      if (sight.identity->state == StoreIdentity::State::kCreating) {
        sight.kind = StoreSight::Kind::kUnfinished;
        return sight;
      }
      why = "its identity file says so";
    }
  } else if (identity.error().code == ErrorCode::kCorruption) {
    // Whatever it said, it is there, and so is a store.
    TM_LOG(kWarn, "the identity file is damaged and will be written anew: {}", identity.error().message);
    why = "an identity file is there";
  } else {
    return std::move(identity).error();
  }
  if (why.empty()) {
    TM_TRY_ASSIGN(const bool current, Exists(files, directory + "/rocksdb/CURRENT"));
    TM_TRY_ASSIGN(const std::string trace, TraceOfStore(files, directory));
    if (!current && trace.empty()) return sight;
    why = current ? "rocksdb/CURRENT is there" : trace + " is there";
  }
  auto beginning = CheckBeginning(files, directory, why);
  if (!beginning.ok()) {
    if (beginning.error().code != ErrorCode::kCorruption) return std::move(beginning).error();
    sight.no_beginning = std::move(beginning).error();
  }
  sight.kind = StoreSight::Kind::kStore;
  return sight;
}

}  // namespace tidemark::storage::rocks
