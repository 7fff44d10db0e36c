// Data directories of Prometheus, made by Debian's promtool where it is there, and logs made by hand.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <snappy.h>
#include <sys/file.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/model/stale_marker.h"
#include "tests/temp_directory.h"
#include "tools/cli/transfer/prometheus/block.h"
#include "tools/cli/transfer/prometheus/chunk.h"
#include "tools/cli/transfer/prometheus/crc32c.h"
#include "tools/cli/transfer/prometheus/tsdb_reader.h"
#include "tools/cli/transfer/prometheus/wal.h"

namespace tidemark::cli::prometheus {
namespace {

constexpr int64_t kT0 = 1'700'000'000'000;

// By series, as text, and time in ms.
using Points = std::map<std::string, std::map<int64_t, uint64_t>>;

uint64_t Bits(double value) { return std::bit_cast<uint64_t>(value); }

class Prometheus : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }

  [[nodiscard]] Result<Points> Read() {
    TM_TRY_ASSIGN(const auto reader, OpenTsdb(folder_));
    Points out;
    for (transfer::Piece piece;;) {
      TM_TRY_ASSIGN(const bool more, reader->Next(&piece));
      if (!more) break;
      EXPECT_EQ(piece.field, "value");
      auto& series = out[piece.measurement + model::ToString(piece.tags)];
      for (size_t row = 0; row < piece.size(); ++row) {
        series[piece.times_ns[row] / 1'000'000] = piece.bits[row];
        ++rows_;
      }
    }
    skipped_ = reader->skipped();
    conflicts_ = reader->conflicts();
    return out;
  }

  TempDirectory directory_;
  const std::string& folder_ = directory_.path();
  size_t rows_ = 0;
  std::vector<Skipped> skipped_;
  std::vector<std::string> conflicts_;
};

// One record of a log as a fragment of its own.
std::string Framed(const std::string& record, uint8_t flags = 0) {
  std::string data = record;
  if (flags == 8) snappy::Compress(record.data(), record.size(), &data);
  std::string out(1, static_cast<char>(1 | flags));
  PutBig(&out, static_cast<uint16_t>(data.size()));
  PutBig(&out, Crc32c(data));
  return out + data;
}

std::string SeriesRecord(uint64_t number, const model::Labels& labels) {
  std::string out(1, '\x01');
  PutBig(&out, number);
  PutVarint(&out, labels.size());
  for (const model::Label& label : labels) {
    PutString(&out, label.name);
    PutString(&out, label.value);
  }
  return out;
}

std::string SamplesRecord(uint64_t number, const std::vector<Sample>& samples) {
  std::string out(1, '\x02');
  PutBig(&out, number);
  PutBig(&out, static_cast<uint64_t>(samples.front().time_ms));
  for (const Sample& sample : samples) {
    PutSignedVarint(&out, 0);
    PutSignedVarint(&out, sample.time_ms - samples.front().time_ms);
    PutBig(&out, sample.bits);
  }
  return out;
}

TEST_F(Prometheus, ALogGivesItsSamplesBack) {
  const model::Labels labels{{"__name__", "up"}, {"job", "a b"}};
  const std::vector<Sample> samples{
      {kT0, Bits(1)}, {kT0 + 15'000, Bits(-0.0)}, {kT0 + 30'000, model::kStaleMarkerBits}, {-5, Bits(INFINITY)}};
  std::string log = Framed(SeriesRecord(7, labels)) + Framed(SamplesRecord(7, samples), 8);
  // What belongs to samples, a histogram, and a kind that nobody knows.
  log += Framed(std::string("\x04") + "x") + Framed(std::string("\x07") + "x") + Framed(std::string("\x63") + "x");
  Write("wal/00000003", log);
  const auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  Points want;
  for (const Sample& sample : samples) want["up{job=\"a b\"}"][sample.time_ms] = sample.bits;
  EXPECT_EQ(*points, want);
  ASSERT_EQ(skipped_.size(), 2U);
  EXPECT_EQ(skipped_[0].count, 1U) << skipped_[0].what;
  EXPECT_EQ(skipped_[1].count, 1U) << skipped_[1].what;
}

