#include "ingest/write_path/write_path.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

namespace tidemark::write_path {
namespace {

// A store that keeps what it was given, or does what the test says.
class FakeStore final : public model::PointSink {
 public:
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    if (on_write) return on_write(database, batch);
    model::WriteReport report;
    for (const model::Row& row : batch.rows) {
      const model::Shape& shape = batch.shapes[row.shape];
      for (size_t i = 0; i < shape.fields.size(); ++i) {
        written[std::string(database)] +=
            std::string(shape.measurement.substr(0, 20)) + "." + std::string(shape.fields[i].name) + "=" +
            std::to_string(std::get<double>(model::ValueOf(batch, model::FieldType::kFloat, row.first_value + i))) +
            ";";
        ++report.points_written;
      }
      ++report.rows_written;
    }
    return report;
  }

  std::function<Result<model::WriteReport>(std::string_view, const model::Batch&)> on_write;
  std::map<std::string, std::string> written;
};

TEST(WritePathTest, HandsOnAndCounts) {
  FakeStore store;
  WritePath path(&store, {});
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {1}).Field("user", 1.0).Field("system", 2.0);
  builder.Row("cpu", {{"host", "b"}}, {1}).Field("user", 3.0);
  const model::WriteReport report = path.Write("db", builder.batch()).value();
  EXPECT_EQ(report.rows_written, 2U);
  ASSERT_TRUE(path.Write("", builder.batch()).ok());
  EXPECT_EQ(store.written["db"], "cpu.user=1.000000;cpu.system=2.000000;cpu.user=3.000000;");
  EXPECT_EQ(store.written["default"], store.written["db"]);
  const WritePathStats stats = path.Stats();
  EXPECT_EQ(stats.writes, 2U);
  EXPECT_EQ(stats.rows_written, 4U);
  EXPECT_EQ(stats.points_written, 6U);
  EXPECT_EQ(stats.rows_rejected, 0U);
  EXPECT_EQ(stats.writes_in_flight, 0U);
  EXPECT_EQ(stats.bytes_in_flight, 0U);
}

TEST(WritePathTest, ABadDatabaseNameIsRefused) {
  FakeStore store;
  WritePath path(&store, {});
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("f", 1.0);
  const auto refused = path.Write("../etc", builder.batch());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(store.written.empty());
  EXPECT_EQ(path.Stats().writes_failed_by[static_cast<size_t>(ErrorCode::kInvalidArgument)], 1U);
}

TEST(WritePathTest, RowsThatBreakALimitAreRejectedAndTheOthersWritten) {
  FakeStore store;
  ManualClock clock(42);
  WritePath path(&store, {.max_key_bytes = 100, .max_name_bytes = 20}, &clock);
  model::BatchBuilder builder;
  builder.Row("a", {}, {1}).Field("f", 1.0).Field("g", 2.0);
  builder.Row("b", {{"host", std::string(200, 'x')}}, {1}).Field("f", 3.0).Field("g", 4.0);
  builder.Row("c", {}, {1}).Field(std::string(21, 'f'), 5.0);
  builder.Row(std::string(21, 'm'), {}, {1}).Field("f", 6.0);
  builder.Row("d", {}, {1}).Field("f", 7.0).Field("h", 8.0);
  const model::WriteReport report = path.Write("db", builder.batch()).value();
  EXPECT_EQ(store.written["db"], "a.f=1.000000;a.g=2.000000;d.f=7.000000;d.h=8.000000;");
  EXPECT_EQ(report.rows_written, 2U);
  EXPECT_EQ(report.rows_rejected, 3U);
  ASSERT_EQ(report.rejections.size(), 3U);
  EXPECT_EQ(report.rejections[0].line, 2U);
  EXPECT_EQ(report.rejections[0].error.message, "max key length exceeded: 209 > 100");
  EXPECT_EQ(report.rejections[1].line, 3U);
  EXPECT_EQ(report.rejections[2].error.message, "name of a measurement or field is longer than 20 bytes");
  EXPECT_EQ(path.Stats().rows_rejected_by[static_cast<size_t>(ErrorCode::kLimitExceeded)], 3U);
  const auto logged = path.rejections().Newest(10);
  ASSERT_EQ(logged.size(), 3U);
  EXPECT_EQ(logged[0].line, 4U);
  EXPECT_EQ(logged[0].database, "db");
  EXPECT_EQ(logged[0].at.ns, 42);
}

TEST(WritePathTest, RejectionsOfTheStoreAndOfItsOwnComeInOrderAndBounded) {
  FakeStore store;
  store.on_write = [](std::string_view, const model::Batch& batch) {
    model::WriteReport report;
    for (const model::Row& row : batch.rows) report.Reject(row.line, MakeError(ErrorCode::kConflict, "type"));
    return report;
  };
  WritePath path(&store, {.max_key_bytes = 50});
  model::BatchBuilder builder;
  for (int i = 0; i < 300; ++i) {
    builder.Row("m", {{"host", std::string(i % 2 == 0 ? 100 : 1, 'x')}}, {i}).Field("f", 1.0);
  }
  const model::WriteReport report = path.Write("db", builder.batch()).value();
  EXPECT_EQ(report.rows_rejected, 300U);
  ASSERT_EQ(report.rejections.size(), model::WriteReport::kMaxRejections);
  for (size_t i = 0; i < report.rejections.size(); ++i) EXPECT_EQ(report.rejections[i].line, i + 1);
  EXPECT_EQ(path.Stats().rows_rejected, 300U);
}

