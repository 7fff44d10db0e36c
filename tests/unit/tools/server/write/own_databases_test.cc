#include "tools/server/write/own_databases.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/query/api/memory_store.h"

namespace tidemark::server {
namespace {

model::Batch& OneRow(model::BatchBuilder* builder) {
  builder->Row("cpu", {}, {1}).Field("v", 1.0);
  return builder->batch();
}

storage::DatabaseOptions OptionsOf(const storage::Store& store, std::string_view name) {
  for (const storage::DatabaseInfo& info : store.Databases()) {
    if (info.name == name) return info.options;
  }
  ADD_FAILURE() << "no database " << name;
  return {};
}

TEST(OwnDatabases, TiersOutliveWhatIsReportedEachSecond) {
  for (const char* const name : {"_host", "_exec"}) {
    const storage::DatabaseOptions* const options = OwnDatabaseOptions(name);
    ASSERT_NE(options, nullptr) << name;
    EXPECT_GT(options->retention_ns, 0) << name;
    ASSERT_FALSE(options->tiers.empty()) << name;
    EXPECT_GT(options->tiers.back().keep_ns, options->retention_ns) << name;
  }
  // The demo's past is six weeks long, and its queries look back over seven.
  EXPECT_GT(OwnDatabaseOptions("_exec")->retention_ns, 49 * storage::kNsPerDay);
  for (const char* const name : {"", "default", "_server", "_exec_baselines", "_hosts", "host"})
    EXPECT_EQ(OwnDatabaseOptions(name), nullptr) << name;
}

TEST(OwnDatabases, MadeWithTheirOptionsAtTheFirstPointAndLeftAloneAfterwards) {
  MemoryStore store;
  OwnDatabases sink(&store, /*create=*/true);
  model::BatchBuilder builder;
  const model::Batch& batch = OneRow(&builder);
  EXPECT_FALSE(store.HasDatabase("_host"));
  ASSERT_TRUE(sink.Write("_host", batch).ok());
  EXPECT_EQ(OptionsOf(store, "_host"), *OwnDatabaseOptions("_host"));
  ASSERT_TRUE(sink.Write("other", batch).ok());
  EXPECT_EQ(OptionsOf(store, "other").retention_ns, 0);
  ASSERT_TRUE(store.SetDatabaseOptions("_host", {}).ok());
  ASSERT_TRUE(sink.Write("_host", batch).ok());
  EXPECT_EQ(OptionsOf(store, "_host"), storage::DatabaseOptions{}) << "somebody has set it otherwise";
}

}  // namespace
}  // namespace tidemark::server
