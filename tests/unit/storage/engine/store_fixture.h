// A store in a directory of its own, which goes with it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/scheduler.h"
#include "storage/model/batch.h"
#include "storage/storage.h"
#include "tests/column_value.h"
#include "tests/temp_directory.h"

namespace tidemark::storage {

// One value of one row, for comparing.
struct ReadRow {
  int64_t time_ns = 0;
  model::FieldValue value;
};

class StoreFixture : public ::testing::Test {
 protected:
  [[nodiscard]] StoreOptions Options() {
    StoreOptions options;
    options.directory = directory_.path() + "/data";
    options.clock = &clock_;
    options.background = false;
    options.journal_segment_bytes = 1 << 20;
    options.small_epoch_bytes = 0;  // what little a test writes is treated as much is
    return options;
  }

  void Open() { Open(Options()); }
  void Open(StoreOptions options) {
    store_.reset();
    auto opened = Store::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
  }
  void CloseAndOpen() {
    auto closed = store_->Close();
    ASSERT_TRUE(closed.ok()) << closed.error().message;
    Open();
  }

  // Writes and expects that nothing is refused.
  void Write(model::Batch& batch, std::string_view database = {}) {
    auto report = store_->Write(database, batch);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->rows_rejected, 0U) << report->rejections[0].error.message;
  }
  void WriteDouble(std::string_view host, int64_t time_ns, double value, std::string_view database = {}) {
    model::BatchBuilder builder;
    builder.Row("cpu", {{"host", host}}, {time_ns}).Field("usage", value);
    Write(builder.batch(), database);
  }

  // All rows of the only series that the matchers select.
  std::vector<ReadRow> Read(const std::vector<model::Matcher>& matchers, model::TimeRange range = {},
                            std::string_view database = {}) {
    auto view = store_->OpenView(database);
    EXPECT_TRUE(view.ok()) << view.error().message;
    if (!view.ok()) return {};
    return Read(**view, matchers, range);
  }
  static std::vector<ReadRow> Read(const View& view, const std::vector<model::Matcher>& matchers,
                                   model::TimeRange range = {}) {
    auto refs = view.Select(matchers, range, {.numeric = true, .strings = true, .max_series = 0});
    EXPECT_TRUE(refs.ok()) << refs.error().message;
    std::vector<ReadRow> rows;
    if (!refs.ok()) return rows;
    EXPECT_LE(refs->size(), 1U);
    auto cursor = view.Scan(*refs, range);
    model::Column column;
    while (true) {
      auto more = cursor->Next(&column);
      EXPECT_TRUE(more.ok()) << more.error().message;
      if (!more.ok() || !*more) break;
      for (size_t i = 0; i < column.size(); ++i) rows.push_back({column.times[i], ValueOf(column, i)});
    }
    EXPECT_TRUE(cursor->warnings().empty()) << cursor->warnings()[0];
    return rows;
  }
  static model::Matcher Equal(std::string name, std::string value) {
    return {model::MatchOp::kEqual, std::move(name), std::move(value)};
  }

  TempDirectory directory_;
  ManualClock clock_{1'700'000'000'000'000'000};
  std::unique_ptr<Store> store_;
};

}  // namespace tidemark::storage
