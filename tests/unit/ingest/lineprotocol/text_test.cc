#include "ingest/lineprotocol/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tidemark::lineprotocol {
namespace {

// Every byte value, at every position of a run that is longer than two vectors, with every length behind it.
TEST(Text, KeyStopIsTheFirstOfItsSet) {
  for (int c = 0; c < 256; ++c) {
    for (size_t at : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{31}, size_t{32}, size_t{70}}) {
      std::string text(at, 'x');
      text += static_cast<char>(c);
      text.append(40, 'y');
      const bool stop = c == ' ' || c == '\\' || c == '\n';
      for (size_t size : {at + 1, text.size()}) {
        const char* const end = text.data() + size;
        EXPECT_EQ(FindKeyStop(text.data(), end), stop ? text.data() + at : end) << c << " at " << at;
      }
    }
  }
}

TEST(Text, StringStop) {
  const std::string text = std::string(37, 'x') + "\xC3\xA9" + std::string(20, 'y') + "\"\xC3";
  const char* const end = text.data() + text.size();
  EXPECT_EQ(FindStringStop(text.data(), end).at, text.data() + 59);
  EXPECT_FALSE(FindStringStop(text.data(), end).ascii);
  EXPECT_TRUE(FindStringStop(text.data() + 39, end).ascii);
  EXPECT_TRUE(FindStringStop(text.data() + 39, end - 1).ascii);
  EXPECT_EQ(FindStringStop(text.data(), text.data() + 37).at, text.data() + 37);
  EXPECT_TRUE(FindStringStop(text.data(), text.data() + 37).ascii);
  EXPECT_FALSE(FindStringStop(text.data(), text.data() + 38).ascii);
  for (size_t at = 0; at < 40; ++at) {
    std::string escape(at, 'x');
    escape += '\\';
    escape.append(20, '\xFF');
    const StringStop stop = FindStringStop(escape.data(), escape.data() + escape.size());
    EXPECT_EQ(stop.at, escape.data() + at);
    EXPECT_TRUE(stop.ascii) << at;
  }
}

}  // namespace
}  // namespace tidemark::lineprotocol
