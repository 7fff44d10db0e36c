// Lines as native batches: what the server reads of them is what it would have read of the lines.
#include "clients/cpp/native_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clients/cpp/line_reader.h"
#include "clients/cpp/point.h"
#include "ingest/lineprotocol/decoder.h"
#include "ingest/native/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "storage/model/series_key.h"
#include "tests/test_seed.h"

namespace tidemark::client {
namespace {

// The rows of a batch, each as text, sorted.
std::vector<std::string> RowsOf(const model::Batch& batch) {
  std::vector<std::string> out;
  Arena arena;
  for (const model::Row& row : batch.rows) {
    const auto key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena).value();
    std::string text = std::to_string(row.time.ns) + " " + std::string(key.measurement);
    for (const auto& tag : key.tags) text += "|" + std::string(tag.name) + "|" + std::string(tag.value);
    const model::Shape& shape = batch.shapes[row.shape];
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      const auto value = model::ValueOf(batch, shape.fields[f].type, row.first_value + f);
      text += " " + std::string(shape.fields[f].name) + "=";
      std::visit(
          [&](const auto& held) {
            using T = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<T, std::string>) {
              text += "\"" + held + "\"";
            } else if constexpr (std::is_same_v<T, double>) {
              char digits[40];
              std::snprintf(digits, sizeof(digits), "%a", held);
              text += digits;
            } else {
              text += std::to_string(held) + (std::is_same_v<T, uint64_t> ? "u" : std::is_same_v<T, bool> ? "b" : "i");
            }
          },
          value);
    }
    out.push_back(std::move(text));
  }
  std::sort(out.begin(), out.end());
  return out;
}

class NativeEncoderTest : public testing::Test {
 protected:
  // The rows that the server reads of what was encoded; "409" when it does not know the series.
  std::vector<std::string> Read(const NativeBody& body) {
    model::Batch batch;
    const auto decoded = server_->Decode(body.bytes, {.sender = "t", .dictionaries = book_.get()}, &batch);
    if (!decoded.ok())
      return {decoded.error().code == ::tidemark::ErrorCode::kNotFound ? std::string("409") : decoded.error().message};
    EXPECT_FALSE(decoded->refused()) << server_->Describe({});
    EXPECT_EQ(body.line_of_row.size(), batch.rows.size());
    return RowsOf(batch);
  }
  static std::vector<std::string> ReadLines(const std::string& lines) {
    model::Batch batch;
    const auto decoder = lineprotocol::MakeDecoder();
    EXPECT_FALSE(decoder->Decode(lines, {}, &batch)->refused()) << lines;
    return RowsOf(batch);
  }

  std::unique_ptr<ingest::Decoder> server_ = native::MakeDecoder();
  std::unique_ptr<native::DictionaryBook> book_ = std::make_unique<native::DictionaryBook>();
  NativeEncoder encoder_{"client"};
  NativeBody body_;
};

TEST_F(NativeEncoderTest, LinesArriveAsTheyWere) {
  const std::string lines =
      "cpu,host=a user=1.5,n=3i,u=18446744073709551615u,ok=true,t=\"a \\\"b\\\" \\\\ c, d\" 1000\n"
      "cpu,zone=z,host=a user=0.25,n=-9223372036854775808i,u=0u,ok=F,t=\"\" 2000\n"
      "c\\ p\\,u,a\\=b=x\\ y n=1i 3000\n"
      "cpu,host=a user=1e300 4000\n"
      "cpu,host=a user=-0 5000\n"
      "cpu,host=a user=.5 -6000\n"
      "cpu,host=a user=123456789.123456789 7000\n"
      "mem used=5i 8000";
  ASSERT_TRUE(encoder_.Encode(lines, false, &body_));
  EXPECT_EQ(Read(body_), ReadLines(lines));
}

TEST_F(NativeEncoderTest, SeriesAreNamedOnce) {
  ASSERT_TRUE(encoder_.Encode("a,h=1 v=1i 1\nb v=1i 1\n", false, &body_));
  const size_t first = body_.bytes.size();
  EXPECT_EQ(Read(body_).size(), 2U);
  encoder_.Acknowledge();
  ASSERT_TRUE(encoder_.Encode("a,h=1 v=1i 2\nb v=1i 2\n", false, &body_));
  EXPECT_LT(body_.bytes.size(), first);
  EXPECT_EQ(Read(body_).size(), 2U);
  encoder_.Acknowledge();
  ASSERT_TRUE(encoder_.Encode("c v=1i 2\nb v=1i 3\n", false, &body_));
  EXPECT_EQ(Read(body_), ReadLines("c v=1i 2\nb v=1i 3\n"));
}

