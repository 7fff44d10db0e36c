// Writing: spellings, shapes, types, limits.
#include <gtest/gtest.h>

#include "storage/base/bytes.h"
#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

model::SeriesKey Key(model::KeyFormat format, std::string_view bytes) {
  return {.bytes = bytes, .hash = model::HashSeriesKey(format, bytes), .format = format};
}

std::string RemoteWriteKey(const std::vector<std::pair<std::string, std::string>>& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    std::string message;
    message.push_back(0x0A);
    PutString(&message, name);
    message.push_back(0x12);
    PutString(&message, value);
    out.push_back(0x0A);
    PutString(&out, message);
  }
  return out;
}

TEST(IndexTest, AllSpellingsOfASeriesAreOne) {
  const auto index = Index::Create({});
  const std::string remote = RemoteWriteKey({{"__name__", "cpu"}, {"region", "eu w"}, {"host", "a"}, {"empty", ""}});
  const std::vector<model::SeriesKey> spellings = {
      Key(model::KeyFormat::kLineProtocol, "cpu,host=a,region=eu\\ w"),
      Key(model::KeyFormat::kLineProtocol, "cpu,region=eu\\ w,host=a"),
      Key(model::KeyFormat::kRemoteWrite, remote),
  };
  const model::SeriesId id = index->FindOrCreate(spellings[0]).value();
  for (const model::SeriesKey& key : spellings) EXPECT_EQ(index->FindOrCreate(key).value(), id);
  EXPECT_NE(index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "cpu,host=a")).value(), id);
  EXPECT_NE(index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "mem,host=a,region=eu\\ w")).value(), id);
  const IndexStats stats = index->Stats();
  EXPECT_EQ(stats.series, 3U);
  EXPECT_EQ(stats.raw_keys, 5U);
  EXPECT_EQ(stats.measurements, 2U);
}

TEST(IndexTest, LookupFindsWhatWasCreatedAndNothingElse) {
  const auto index = Index::Create({});
  std::vector<std::string> keys;
  for (int i = 0; i < 5'000; ++i) keys.push_back("cpu,host=" + std::to_string(i));
  std::vector<model::Row> rows;
  for (const std::string& key : keys) {
    // Runs of one key, as rows of one host often are.
    for (size_t n = 0; n <= rows.size() % 3; ++n) {
      rows.push_back({.key = Key(model::KeyFormat::kLineProtocol, key), .time = {0}});
    }
  }
  std::vector<model::SeriesId> ids(rows.size(), model::SeriesId{77});
  index->Lookup(rows, ids.data());
  for (const model::SeriesId id : ids) ASSERT_EQ(id, model::SeriesId{});
  std::vector<model::SeriesId> expected;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool known = std::stoul(std::string(rows[i].key.bytes.substr(9))) % 2 == 0;
    expected.push_back(known ? index->FindOrCreate(rows[i].key).value() : model::SeriesId{});
  }
  index->Lookup(rows, ids.data());
  EXPECT_EQ(ids, expected);
  index->Lookup({}, nullptr);
}

TEST(IndexTest, AKeyThatDoesNotParseIsRefused) {
  const auto index = Index::Create({});
  const auto refused = index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "cpu,host"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(index->Stats().series, 0U);
}

TEST(Index, FieldsBeyondTheLimitAreRefusedAndKnownOnesGoOn) {
  const auto index = Index::Create({.max_fields = 3});
  const model::Shape two{"m", {{"a", model::FieldType::kFloat}, {"b", model::FieldType::kFloat}}};
  const model::Shape four{
      "m", {{"a", model::FieldType::kFloat}, {"c", model::FieldType::kFloat}, {"d", model::FieldType::kFloat}}};
  ASSERT_TRUE(index->ResolveShape(two).ok());
  const auto refused = index->ResolveShape(four);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(index->Stats().fields, 2U);
  EXPECT_TRUE(index->ResolveShape(two).ok());
}