TEST_F(Prometheus, DeletionsInTheLogHold) {
  std::string deleted(1, '\x03');
  PutBig(&deleted, uint64_t{7});
  PutSignedVarint(&deleted, kT0 + 1);
  PutSignedVarint(&deleted, kT0 + 2);
  Write("wal/00000000", Framed(SeriesRecord(7, {{"__name__", "m"}})) +
                            Framed(SamplesRecord(7, {{kT0, 1}, {kT0 + 1, 2}, {kT0 + 2, 3}, {kT0 + 3, 4}})) +
                            Framed(deleted));
  const auto points = Read();
  ASSERT_TRUE(points.ok());
  EXPECT_EQ(*points, (Points{{"m{}", {{kT0, 1}, {kT0 + 3, 4}}}}));
  ASSERT_EQ(skipped_.size(), 1U);
  EXPECT_EQ(skipped_[0].count, 2U);
  EXPECT_TRUE(skipped_[0].harmless);
}

TEST_F(Prometheus, ACheckpointIsReadInPlaceOfTheFilesBeforeIt) {
  Write("wal/checkpoint.00000002/00000000",
        Framed(SeriesRecord(1, {{"__name__", "m"}})) + Framed(SamplesRecord(1, {{1, 1}})));
  Write("wal/checkpoint.00000003.tmp/00000000", "half");
  Write("wal/00000001", Framed(SamplesRecord(1, {{9, 9}})));
  Write("wal/00000002", Framed(SamplesRecord(1, {{9, 9}})));
  Write("wal/00000003", Framed(SamplesRecord(1, {{2, 2}})));
  const auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(*points, (Points{{"m{}", {{1, 1}, {2, 2}}}}));
}

