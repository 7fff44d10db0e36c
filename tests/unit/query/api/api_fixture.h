// ApiTest: the query API over a small store in memory.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "query/api/api.h"
#include "query/engine/engine.h"
#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::query::api {

inline constexpr int64_t kNow = 1'700'000'000;  // seconds

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    model::BatchBuilder rows;
    for (int64_t i = 0; i < 6; ++i) {
      const model::Timestamp time{(kNow - 50 + i * 10) * 1'000'000'000};
      rows.Row("cpu", {{"host", "a"}}, time).Field("user", 1.5 + static_cast<double>(i)).Field("cores", int64_t{4});
      rows.Row("cpu", {{"host", "b"}}, time).Field("user", 10.0);
      rows.Row("log", {{"host", "a"}}, time).Field("text", "line " + std::to_string(i));
    }
    rows.Row("up", {{"job", "\"x\""}}, model::Timestamp{kNow * 1'000'000'000}).Field("value", 1.0);
    EXPECT_TRUE(store_.Write("default", rows.batch()).ok());
  }

  // An API over the same store, with limits of its own.
  QueryApi With(const ApiOptions& options = {}) {
    return QueryApi({.store = &store_,
                     .scheduler = nullptr,
                     .clock = &clock_,
                     .rules = nullptr,
                     .execute = &engine::Execute,
                     .metadata = nullptr},
                    options);
  }

  static text::Params Form(std::string_view form) {
    text::Params params;
    EXPECT_TRUE(text::ParseForm(form, &params).ok()) << form;
    return params;
  }

  Reply Call(Reply (QueryApi::*handler)(const ApiRequest&) const, std::string_view form, std::string_view db = "") {
    const text::Params params = Form(form);
    return (api_.*handler)({.params = params, .database = db, .filter = storage::SeriesFilter::Everything()});
  }
  Reply Values(std::string_view name, std::string_view form = "") {
    const text::Params params = Form(form);
    return api_.LabelValues({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}, name);
  }

  MemoryStore store_;
  ManualClock clock_{kNow * 1'000'000'000};
  QueryApi api_ = With();
};

}  // namespace tidemark::query::api
