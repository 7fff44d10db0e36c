// Rows of names whose fields have got other types, as one series each, out of a real store.
#include "query/api/name_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "tests/column_value.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::query::api {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

class NameCursorTest : public testing::Test {
 protected:
  NameCursorTest() {
    storage::StoreOptions options;
    options.directory = directory_.path() + "/data";
    options.clock = &clock_;
    options.background = false;
    store_ = storage::Store::Open(std::move(options)).value();
  }

  template <typename Value>
  void Put(std::string_view host, int64_t time_ns, Value value) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", host}}, {kNow + time_ns}).Field("v", value);
    ASSERT_EQ(store_->Write("", builder.batch())->rows_written, 1U);
  }

  // What the cursor gives: of each series "type: time=value ..." a piece.
  using Pieces = std::map<std::string, std::vector<std::string>>;
  Pieces Read(model::TimeRange range = {}) {
    const auto view = store_->OpenView("").value();
    std::vector<model::SeriesRef> refs = view->Select({}, range, {.numeric = true, .strings = true}).value();
    NameCursor cursor(view, view->Present(std::move(refs), range), range);
    Pieces pieces;
    model::LabelViews labels;
    model::SeriesRef before{};
    for (model::Column column; cursor.Next(&column).value();) {
      if (column.empty()) continue;
      EXPECT_EQ(view->NewestOf(column.ref.field), column.ref.field);
      view->LabelsOf(column.ref, &labels);
      std::vector<std::string>& of_series = pieces[model::ToString(model::ToLabels(labels))];
      // The pieces of a series are neighbours.
      EXPECT_TRUE(of_series.empty() || column.ref == before);
      before = column.ref;
      std::string& text = of_series.emplace_back(std::string(model::Name(column.type)) + ":");
      for (size_t row = 0; row < column.size(); ++row) {
        text += " " + std::to_string(column.times[row] - kNow) + "=";
        const model::FieldValue value = ValueOf(column, row);
        text += std::holds_alternative<int64_t>(value) ? std::to_string(std::get<int64_t>(value))
                                                       : std::to_string(std::get<double>(value));
      }
    }
    EXPECT_THAT(cursor.warnings(), testing::IsEmpty());
    return pieces;
  }

  TempDirectory directory_;
  ManualClock clock_{kNow};
  std::unique_ptr<storage::Store> store_;
};

TEST_F(NameCursorTest, IntegersStandBetweenFloats) {
  Put("a", 1, int64_t{1});
  Put("a", 3, int64_t{3});
  Put("a", 5, int64_t{5});
  Put("b", 1, int64_t{9});
  Put("a", 2, 2.5);
  Put("a", 5, 5.5);
  Put("a", 6, int64_t{6});
  EXPECT_EQ(Read(), (Pieces{{R"(m_v{host="a"})",
                             {"integer: 1=1", "float: 2=2.500000", "integer: 3=3", "float: 5=5.500000 6=6.000000"}},
                            {R"(m_v{host="b"})", {"integer: 1=9"}}}));
  EXPECT_EQ(Read({{kNow + 3}, {kNow + 5}}), (Pieces{{R"(m_v{host="a"})", {"integer: 3=3", "float: 5=5.500000"}}}));
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(Read({{kNow + 1}, {kNow + 1}}),
            (Pieces{{R"(m_v{host="a"})", {"integer: 1=1"}}, {R"(m_v{host="b"})", {"integer: 1=9"}}}));
}

TEST_F(NameCursorTest, WhateverTheOrderTheLastWriteIsSeen) {
  std::mt19937_64 random(TestSeed());
  std::map<std::pair<int, int64_t>, double> want;
  const auto write = [&](int rows, bool floats) {
    for (int i = 0; i < rows; ++i) {
      const int host = static_cast<int>(random() % 3);
      const auto time_ns = static_cast<int64_t>(random() % 40);
      const auto number = static_cast<int64_t>(random() % 1000);
      if (floats && random() % 2 == 0) {
        Put(std::to_string(host), time_ns, static_cast<double>(number) + 0.5);
        want[{host, time_ns}] = static_cast<double>(number) + 0.5;
      } else {
        Put(std::to_string(host), time_ns, number);
        want[{host, time_ns}] = static_cast<double>(number);
      }
      if (random() % 50 == 0) {
        ASSERT_TRUE(store_->Checkpoint().ok());
      }
    }
  };
  write(60, false);
  write(60, true);
  const auto view = store_->OpenView("").value();
  NameCursor cursor(view, view->Select({}, {}).value(), {});
  std::map<std::pair<int, int64_t>, double> got;
  std::map<int, int64_t> last;
  model::LabelViews labels;
  for (model::Column column; cursor.Next(&column).value();) {
    view->LabelsOf(column.ref, &labels);
    const int host = std::stoi(std::string(labels[1].value));
    for (size_t row = 0; row < column.size(); ++row) {
      const int64_t time_ns = column.times[row] - kNow;
      EXPECT_TRUE(!last.contains(host) || last[host] < time_ns);
      last[host] = time_ns;
      got[{host, time_ns}] = model::DoubleAt(column, row);
    }
  }
  EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace tidemark::query::api