TEST_F(Prometheus, ARecordOfSeveralPagesIsPutTogether) {
  std::vector<Sample> samples;
  for (int64_t i = 0; i < 5'000; ++i) samples.push_back({kT0 + i, static_cast<uint64_t>(i)});
  const std::string record = SamplesRecord(1, samples);
  std::string log = Framed(SeriesRecord(1, {{"__name__", "m"}}));
  size_t at = 0;
  while (at < record.size()) {
    const size_t left = 32768 - log.size() % 32768;
    if (left <= 7) {
      log.append(left, '\0');
      continue;
    }
    const std::string part = record.substr(at, left - 7);
    const bool first = at == 0;
    at += part.size();
    const int type = first ? 2 : at == record.size() ? 4 : 3;
    log += static_cast<char>(type);
    PutBig(&log, static_cast<uint16_t>(part.size()));
    PutBig(&log, Crc32c(part));
    log += part;
  }
  Write("wal/00000000", log);
  const auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(points->at("m{}").size(), samples.size());
}

TEST_F(Prometheus, ATornEndIsNoDamageAndAFlippedBitIs) {
  const std::string begin = Framed(SeriesRecord(1, {{"__name__", "m"}})) + Framed(SamplesRecord(1, {{1, 1}}));
  const std::string more = Framed(SamplesRecord(1, {{2, 2}}));
  Write("wal/00000000", begin + more.substr(0, more.size() - 1));
  auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(*points, (Points{{"m{}", {{1, 1}}}}));
  // The same in a file that others follow.
  Write("wal/00000001", begin);
  EXPECT_EQ(Read().error().code, ErrorCode::kCorruption);
  std::string flipped = begin + std::string(40'000, '\0') + begin;
  flipped[10] = static_cast<char>(flipped[10] ^ 1);
  Write("wal/00000000", flipped);
  Write("wal/00000001", "");
  points = Read();
  ASSERT_FALSE(points.ok());
  EXPECT_NE(points.error().message.find("at byte 0"), std::string::npos) << points.error().message;
}

TEST_F(Prometheus, AFolderWithoutAnythingIsRefused) {
  EXPECT_EQ(Read().error().code, ErrorCode::kNotFound);
  Write("wal/00000001", "");
  Write("wal/00000003", "");
  EXPECT_EQ(Read().error().code, ErrorCode::kCorruption) << "a file of the log is missing";
}

TEST_F(Prometheus, BytesOfATornEndAreTold) {
  const std::string begin = Framed(SeriesRecord(1, {{"__name__", "m"}})) + Framed(SamplesRecord(1, {{1, 1}}));
  const std::string more = Framed(SamplesRecord(1, {{2, ~uint64_t{0}}}));
  // Cut in the record, and in its head; what a crash leaves behind it is zeros.
  for (const auto& [bytes, zeros] :
       {std::pair{more.size() - 1, 0}, std::pair{more.size() - 1, 500}, std::pair{size_t{3}, 0}}) {
    Write("wal/00000000", begin + more.substr(0, bytes) + std::string(static_cast<size_t>(zeros), '\0'));
    const auto points = Read();
    ASSERT_TRUE(points.ok()) << points.error().message;
    EXPECT_EQ(*points, (Points{{"m{}", {{1, 1}}}}));
    ASSERT_EQ(skipped_.size(), 1U) << bytes;
    EXPECT_EQ(skipped_[0].count, bytes) << skipped_[0].what;
    EXPECT_TRUE(skipped_[0].harmless);
  }
  // An end that is none.
  Write("wal/00000000", begin + std::string(500, '\0'));
  ASSERT_TRUE(Read().ok());
  EXPECT_TRUE(skipped_.empty());
}

TEST_F(Prometheus, APartOfABlockIsNamed) {
  Write("wal/00000000", Framed(SeriesRecord(1, {{"__name__", "m"}})) + Framed(SamplesRecord(1, {{1, 1}})));
  const auto skipped = [&] {
    EXPECT_TRUE(Read().ok());
    std::string out;
    for (const Skipped& one : skipped_) out += one.harmless ? "" : one.what + '\n';
    return out;
  };
  EXPECT_EQ(skipped(), "");
  // What Prometheus keeps beside its blocks, and one that it has not finished.
  Write("chunks_head/000001", "x");
  Write("chunk_snapshot.000001.0000000000/00000000", "x");
  Write("01HGZZZZZZZZZZZZZZZZZZZZZZ.tmp-for-creation/index", "x");
  EXPECT_EQ(skipped(), "");
  Write("a/chunks/000001", "x");
  EXPECT_EQ(skipped(), "block: " + folder_ + "/a: there is no index and no meta.json in it\n");
  Write("a/meta.json", "{}");
  EXPECT_EQ(skipped(), "block: " + folder_ + "/a: there is no index in it\n");
  std::filesystem::remove(folder_ + "/a/meta.json");
  Write("a/index", "x");
  EXPECT_EQ(skipped(), "block: " + folder_ + "/a: there is no meta.json in it\n");
  std::filesystem::remove_all(folder_ + "/a");
  Write("01HGZZZZZZZZZZZZZZZZZZZZZZ/tombstones", "x");
  EXPECT_NE(skipped(), "") << "a folder with the name of a block";
  // A link that leads nowhere is an index that cannot be read.
  Write("b/meta.json", "{}");
  std::filesystem::create_symlink("index", folder_ + "/b/index");
  EXPECT_FALSE(Read().ok());
  // Nothing else is there.
  std::filesystem::remove_all(folder_ + "/b");
  std::filesystem::remove_all(folder_ + "/wal");
  EXPECT_EQ(Read().error().code, ErrorCode::kCorruption);
}

TEST_F(Prometheus, AFolderThatAPrometheusHasIsRefused) {
  Write("wal/00000000", Framed(SeriesRecord(1, {{"__name__", "m"}})) + Framed(SamplesRecord(1, {{1, 1}})));
  // One that a crash has left is nobody's.
  Write("lock", "");
  EXPECT_TRUE(Read().ok());
  const int lock = ::open((folder_ + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(Read().error().code, ErrorCode::kUnavailable);
  ::close(lock);
  EXPECT_TRUE(Read().ok());
}

TEST(PrometheusCrc, IsCastagnoli) { EXPECT_EQ(Crc32c("123456789"), 0xe3069283U); }

TEST(PrometheusChunk, OneThatEndsEarlyIsRefused) {
  std::vector<Sample> samples;
  EXPECT_FALSE(ReadXorChunk("", &samples).ok());
  EXPECT_FALSE(ReadXorChunk(std::string("\0\1", 2), &samples).ok());
  EXPECT_FALSE(ReadXorChunk(std::string("\0\2\0ABCDEFGH\1", 12), &samples).ok());
}

// Makes blocks of OpenMetrics text with Debian's promtool.
bool MakeBlocks(const std::string& folder, const std::string& text) {
  std::ofstream(folder + "/metrics.txt") << text << "# EOF\n";
  const std::string command =
      fmt::format("promtool tsdb create-blocks-from openmetrics {0}/metrics.txt {0} >{0}/promtool.log 2>&1", folder);
  const bool made = std::system(command.c_str()) == 0;
  std::filesystem::remove(folder + "/metrics.txt");
  std::filesystem::remove(folder + "/promtool.log");
  return made;
}

TEST_F(Prometheus, BlocksOfPromtoolGiveEverySampleBack) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "promtool is not installed";
  Points want;
  std::string text = "# TYPE m gauge\n";
  // Five hours, so that there are several blocks; steps and values with what the encoding knows of.
  for (int series = 0; series < 3; ++series) {
    for (int64_t i = 0; i < 1200; ++i) {
      const int64_t ms = kT0 + i * 15'000 + (i % 7 == 0 ? i : 0) + series;
      const double value = series == 0   ? static_cast<double>(i)
                           : series == 1 ? std::sin(static_cast<double>(i)) * 1e10
                           : i % 11 == 0 ? -INFINITY
                           : i % 13 == 0 ? -0.0
                                         : 1.5;
      text += fmt::format("m{{n=\"{}\",text=\"a\\\"b\\\\c\\nd\"}} {} {}.{:03}\n", series,
                          std::isinf(value) ? "-Inf" : fmt::format("{:.17g}", value), ms / 1000, ms % 1000);
      want[fmt::format("m{{n=\"{}\", text=\"a\\\"b\\\\c\\nd\"}}", series)][ms] = Bits(value);
    }
  }
  ASSERT_TRUE(MakeBlocks(folder_, text));
  const auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(rows_, 3600U);
  EXPECT_EQ(*points, want);
  EXPECT_TRUE(skipped_.empty());
  // One bit of a chunk.
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::fstream chunks(entry.path().string() + "/chunks/000001", std::ios::in | std::ios::out | std::ios::binary);
    chunks.seekp(40);
    const auto byte = static_cast<char>(chunks.peek() ^ 4);
    chunks.seekp(40);
    chunks.put(byte);
  }
  const auto damaged = Read();
  ASSERT_FALSE(damaged.ok());
  EXPECT_NE(damaged.error().message.find("checksum does not agree"), std::string::npos) << damaged.error().message;
}

TEST_F(Prometheus, BlocksThatOverlapAreMergedAndTombstonesHold) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "promtool is not installed";
  ASSERT_TRUE(MakeBlocks(folder_, "# TYPE m gauge\nm 1 1700000000\nm 2 1700000015\nm 3 1700000030\n"));
  std::string first;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) first = entry.path();
  ASSERT_TRUE(MakeBlocks(folder_, "# TYPE m gauge\nm 2 1700000015\nm 9 1700000030\nm 4 1700000045\n"));
  auto points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(points->at("m{}"), (std::map<int64_t, uint64_t>{{1'700'000'000'000, Bits(1)},
                                                            {1'700'000'015'000, Bits(2)},
                                                            {1'700'000'030'000, Bits(9)},
                                                            {1'700'000'045'000, Bits(4)}}));
  ASSERT_EQ(skipped_.size(), 2U);
  EXPECT_TRUE(skipped_[0].harmless) << skipped_[0].what;
  EXPECT_FALSE(skipped_[1].harmless) << skipped_[1].what;
  ASSERT_EQ(conflicts_.size(), 1U);
  EXPECT_TRUE(conflicts_[0].starts_with("m at 2023-11-14T22:13:50Z: an earlier block has 3, block ")) << conflicts_[0];
  EXPECT_TRUE(conflicts_[0].ends_with(" 9")) << conflicts_[0];
  // The first block's only series, whose number is its place in the index.
  std::string body;
  PutVarint(&body, [&] {
    std::ifstream index(first + "/index", std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(index), {}};
    // Series begin at the next multiple of 16.
    return (LoadBig<uint64_t>(bytes.data() + bytes.size() - 52 + 8) + 15) / 16;
  }());
  PutSignedVarint(&body, 1'700'000'000'000);
  PutSignedVarint(&body, 1'700'000'000'000);
  std::string file;
  PutBig(&file, uint32_t{0x0130ba30});
  file += '\x01' + body;
  PutBig(&file, Crc32c(body));
  std::ofstream(first + "/tombstones", std::ios::binary) << file;
  points = Read();
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(points->at("m{}").count(1'700'000'000'000), 0U);
  EXPECT_EQ(points->at("m{}").size(), 3U);
}

}  // namespace
}  // namespace tidemark::cli::prometheus
