// Small batches that are written as one: each is answered as if it had come alone.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/write_path/batch_merger.h"
#include "ingest/write_path/write_path.h"

namespace tidemark::write_path {
namespace {

// Refuses rows whose first value is negative, and keeps what it was asked.
class PickyStore final : public model::PointSink {
 public:
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override {
    if (fails) return MakeError(ErrorCode::kIo, "the disk is gone");
    std::string& text = calls.emplace_back(std::string(database) + ":");
    model::WriteReport report;
    for (const model::Row& row : batch.rows) {
      const model::Shape& shape = batch.shapes[row.shape];
      const double value = model::FloatOf(batch.values[row.first_value], batch.scales[row.first_value]);
      if (value < 0) {
        report.Reject(row.line, InvalidArgument("negative " + std::to_string(static_cast<int>(value))));
        continue;
      }
      text += " " + std::string(shape.measurement) + "/" + std::to_string(shape.fields.size()) + "=" +
              std::to_string(static_cast<int>(value));
      ++report.rows_written;
      report.points_written += shape.fields.size();
    }
    shapes.push_back(batch.shapes.size());
    report.series_created = 7;
    return report;
  }
  std::vector<std::string> calls;
  std::vector<size_t> shapes;
  bool fails = false;
};

// A batch of one measurement; a row for each value, its lines from 10 on.
struct Sent {
  Sent(std::string_view measurement, const std::vector<double>& values, std::string_view source,
       std::string_view sender, size_t fields = 1) {
    for (const double value : values) {
      builder.Row(measurement, {}, {1}).Field("v", value);
      for (size_t f = 1; f < fields; ++f) builder.Field("v" + std::to_string(f), 1.0);
    }
    model::Batch& batch = builder.batch();
    for (size_t i = 0; i < batch.rows.size(); ++i) batch.rows[i].line = static_cast<uint32_t>(10 + i);
    batch.source = source;
    batch.sender = sender;
  }
  model::BatchBuilder builder;
};

std::vector<Result<model::WriteReport>> WriteAll(WritePath* path, std::vector<Sent*> sent) {
  std::vector<const model::Batch*> batches;
  for (Sent* const one : sent) batches.push_back(&one->builder.batch());
  return path->WriteAll("db", batches);
}

TEST(MergeTest, SmallBatchesAreOneWrite) {
  PickyStore store;
  WritePath path(&store, {});
  Sent a("m", {1}, "s", "a");
  Sent b("m", {2, 3}, "s", "b");
  Sent c("n", {4}, "s", "c", 3);
  const auto reports = WriteAll(&path, {&a, &b, &c});
  EXPECT_EQ(store.calls, std::vector<std::string>{"db: m/1=1 m/1=2 m/1=3 n/3=4"});
  // Batches of one shape share it.
  EXPECT_EQ(store.shapes, std::vector<size_t>{2});
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0]->rows_written, 1U);
  EXPECT_EQ(reports[1]->rows_written, 2U);
  EXPECT_EQ(reports[2]->points_written, 3U);
  EXPECT_EQ(reports[0]->series_created + reports[1]->series_created + reports[2]->series_created, 7U);
  const WritePathStats stats = path.Stats();
  EXPECT_EQ(stats.writes, 3U);
  EXPECT_EQ(stats.rows_written, 4U);
  EXPECT_EQ(stats.points_written, 6U);
}

TEST(MergeTest, WhoseRowWasRefusedIsTold) {
  PickyStore store;
  ManualClock clock(42);
  WritePath path(&store, {}, &clock);
  Sent a("m", {1, 2}, "s", "a");
  Sent b("m", {3, -4, 5, -6}, "s", "b");
  Sent c("m", {7}, "s", "c");
  Sent d("m", {-8}, "s", "d");
  const auto reports = WriteAll(&path, {&a, &b, &c, &d});
  ASSERT_EQ(store.calls.size(), 1U);
  EXPECT_EQ(reports[0]->rows_rejected, 0U);
  EXPECT_EQ(reports[1]->rows_rejected, 2U);
  ASSERT_EQ(reports[1]->rejections.size(), 2U);
  EXPECT_EQ(reports[1]->rejections[0].line, 11U);
  EXPECT_EQ(reports[1]->rejections[0].error.message, "negative -4");
  EXPECT_EQ(reports[1]->rejections[1].line, 13U);
  EXPECT_EQ(reports[1]->rows_written, 2U);
  EXPECT_EQ(reports[2]->rows_rejected, 0U);
  EXPECT_EQ(reports[3]->rejections[0].line, 10U);
  EXPECT_EQ(reports[3]->rows_written, 0U);
  const WritePathStats stats = path.Stats();
  EXPECT_EQ(stats.rows_written, 5U);
  EXPECT_EQ(stats.points_written, 5U);
  EXPECT_EQ(stats.rows_rejected, 3U);
  // The log says who sent it, and which line it was there.
  std::string log;
  for (const auto& entry : path.rejections().Newest(10)) log += entry.sender + "/" + std::to_string(entry.line) + " ";
  EXPECT_EQ(log, "d/10 b/13 b/11 ");
}

TEST(MergeTest, AnErrorIsEachOnes) {
  PickyStore store;
  store.fails = true;
  WritePath path(&store, {});
  Sent a("m", {1}, "s", "a");
  Sent b("m", {2}, "s", "b");
  const auto reports = WriteAll(&path, {&a, &b});
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].error().message, "the disk is gone");
  EXPECT_EQ(reports[1].error().message, "the disk is gone");
  EXPECT_EQ(path.Stats().writes_failed_by[static_cast<size_t>(ErrorCode::kIo)], 2U);
}

TEST(MergeTest, WhatCannotBeMergedIsWrittenByItself) {
  PickyStore store;
  WritePath path(&store, {});
  Sent a("m", {1}, "s", "a");
  Sent b("m", {2}, "other", "b");
  Sent c("m", {3}, "s", "c");
  Sent large("m", std::vector<double>(BatchMerger::kMaxRows, 4), "s", "d");
  Sent text("m", {5}, "s", "e");
  text.builder.Row("m", {}, {2}).Field("t", "text");
  Sent last("m", {6}, "s", "f");
  const auto reports = WriteAll(&path, {&a, &b, &c, &large, &last});
  ASSERT_EQ(reports.size(), 5U);
  EXPECT_EQ(store.calls.size(), 5U);
  for (const auto& report : reports) EXPECT_TRUE(report.ok());
  EXPECT_EQ(reports[3]->rows_written, BatchMerger::kMaxRows);
  EXPECT_FALSE(BatchMerger::MayMerge(text.builder.batch()));
  EXPECT_EQ(path.Stats().sources.size(), 2U);
}

TEST(MergeTest, NoGroupHasMoreRowsThanAReportNames) {
  PickyStore store;
  WritePath path(&store, {});
  std::vector<std::unique_ptr<Sent>> all;
  std::vector<Sent*> sent;
  for (int i = 0; i < 5; ++i) {
    all.push_back(std::make_unique<Sent>("m", std::vector<double>(30, -1), "s", "a"));
    sent.push_back(all.back().get());
  }
  const auto reports = WriteAll(&path, sent);
  EXPECT_EQ(store.calls.size(), 2U);
  for (const auto& report : reports) EXPECT_EQ(report->rejections.size(), 30U);
  EXPECT_EQ(path.Stats().rows_rejected, 150U);
}

}  // namespace
}  // namespace tidemark::write_path