TEST(WritePathTest, TooManyWritesAtOnceAreRefusedAndTriedAgainLater) {
  FakeStore store;
  WritePath path(&store, {.max_writes_in_flight = 2});
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("f", 1.0);
  const model::Batch& batch = builder.batch();
  int depth = 0;
  // Writes from inside a write are under way at the same time.
  store.on_write = [&](std::string_view, const model::Batch&) -> Result<model::WriteReport> {
    if (++depth == 1) {
      EXPECT_TRUE(path.Write("db", batch).ok());
    } else {
      const auto refused = path.Write("db", batch);
      EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
      EXPECT_EQ(refused.error().message, "2 writes are under way; try again");
      EXPECT_EQ(path.Stats().writes_in_flight, 2U);
    }
    return model::WriteReport{};
  };
  EXPECT_TRUE(path.Write("db", batch).ok());
  EXPECT_EQ(depth, 2);
  EXPECT_EQ(path.Stats().writes_failed_by[static_cast<size_t>(ErrorCode::kResourceExhausted)], 1U);
  EXPECT_EQ(path.Stats().writes_in_flight, 0U);
  store.on_write = nullptr;
  EXPECT_TRUE(path.Write("db", batch).ok());
}

TEST(WritePathTest, TooManyBytesAtOnceAreRefusedButABatchAloneIsTaken) {
  FakeStore store;
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("f", 1.0);
  const model::Batch& batch = builder.batch();
  WritePath path(&store, {.max_bytes_in_flight = BatchBytes(batch) * 3 / 2});
  WritePath tiny(&store, {.max_bytes_in_flight = 1});
  EXPECT_TRUE(tiny.Write("db", batch).ok());
  store.on_write = [&](std::string_view, const model::Batch&) -> Result<model::WriteReport> {
    EXPECT_EQ(path.Write("db", batch).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(path.Stats().bytes_in_flight, BatchBytes(batch));
    return model::WriteReport{};
  };
  EXPECT_TRUE(path.Write("db", batch).ok());
  EXPECT_EQ(path.Stats().bytes_in_flight, 0U);
}

TEST(WritePathTest, AFailedWriteIsCountedAndLeavesNothingUnderWay) {
  FakeStore store;
  store.on_write = [](std::string_view, const model::Batch&) -> Result<model::WriteReport> { return IoError("disk"); };
  WritePath path(&store, {});
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("f", 1.0);
  EXPECT_EQ(path.Write("db", builder.batch()).error().code, ErrorCode::kIo);
  const WritePathStats stats = path.Stats();
  EXPECT_EQ(stats.writes_failed_by[static_cast<size_t>(ErrorCode::kIo)], 1U);
  EXPECT_EQ(stats.rows_written, 0U);
  EXPECT_EQ(stats.writes_in_flight, 0U);
}

TEST(WritePathTest, RejectionsOfParsersAreCountedToo) {
  FakeStore store;
  WritePath path(&store, {});
  path.CountRejected({.database = "", .source = "udp", .sender = "10.0.0.1:5", .line = 7},
                     InvalidArgument("unable to parse"));
  EXPECT_EQ(path.Stats().rows_rejected, 1U);
  EXPECT_EQ(path.Stats().rows_rejected_by[static_cast<size_t>(ErrorCode::kInvalidArgument)], 1U);
  const LoggedRejection logged = path.rejections().Newest(1)[0];
  EXPECT_EQ(logged.database, "default");
  EXPECT_EQ(logged.source, "udp");
  EXPECT_EQ(logged.sender, "10.0.0.1:5");
}

TEST(WritePathTest, CountsByTheWayThatRowsCameIn) {
  FakeStore store;
  WritePath path(&store, {.max_key_bytes = 50});
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("f", 1.0).Field("g", 2.0);
  builder.Row("m", {{"tag", std::string(60, 'x')}}, {1}).Field("f", 1.0);
  builder.batch().source = "native";
  builder.batch().sender = "token";
  ASSERT_TRUE(path.Write("db", builder.batch()).ok());
  builder.Clear();
  builder.Row("m", {}, {1}).Field("f", 1.0);
  ASSERT_TRUE(path.Write("db", builder.batch()).ok());
  const std::vector<SourceStats> sources = path.Stats().sources;
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].source, "native");
  EXPECT_EQ(sources[0].rows_written, 1U);
  EXPECT_EQ(sources[0].points_written, 2U);
  EXPECT_EQ(sources[0].rows_rejected, 1U);
  EXPECT_EQ(sources[1].source, "");
  EXPECT_EQ(sources[1].points_written, 1U);
  EXPECT_EQ(path.rejections().Newest(1)[0].sender, "token");
}

}  // namespace
}  // namespace tidemark::write_path