TEST_F(NativeEncoderTest, WhatWasNotAcknowledgedIsNamedAgain) {
  ASSERT_TRUE(encoder_.Encode("a v=1i 1\n", false, &body_));
  // The request did not get there; the next does, and its answer gets lost; the third finds the series there.
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_TRUE(encoder_.Encode("a v=1i 1\nb v=2i 1\n", false, &body_));
    if (attempt > 0) {
      EXPECT_EQ(Read(body_).size(), 2U);
    }
  }
}

TEST_F(NativeEncoderTest, AServerThatHasForgottenIsToldAll) {
  ASSERT_TRUE(encoder_.Encode("a v=1i 1\n", false, &body_));
  EXPECT_EQ(Read(body_).size(), 1U);
  encoder_.Acknowledge();
  book_ = std::make_unique<native::DictionaryBook>();
  ASSERT_TRUE(encoder_.Encode("a v=1i 2\n", false, &body_));
  EXPECT_EQ(Read(body_), std::vector<std::string>{"409"});
  encoder_.Forget();
  ASSERT_TRUE(encoder_.Encode("a v=1i 2\n", false, &body_));
  EXPECT_EQ(Read(body_), ReadLines("a v=1i 2\n"));
  // One that stands for itself leaves nothing behind.
  ASSERT_TRUE(encoder_.Encode("x v=1i 2\n", true, &body_));
  EXPECT_EQ(Read(body_), ReadLines("x v=1i 2\n"));
}

TEST_F(NativeEncoderTest, WhatItDoesNotUnderstandIsLeftToTheServer) {
  for (const char* lines :
       {"cpu user=1i\n", "cpu user= 1000\n", "cpu,host user=1i 1000\n", "# a comment\n", "\n",
        "cpu user=1i,user=2i 1000\n", "cpu,a=1,a=2 user=1i 1000\n", "cpu user=\"open 1000\n", "cpu user=NaN 1000\n",
        "cpu user=1i 1000 2\n", ",a=b v=1i 1\n", "cpu user=99999999999999999999i 1\n"}) {
    EXPECT_FALSE(encoder_.Encode(lines, false, &body_)) << lines;
  }
  ASSERT_TRUE(encoder_.Encode("cpu user=1i 1000\n", false, &body_));
  EXPECT_EQ(Read(body_).size(), 1U);
}

TEST_F(NativeEncoderTest, RowsKnowTheirLines) {
  ASSERT_TRUE(encoder_.Encode("a v=1i 1\nb w=1i 2\na v=2i 3\nb w=2i 4\n", false, &body_));
  EXPECT_EQ(body_.line_of_row, (std::vector<uint32_t>{0, 2, 1, 3}));
}

TEST_F(NativeEncoderTest, RandomPointsArriveAsTheyWere) {
  std::mt19937_64 random(TestSeed());
  const auto text = [&](bool may_be_empty) {
    constexpr std::string_view kPieces[] = {"a", ",", "=", " ", "\\", "\"", "é", "b", "#", "i"};
    std::string out;
    for (uint64_t i = may_be_empty ? random() % 4 : 1 + random() % 4; i > 0; --i)
      out += kPieces[random() % std::size(kPieces)];
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    std::string lines;
    for (int row = 0; row < 20; ++row) {
      Point point(text(false));
      for (uint64_t t = random() % 3; t > 0; --t) point.Tag("t" + std::to_string(t) + text(true), text(false));
      for (uint64_t f = 1 + random() % 4; f > 0; --f) {
        const std::string name = "f" + std::to_string(f) + text(true);
        switch (random() % 6) {
          case 0: point.Field(name, static_cast<int64_t>(random() >> random() % 64)); break;
          case 1: point.Field(name, random() >> random() % 64); break;
          case 2:
            point.Field(name, static_cast<double>(static_cast<int64_t>(random() % 2'000'000) - 1'000'000) / 100);
            break;
          case 3: point.Field(name, std::bit_cast<double>(random())); break;
          case 4: point.Field(name, random() % 2 == 0); break;
          default: point.Field(name, text(true));
        }
      }
      if (point.error().empty()) point.AppendTo(static_cast<int64_t>(random() % 1'000'000'000'000), &lines);
    }
    if (lines.empty()) continue;
    if (!encoder_.Encode(lines, random() % 2 == 0, &body_)) {
      // Only names that line protocol itself reads otherwise, or not at all.
      continue;
    }
    EXPECT_EQ(Read(body_), ReadLines(lines)) << lines;
    encoder_.Acknowledge();
  }
}

}  // namespace
}  // namespace tidemark::client
