#include "clients/cpp/point.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidemark::client {
namespace {

std::string Line(const Point& point) {
  EXPECT_EQ(point.error(), "");
  std::string out;
  point.AppendTo(point.time_ns(), &out);
  return out;
}

TEST(Point, EachTypeIsWrittenAsItself) {
  Point point("m");
  point.Tag("host", "a")
      .Field("f", 1.5)
      .Field("i", -3)
      .Field("u", uint64_t{18446744073709551615U})
      .Field("b", true)
      .Field("s", "x")
      .Time(42);
  EXPECT_EQ(Line(point), "m,host=a f=1.5,i=-3i,u=18446744073709551615u,b=true,s=\"x\" 42\n");
}

TEST(Point, FloatsKeepAllTheirDigits) {
  EXPECT_EQ(Line(Point("m").Field("f", 0.1).Time(1)), "m f=0.1 1\n");
  EXPECT_EQ(Line(Point("m").Field("f", 1e300).Time(1)), "m f=1e+300 1\n");
  EXPECT_EQ(Line(Point("m").Field("f", 5e-324).Time(-1)), "m f=5e-324 -1\n");
}

TEST(Point, SpecialCharactersAreEscapedWhereTheyAreSpecial) {
  Point point("a b,c=d");
  point.Tag("t a,g=", "v a,l=").Field("f i,e=", "say \"hi\" \\ \n, = ").Time(7);
  EXPECT_EQ(Line(point), "a\\ b\\,c=d,t\\ a\\,g\\==v\\ a\\,l\\= f\\ i\\,e\\==\"say \\\"hi\\\" \\\\ \n, = \" 7\n");
}

TEST(Point, WhatCannotBeSentIsLeftOut) {
  Point point("m");
  point.Tag("empty", "").Field("nan", std::numeric_limits<double>::quiet_NaN()).Field("v", 1).Time(1);
  EXPECT_EQ(Line(point), "m v=1i 1\n");
  EXPECT_NE(Point("m").Field("inf", -std::numeric_limits<double>::infinity()).error(), "");
}

TEST(Point, WhatWouldBeAnotherPointIsRefused) {
  EXPECT_NE(Point("").Field("v", 1).error(), "");
  EXPECT_NE(Point("#m").Field("v", 1).error(), "");
  EXPECT_NE(Point("m").error(), "");
  EXPECT_NE(Point("m\nx v=1").Field("v", 1).error(), "");
  EXPECT_NE(Point("m").Tag("t", "a\\").Field("v", 1).error(), "");
  EXPECT_NE(Point("m").Tag("t", "a\nb").Field("v", 1).error(), "");
  EXPECT_NE(Point("m").Tag("", "a").Field("v", 1).error(), "");
  EXPECT_NE(Point("m").Field("", 1).error(), "");
  EXPECT_NE(Point("m").Field("v\\", 1).Field("w", 1).error(), "") << "the first fault stays";
}

TEST(Point, ResetForgetsAll) {
  Point point("");
  point.Time(3);
  point.Reset("m").Field("v", 1);
  EXPECT_FALSE(point.has_time());
  EXPECT_EQ(point.error(), "");
}

}  // namespace
}  // namespace tidemark::client
