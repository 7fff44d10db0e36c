#include "clients/sink/line_protocol_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "ingest/lineprotocol/parser.h"

namespace tidemark::sink {
namespace {

TEST(LineProtocolText, EscapesWhatNeedsIt) {
  model::BatchBuilder builder;
  builder.Row("my, m", {{"t k", "a=b,c"}}, {5}).Field("f 1", 1.5).Field("s", "say \"hi\\\"").Field("n", int64_t{-3});
  builder.Row("m", {}, {6}).Field("u", uint64_t{7}).Field("b", true);
  std::string text;
  ASSERT_TRUE(AppendLineProtocol(builder.batch(), &text).ok());
  EXPECT_EQ(text,
            "my\\,\\ m,t\\ k=a\\=b\\,c f\\ 1=1.5,s=\"say \\\"hi\\\\\\\"\",n=-3i 5\n"
            "m u=7u,b=true 6\n");
  model::Batch parsed;
  EXPECT_EQ(lineprotocol::Parse(text, {}, &parsed).lines_bad, 0U);
  EXPECT_EQ(parsed.points(), 5U);
}

TEST(LineProtocolText, WhatItCannotCarryIsLeftOut) {
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("nan", std::numeric_limits<double>::quiet_NaN()).Field("x", 1.0);
  builder.Row("m", {}, {2}).Field("inf", std::numeric_limits<double>::infinity());
  std::string text;
  ASSERT_TRUE(AppendLineProtocol(builder.batch(), &text).ok());
  EXPECT_EQ(text, "m x=1 1\n");
}

}  // namespace
}  // namespace tidemark::sink
