// Masks alone: what they cut out of columns, and what of them is written down.
#include "storage/retention/mask.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <vector>

#include "storage/base/bytes.h"
#include "storage/database/journal_record.h"
#include "storage/index/index.h"
#include "storage/meta/mask_spec.h"
#include "storage/meta/meta_records.h"

namespace tidemark::storage {
namespace {

meta::MaskSpec Everything() {
  meta::MaskSpec spec;
  spec.selectors = {{{model::MatchOp::kEqual, "host", "a"}, {model::MatchOp::kNotRegex, "__name__", "x.*"}},
                    {{model::MatchOp::kRegex, "job", ""}, {model::MatchOp::kNotEqual, "", std::string("\0", 1)}}};
  spec.range = {{-5}, {7}};
  spec.fields = {"usage", ""};
  return spec;
}

TEST(MaskSpecTest, WhatIsWrittenIsRead) {
  for (const meta::MaskSpec& spec : {Everything(), meta::MaskSpec{}})
    EXPECT_EQ(*meta::DecodeMaskSpec(meta::EncodeMaskSpec(spec)), spec);
}

TEST(MaskSpecTest, TheExampleOfTheFormatHolds) {
  meta::MaskSpec spec;
  spec.selectors = {{{model::MatchOp::kEqual, "host", "a"}}};
  std::string hex;
  for (const char c : meta::EncodeMaskSpec(spec)) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex,
            "ffffffffffffffffff01"
            "feffffffffffffffff01"
            "00"
            "01"
            "01"
            "00"
            "04686f7374"
            "0161");
}

TEST(MaskSpecTest, DamageIsFound) {
  const std::string bytes = meta::EncodeMaskSpec(Everything());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(meta::DecodeMaskSpec(bytes.substr(0, size)).ok()) << size;
  EXPECT_FALSE(meta::DecodeMaskSpec(bytes + "x").ok());
  // An operator that nobody knows, and counts beyond the end.
  meta::MaskSpec one;
  one.selectors = {{{model::MatchOp::kEqual, "a", "b"}}};
  std::string unknown = meta::EncodeMaskSpec(one);
  unknown[unknown.size() - 5] = 9;
  EXPECT_FALSE(meta::DecodeMaskSpec(unknown).ok());
  std::string many;
  PutSignedVarint(&many, 0);
  PutSignedVarint(&many, 0);
  PutVarint(&many, ~uint64_t{0});
  EXPECT_FALSE(meta::DecodeMaskSpec(many).ok());
}

TEST(MaskSpecTest, TravelsInTheJournalAndInMeta) {
  const std::string spec = meta::EncodeMaskSpec(Everything());
  std::string bytes;
  database::EncodeRecord({.database = model::DatabaseId{3}, .definitions = {}, .batch = {}, .deletion = spec}, &bytes);
  auto record = database::DecodeRecord(bytes);
  ASSERT_TRUE(record.ok()) << record.error().message;
  EXPECT_EQ(record->database, model::DatabaseId{3});
  EXPECT_EQ(record->deletion, spec);
  EXPECT_TRUE(record->batch.empty());
  EXPECT_FALSE(database::DecodeRecord(bytes.substr(0, 2)).ok());
  const meta::MaskRecord mask{model::DatabaseId{3}, 77, spec};
  EXPECT_EQ(*meta::DecodeMaskRecord(Encode(mask)), mask);
}

TEST(MetaRecordsTest, OptionsThatCameLaterAreReadAndOlderRecordsToo) {
  meta::DatabaseRecord record{model::DatabaseId{3}, "telemetry", {}};
  record.options.max_bytes = uint64_t{1} << 40;
  record.options.selectors = {{{{model::MatchOp::kRegex, "__name__", "debug_.*"}}, kNsPerDay}};
  record.options.tiers = {{300'000'000'000, 90 * kNsPerDay}, {kNsPerHour, 0}};
  EXPECT_EQ(*meta::DecodeDatabaseRecord(Encode(record)), record);
  // Layout 1, as written before there were selectors.
  std::string old(1, '\x01');
  PutVarint(&old, 3);
  PutString(&old, "telemetry");
  PutSignedVarint(&old, kNsPerDay);
  PutSignedVarint(&old, 30 * kNsPerDay);
  PutSignedVarint(&old, 5);
  meta::Seal(&old);
  const auto decoded = meta::DecodeDatabaseRecord(old);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->options.retention_ns, 30 * kNsPerDay);
  EXPECT_TRUE(decoded->options.selectors.empty());
  EXPECT_EQ(decoded->options.max_bytes, 0U);
}

// An index with cpu{host=a,b,c} usage, and mem{host=a} used.
class MaskTest : public ::testing::Test {
 protected:
  MaskTest() : index_(index::Index::Create({})) {
    for (const char* host : {"a", "b", "c"}) {
      model::BatchBuilder builder;
      builder.Row("cpu", {{"host", host}}, {0}).Field("usage", 1.0);
      Note(builder.batch());
    }
    model::BatchBuilder builder;
    builder.Row("mem", {{"host", "a"}}, {0}).Field("used", 1.0);
    Note(builder.batch());
  }

  void Note(const model::Batch& batch) {
    const model::SeriesId series = index_->FindOrCreate(batch.rows[0].key).value();
    const model::ResolvedShape shape = index_->ResolveShape(batch.shapes[0]).value();
    index_->NoteFields({&series, 1}, shape.fields);
    refs_.push_back({shape.fields[0].id, series});
  }

  static std::vector<int64_t> TimesOf(const std::vector<model::Column>& pieces) {
    std::vector<int64_t> out;
    for (const model::Column& piece : pieces) {
      EXPECT_FALSE(piece.empty());
      for (size_t i = 0; i < piece.size(); ++i) out.push_back(piece.times[i]);
    }
    return out;
  }

  std::shared_ptr<const retention::Mask> Make(std::string host, model::TimeRange range, uint64_t number = 5) {
    meta::MaskSpec spec;
    spec.selectors = {{{model::MatchOp::kEqual, "host", std::move(host)}}};
    spec.range = range;
    return retention::Mask::Make(number, /*before_set=*/3, spec, *index_).value();
  }

  std::unique_ptr<index::Index> index_;
  std::vector<model::SeriesRef> refs_;  // cpu a, cpu b, cpu c, mem a
};

TEST_F(MaskTest, HoldsTheSeriesOfItsSelectors) {
  const auto mask = Make("a", {});
  EXPECT_TRUE(mask->refs().Contains(refs_[0]));
  EXPECT_FALSE(mask->refs().Contains(refs_[1]));
  EXPECT_TRUE(mask->refs().Contains(refs_[3]));
  EXPECT_EQ(mask->refs().size(), 2U);
  meta::MaskSpec named;
  named.selectors = {{{model::MatchOp::kEqual, "host", "a"}}};
  named.fields = {"used"};
  const retention::RefSet refs = retention::RefSet::Select(named, *index_, true).value();
  EXPECT_FALSE(refs.Contains(refs_[0]));
  EXPECT_TRUE(refs.Contains(refs_[3]));
}

TEST_F(MaskTest, AnOpenEndLeavesOutWhatComesLater) {
  meta::MaskSpec spec;
  spec.selectors = {{{model::MatchOp::kEqual, "__name__", "mem_used"}}};
  const retention::RefSet open = retention::RefSet::Select(spec, *index_, true).value();
  const uint64_t version = index_->version();
  model::BatchBuilder builder;
  builder.Row("mem", {{"host", "z"}}, {0}).Field("used", 1.0);
  Note(builder.batch());
  EXPECT_NE(index_->version(), version);
  EXPECT_FALSE(open.Contains(refs_.back()));
  std::vector<model::SeriesRef> all;
  open.AppendTo(&all);
  EXPECT_EQ(all, std::vector<model::SeriesRef>{refs_[3]});
}

TEST_F(MaskTest, CutsRowsOutOfPieces) {
  const std::vector<int64_t> ints(100, 1);
  model::Column regular;
  regular.type = model::FieldType::kInt;
  regular.times = {.size = 10, .first_ns = 0, .step_ns = 10};  // 0 to 90
  regular.ints = ints.data();
  const std::vector<int64_t> times = {100, 101, 150};
  model::Column uneven = regular;
  uneven.times = {.size = 3, .first_ns = 0, .step_ns = 0, .explicit_ns = times.data()};
  const auto cut = [&](const retention::MaskList& masks, model::SeriesRef ref) {
    std::vector<model::Column> pieces = {regular, regular, uneven};
    retention::SourceMasks::OfSet(masks, 2).Cut(ref, 1, &pieces);
    EXPECT_EQ(pieces[0].size(), 10U);  // it came from somewhere else
    pieces.erase(pieces.begin());
    return TimesOf(pieces);
  };
  using Times = std::vector<int64_t>;
  EXPECT_EQ(cut({Make("a", {})}, refs_[0]), Times{});
  EXPECT_EQ(cut({Make("a", {})}, refs_[1]).size(), 13U);
  EXPECT_EQ(cut({Make("a", {{10}, {150}})}, refs_[0]), Times{0});
  EXPECT_EQ(cut({Make("a", {{11}, {100}})}, refs_[0]), (Times{0, 10, 101, 150}));
  EXPECT_EQ(cut({Make("a", {{20}, {70}}), Make("a", {{0}, {0}}), Make("a", {{101}, {101}})}, refs_[0]),
            (Times{10, 80, 90, 100, 150}));
  EXPECT_EQ(cut({Make("a", {{91}, {99}})}, refs_[0]).size(), 13U);
}

TEST_F(MaskTest, AppliesToWhatCameBefore) {
  const auto mask = Make("a", {{0}, {100}}, 5);
  meta::EpochRecord epoch;
  epoch.range = {{50}, {60}};
  epoch.precedence = 4;
  EXPECT_TRUE(mask->AppliesTo(epoch));
  epoch.precedence = 6;
  EXPECT_FALSE(mask->AppliesTo(epoch));
  epoch.precedence = 4;
  epoch.masked_through = 5;
  EXPECT_FALSE(mask->AppliesTo(epoch));
  epoch.masked_through = 4;
  epoch.range = {{101}, {160}};
  EXPECT_FALSE(mask->AppliesTo(epoch));
  EXPECT_TRUE(retention::SourceMasks::OfSet({mask}, 3).empty());
  EXPECT_FALSE(retention::SourceMasks::OfSet({mask}, 2).empty());
  EXPECT_EQ(retention::HighestNumber({mask}), 5U);
}

}  // namespace
}  // namespace tidemark::storage
