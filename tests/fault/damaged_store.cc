#include "damaged_store.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <ios>
#include <set>
#include <utility>
#include <vector>

#include "directory_copy.h"
#include "storage/rocks/loose_tables.h"

namespace tidemark::fault {
namespace {

using Kind = storage::rocks::TableSight::Kind;

// The column of `wanted`, of the same database, that `column` is, or failing that is a part of; those of `taken` come
// last. "" when there is none.
std::string PlaceOf(const std::string& database, const ModelColumn& column, const RowModel& wanted,
                    const std::set<std::string>& taken) {
  std::string best;
  int best_rank = 0;
  for (const auto& [name, rows] : wanted) {
    if (!name.starts_with(database) || !std::includes(rows.begin(), rows.end(), column.begin(), column.end())) continue;
    const int rank = (taken.contains(name) ? 1 : 2) + (rows == column ? 2 : 0);
    if (rank > best_rank) best = name;
    best_rank = std::max(rank, best_rank);
  }
  return best;
}

bool IsTable(const std::filesystem::path& path, Kind kind) {
  const auto sight = storage::rocks::LookAtTable(rocksdb::FileSystem::Default(), path.string(), /*whole=*/false);
  return sight.ok() && sight->kind == kind;
}

}  // namespace

std::string Damage(const std::filesystem::path& data, const std::string& victim, const std::string& how,
                   std::mt19937_64& random) {
  const std::filesystem::path path = data / victim;
  if (how == "removed") {
    std::filesystem::remove_all(path);
  } else if (how == "cut") {
    std::filesystem::resize_file(path, random() % std::max<uint64_t>(std::filesystem::file_size(path), 1));
  } else {
    std::string bytes = ReadFile(path);
    const size_t used = std::max<size_t>(bytes.find_last_not_of('\0') + 1, 1);
    bytes[random() % used] ^= static_cast<char>(1 << random() % 8);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  return victim + " " + how;
}

RowModel WithNames(const RowModel& wanted, const RowModel& found) {
  RowModel named;
  std::set<std::string> taken;
  std::vector<std::pair<std::string, const ModelColumn*>> made_up;
  for (const auto& [name, column] : found) {
    const bool one = name.starts_with("recovered-1/");
    const bool two = name.starts_with("recovered-2/");
    const std::string own = one || two ? (one ? "default" : "other") + name.substr(name.find('/')) : name;
    if (own.find("/#") != std::string::npos || own.find("/unknown") != std::string::npos) {
      made_up.emplace_back(own, &column);
      continue;
    }
    named[own] = column;
    taken.insert(own);
  }
  for (const auto& [own, column] : made_up) {
    const std::string place = PlaceOf(own.substr(0, own.find('/') + 1), *column, wanted, taken);
    named[place.empty() ? own : place].insert(column->begin(), column->end());
    taken.insert(place);
  }
  return named;
}

size_t RowsOf(const RowModel& model) {
  size_t rows = 0;
  for (const auto& [name, column] : model) rows += name.starts_with("documents/") ? 0 : column.size();
  return rows;
}

bool HoldsNames(const std::filesystem::path& path) { return IsTable(path, Kind::kIndex); }
bool HoldsRecords(const std::filesystem::path& path) { return IsTable(path, Kind::kMeta); }

}  // namespace tidemark::fault