TEST(IndexTest, MaxSeriesStopsNewOnesOnly) {
  const auto index = Index::Create({.max_series = 2});
  const model::SeriesId a = index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "cpu,host=a,z=1")).value();
  ASSERT_TRUE(index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "cpu,host=b")).ok());
  const std::string before = index->TakeDefinitions();
  const auto refused = index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "mem,dc=c"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(refused.error().message, "max-series-per-database limit exceeded: (2)");
  EXPECT_EQ(index->FindOrCreate(Key(model::KeyFormat::kLineProtocol, "cpu,z=1,host=a")).value(), a);
  EXPECT_EQ(index->TakeDefinitions(), "");
  EXPECT_EQ(index->Stats().measurements, 1U);
}

TEST(IndexTest, AFieldKeepsItsFirstType) {
  using enum model::FieldType;
  const auto index = Index::Create({});
  const auto first = index->ResolveShape({"m", {{"f", kFloat}, {"i", kInt}, {"s", kString}, {"b", kBool}}}).value();
  const auto again = index->ResolveShape({"m", {{"i", kInt}, {"f", kUInt}}}).value();
  EXPECT_EQ(again.measurement, first.measurement);
  ASSERT_EQ(again.fields.size(), 2U);
  EXPECT_EQ(again.fields[0].id, first.fields[1].id);
  EXPECT_EQ(again.fields[0].type, kInt);
  EXPECT_EQ(again.fields[1].id, first.fields[0].id);
  EXPECT_EQ(again.fields[1].type, kFloat);
  EXPECT_EQ(index->ResolveShape({"m", {{"f", kInt}}}).value().fields[0].type, kFloat);

  const auto conflict = index->ResolveShape({"m", {{"new", kFloat}, {"f", kString}}});
  ASSERT_FALSE(conflict.ok());
  EXPECT_EQ(conflict.error().code, ErrorCode::kConflict);
  EXPECT_EQ(conflict.error().message,
            "field type conflict: input field \"f\" on measurement \"m\" is type string, already exists as type float");
  EXPECT_EQ(index->Stats().fields, 4U) << "a refused shape must not create fields";
  EXPECT_FALSE(index->ResolveShape({"m", {{"i", kFloat}}}).ok());
  EXPECT_FALSE(index->ResolveShape({"m", {{"i", kUInt}}}).ok());
  EXPECT_FALSE(index->ResolveShape({"m", {{"f", kBool}}}).ok());
  EXPECT_TRUE(index->ResolveShape({"other", {{"f", kString}}}).ok());
}

TEST(IndexTest, FieldsDescribeThemselves) {
  const auto index = Index::Create({});
  const auto shape = index->ResolveShape({"cpu", {{"user", model::FieldType::kInt}, {"value", {}}}}).value();
  const FieldInfo user = index->Field(shape.fields[0].id);
  EXPECT_EQ(user.metric, "cpu_user");
  EXPECT_EQ(user.measurement_name, "cpu");
  EXPECT_EQ(user.name, "user");
  EXPECT_EQ(user.type, model::FieldType::kInt);
  EXPECT_EQ(index->Field(shape.fields[1].id).metric, "cpu");
  EXPECT_EQ(index->Fields().size(), 2U);
}

TEST(IndexTest, SeriesCountOfAField) {
  const auto index = Index::Create({});
  for (int i = 0; i < 200; ++i) {
    WriteSeries(index.get(), {"cpu", {{"host", std::to_string(i)}}, "user"});
    WriteSeries(index.get(), {"cpu", {{"host", std::to_string(i / 2)}}, "user"});
  }
  EXPECT_EQ(index->SeriesCountOf(index->Fields()[0].id), 200U);
}

TEST(IndexTest, TopLabels) {
  const auto index = Index::Create({});
  for (int i = 0; i < 9; ++i) {
    WriteSeries(
        index.get(),
        {"cpu", {{"host", std::to_string(i)}, {"dc", std::to_string(i % 3)}, {"az", std::to_string(i % 3)}}, "u"});
  }
  const std::vector<Cardinality> top = index->TopLabels(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].name, "host");
  EXPECT_EQ(top[0].count, 9U);
  EXPECT_EQ(top[1].name, "az");
  EXPECT_EQ(index->TopLabels(10).size(), 3U);
}

}  // namespace
}  // namespace tidemark::index
