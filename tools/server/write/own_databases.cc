#include "tools/server/write/own_databases.h"

#include <array>

namespace tidemark::server {
namespace {

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kDay = storage::kNsPerDay;

struct OwnDatabase {
  std::string_view name;
  storage::DatabaseOptions options;
};

// README.md says the same.
const std::array<OwnDatabase, 2>& Table() {
  static const std::array<OwnDatabase, 2> kTable{{
      // Each second: what is looked at in detail is the last days, what is compared are weeks and months.
      {"_host", {.retention_ns = 14 * kDay, .tiers = {{.width_ns = kMinute, .keep_ns = 400 * kDay}}}},
      // Ten times a second while something runs. Which tasks ran, and how they ended, are texts that no tier has: they
      // are kept for a quarter.
      {"_exec", {.retention_ns = 90 * kDay, .tiers = {{.width_ns = kMinute, .keep_ns = 3 * 365 * kDay}}}},
  }};
  return kTable;
}

}  // namespace

const storage::DatabaseOptions* OwnDatabaseOptions(std::string_view name) {
  for (const OwnDatabase& own : Table()) {
    if (own.name == name) return &own.options;
  }
  return nullptr;
}

Result<model::WriteReport> OwnDatabases::Write(std::string_view database, const model::Batch& batch) {
  const storage::DatabaseOptions* const options = OwnDatabaseOptions(database);
  if (options != nullptr && create_ && !store_.HasDatabase(database)) {
    // Another write may have been quicker.
    if (auto made = store_.CreateDatabase(database, *options);
        !made.ok() && made.error().code != ErrorCode::kAlreadyExists) {
      return std::move(made).error();
    }
  }
  return store_.Write(database, batch);
}

}  // namespace tidemark::server
