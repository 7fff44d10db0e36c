#include "storage/base/printable.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(PrintableTest, WhatATerminalWouldObeyIsWrittenOut) {
  EXPECT_EQ(Printable("plain text, ä and 雪 and 🙂"), "plain text, ä and 雪 and 🙂");
  EXPECT_EQ(Printable("\x1b[2J\n\t"), "\\x1b[2J\\x0a\\x09");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\x7f\xc2\x9b"
                      "1m"),
            "\\x7f\\xc2\\x9b1m")
      << "U+009B begins a sequence as ESC [ does";
  EXPECT_EQ(Printable("\xb6\xff\xc3("), "\\xb6\\xff\\xc3(");
  EXPECT_EQ(Printable("\xc2\xa0"), "\xc2\xa0") << "a space that does not break";
}

}  // namespace
}  // namespace tidemark
