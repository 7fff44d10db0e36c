#include "tools/server/http/stream_coding.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <string>
#include <vector>

namespace tidemark::http {
namespace {

// What a browser makes of it: one member, nothing behind it.
std::string Gunzip(const std::string& bytes) {
  z_stream state{};
  EXPECT_EQ(inflateInit2(&state, 15 + 16), Z_OK);
  std::string in = bytes;
  state.next_in = reinterpret_cast<Bytef*>(in.data());
  state.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::vector<unsigned char> chunk(10'000);
  int result = Z_OK;
  while (result == Z_OK) {
    state.next_out = chunk.data();
    state.avail_out = static_cast<uInt>(chunk.size());
    result = inflate(&state, Z_NO_FLUSH);
    out.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - state.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  EXPECT_EQ(state.avail_in, 0U);
  inflateEnd(&state);
  return out;
}

std::string Unzstd(const std::string& bytes) {
  ZSTD_DStream* const state = ZSTD_createDStream();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  std::vector<char> chunk(10'000);
  size_t left = 1;
  while (left != 0) {
    ZSTD_outBuffer to{chunk.data(), chunk.size(), 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(state, &to, &in);
    if (ZSTD_isError(left) != 0 || (to.pos == 0 && in.pos == before)) {
      ADD_FAILURE() << "damaged or cut short";
      break;
    }
    out.append(chunk.data(), to.pos);
  }
  EXPECT_EQ(in.pos, bytes.size());
  ZSTD_freeDStream(state);
  return out;
}

TEST(StreamCodingTest, ChoosesWhatTheClientTakes) {
  EXPECT_EQ(CodingFor(""), Coding::kIdentity);
  EXPECT_EQ(CodingFor("br, deflate"), Coding::kIdentity);
  EXPECT_EQ(CodingFor("gzip"), Coding::kGzip);
  EXPECT_EQ(CodingFor("GZIP ; q=0.1"), Coding::kGzip);
  EXPECT_EQ(CodingFor("gzip, deflate, br, zstd"), Coding::kZstd);
  EXPECT_EQ(CodingFor("gzip;q=1.0, zstd;q=0.5"), Coding::kGzip);
  EXPECT_EQ(CodingFor("gzip;q=0, identity"), Coding::kIdentity);
  EXPECT_EQ(CodingFor("zstd;q=0,gzip"), Coding::kGzip);
  EXPECT_EQ(CodingFor(",,;q=1,zstdx"), Coding::kIdentity);
}

TEST(StreamCodingTest, WhatGoesInPieceByPieceComesOut) {
  std::mt19937 random(7);
  for (const size_t pieces : {size_t{0}, size_t{1}, size_t{50}}) {
    const std::unique_ptr<StreamCoder> gzip = MakeStreamCoder(Coding::kGzip);
    const std::unique_ptr<StreamCoder> zstd = MakeStreamCoder(Coding::kZstd);
    std::string text;
    std::string gzipped;
    std::string zstded;
    for (size_t i = 0; i < pieces; ++i) {
      std::string piece;
      const size_t bytes = random() % 100'000;  // empty ones too, and larger than a chunk of either
      while (piece.size() < bytes) piece += "[1700000000,\"" + std::to_string(random() % 1000) + "\"],";
      if (i % 7 == 0) piece.clear();
      text += piece;
      gzipped += gzip->Code(piece, false);
      zstded += zstd->Code(piece, false);
    }
    gzipped += gzip->Code({}, true);
    zstded += zstd->Code({}, true);
    EXPECT_EQ(Gunzip(gzipped), text);
    EXPECT_EQ(Unzstd(zstded), text);
    if (pieces == 50) {
      EXPECT_LT(gzipped.size() * 3, text.size());
      EXPECT_LT(zstded.size() * 3, text.size());
    }
  }
}

// Takes everything, until it is told that the client is gone.
class CollectedStream final : public ReplyStream {
 public:
  bool Push(std::string bytes) override {
    if (gone) return false;
    text += bytes;
    return true;
  }
  bool TryPush(std::string bytes) override { return Push(std::move(bytes)); }
  void Finish() override { ++finished; }
  [[nodiscard]] bool closed() const override { return gone || finished > 0; }

  std::string text;
  int finished = 0;
  bool gone = false;
};

TEST(StreamCodingTest, ACodedStreamEndsOnce) {
  const auto inner = std::make_shared<CollectedStream>();
  const auto stream = MakeCodedStream(inner, MakeStreamCoder(Coding::kGzip));
  EXPECT_TRUE(stream->Push("one "));
  EXPECT_TRUE(stream->TryPush("two"));
  stream->Finish();
  stream->Finish();
  EXPECT_FALSE(stream->Push("three"));
  EXPECT_EQ(inner->finished, 1);
  EXPECT_TRUE(stream->closed());
  EXPECT_EQ(Gunzip(inner->text), "one two");
}

TEST(StreamCodingTest, AClientThatIsGoneIsToldOf) {
  const auto inner = std::make_shared<CollectedStream>();
  const auto stream = MakeCodedStream(inner, MakeStreamCoder(Coding::kZstd));
  EXPECT_TRUE(stream->Push("one"));
  inner->gone = true;
  // Nothing of it need come out of the coder for the producer to hear of it.
  EXPECT_FALSE(stream->Push("two"));
  stream->Finish();
  EXPECT_EQ(inner->finished, 1);
}

}  // namespace
}  // namespace tidemark::http
