#include "ingest/lineprotocol/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/model/series_key.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;
using model::FieldValue;

constexpr int64_t kNow = 1'700'000'000'123'456'789;

class ParserTest : public testing::Test {
 protected:
  ParseReport Parse(std::string body) {
    body_ = std::move(body);
    return parser_.Parse(body_, options_, &batch_);
  }
  // "reason at line:column" of each error.
  std::vector<std::string> Errors(std::string body) {
    std::vector<std::string> errors;
    for (const LineError& error : Parse(std::move(body)).errors) {
      errors.push_back(error.reason + " at " + std::to_string(error.line) + ":" + std::to_string(error.column));
    }
    return errors;
  }
  std::string Reason(const std::string& line) {
    const std::vector<std::string> errors = Errors(line);
    return errors.size() == 1 ? errors[0] : std::to_string(errors.size()) + " errors";
  }
  FieldValue Value(size_t row, size_t field) {
    const model::Shape& shape = batch_.shapes[batch_.rows[row].shape];
    return model::ValueOf(batch_, shape.fields[field].type, batch_.rows[row].first_value + field);
  }

  std::string body_;
  ParseOptions options_{.default_time = {kNow}};
  Parser parser_;
  model::Batch batch_;
};

TEST_F(ParserTest, AllTypesInOneRow) {
  const ParseReport report = Parse("m,b=2,a=1 f=1.25,i=-3i,u=4u,t=true,s=\"x\" 99\n");
  EXPECT_EQ(report.lines_ok, 1U);
  EXPECT_EQ(report.lines_bad, 0U);
  ASSERT_EQ(batch_.rows.size(), 1U);
  EXPECT_EQ(batch_.rows[0].key.bytes, "m,b=2,a=1");
  EXPECT_EQ(batch_.rows[0].key.format, model::KeyFormat::kLineProtocol);
  EXPECT_EQ(batch_.rows[0].key.hash, model::HashSeriesKey(model::KeyFormat::kLineProtocol, "m,b=2,a=1"));
  EXPECT_EQ(batch_.rows[0].time.ns, 99);
  EXPECT_EQ(batch_.rows[0].line, 1U);
  EXPECT_EQ(batch_.shapes[0].measurement, "m");
  EXPECT_EQ(Value(0, 0), FieldValue(1.25));
  EXPECT_EQ(batch_.values[0], 125);
  EXPECT_EQ(batch_.scales[0], 2);
  EXPECT_EQ(Value(0, 1), FieldValue(int64_t{-3}));
  EXPECT_EQ(Value(0, 2), FieldValue(uint64_t{4}));
  EXPECT_EQ(Value(0, 3), FieldValue(true));
  EXPECT_EQ(Value(0, 4), FieldValue(std::string("x")));
}

TEST_F(ParserTest, RowsOfOneShapeShareIt) {
  Parse("m,h=1 a=1,b=2i 1\nm,h=2 a=3,b=4i 2\nm,h=1 b=4i,a=3 3\nm,h=1 a=1i,b=2i 4\nm,h=2 a=5,b=6i 5\n");
  ASSERT_EQ(batch_.rows.size(), 5U);
  EXPECT_EQ(batch_.shapes.size(), 3U);
  EXPECT_EQ(batch_.rows[0].shape, batch_.rows[1].shape);
  EXPECT_EQ(batch_.rows[0].shape, batch_.rows[4].shape);
  EXPECT_EQ(batch_.points(), 10U);
  EXPECT_EQ(batch_.scales.size(), 10U);
}

TEST_F(ParserTest, BatchesDoNotShareShapes) {
  Parse("m,h=1 a=1 1\nn,h=1 b=1 1\n");
  Parse("n,h=1 b=2 1\nm,h=1 a=2 1\n");
  ASSERT_EQ(batch_.shapes.size(), 2U);
  EXPECT_EQ(batch_.shapes[batch_.rows[0].shape].measurement, "n");
  EXPECT_EQ(batch_.shapes[batch_.rows[0].shape].fields[0].name, "b");
  EXPECT_EQ(batch_.shapes[batch_.rows[1].shape].measurement, "m");
}

TEST_F(ParserTest, MeasurementsThatBeginAlikeAreApart) {
  Parse("cpu,h=1 v=1\ncpu,h=2 v=1\ncpux,h=3 v=1\ncpu v=1\ncp v=1\ncpu\\,x v=1\n");
  ASSERT_EQ(batch_.rows.size(), 6U);
  for (const auto& [row, measurement] :
       {std::pair<size_t, const char*>{1, "cpu"}, {2, "cpux"}, {3, "cpu"}, {4, "cp"}, {5, "cpu,x"}}) {
    EXPECT_EQ(batch_.shapes[batch_.rows[row].shape].measurement, measurement);
  }
}

// The second row begins like the first and is then of another shape.
TEST_F(ParserTest, AWrongGuessLeavesNothingBehind) {
  Parse("m s=\"x\",a=1 1\nm s=\"y\",b=\"z\" 2\n");
  EXPECT_EQ(batch_.strings, (std::vector<std::string_view>{"x", "y", "z"}));
  EXPECT_EQ(batch_.values.size(), 4U);
}

TEST_F(ParserTest, NamesAreUnescaped) {
  Parse("a\\ b\\,c\\=d,k=v f\\ \\,\\=\\g=1\n");
  EXPECT_EQ(batch_.shapes[0].measurement, "a b,c\\=d");
  EXPECT_EQ(batch_.shapes[0].fields[0].name, "f ,=\\g");
}

// Far enough from the end of the body that no tail is copied.
TEST_F(ParserTest, PlainStringsPointIntoTheBody) {
  Parse("m s=\"plain\"\nm s=\"esc\\\"aped\\\\ \\n\"\n" + std::string(10'000, '\n'));
  ASSERT_EQ(batch_.strings.size(), 2U);
  EXPECT_EQ(batch_.strings[0], "plain");
  EXPECT_GE(batch_.strings[0].data(), body_.data());
  EXPECT_LT(batch_.strings[0].data(), body_.data() + body_.size());
  EXPECT_EQ(batch_.strings[1], "esc\"aped\\ \\n");
}

TEST_F(ParserTest, LaterOfTwoFieldsOfOneNameWins) {
  Parse("m a=1,b=2,a=3i 1\n");
  ASSERT_EQ(batch_.shapes[0].fields.size(), 2U);
  EXPECT_EQ(batch_.shapes[0].fields[0].name, "a");
  EXPECT_EQ(Value(0, 0), FieldValue(int64_t{3}));
  EXPECT_EQ(Value(0, 1), FieldValue(2.0));
}

TEST_F(ParserTest, NewlinesInStringsAreDataAndCountAsLines) {
  const ParseReport report = Parse("m s=\"one\ntwo\" 1\nm s=\"three\n\n\" 2\nm bad\nm s=\"x\" 3\n");
  EXPECT_EQ(report.lines_ok, 3U);
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_EQ(report.errors[0].line, 6U);
  EXPECT_EQ(batch_.rows[1].line, 3U);
  EXPECT_EQ(batch_.rows[2].line, 7U);
  EXPECT_EQ(batch_.strings[0], "one\ntwo");
}

TEST_F(ParserTest, CommentsBlankLinesAndLineEnds) {
  const ParseReport report = Parse("# one\n\n  \n   # two\r\n\r\n  m f=1 1 \r\nm f=2 2\r");
  EXPECT_EQ(report.lines_ok, 2U);
  EXPECT_EQ(report.lines_bad, 0U);
  EXPECT_EQ(batch_.rows[0].line, 6U);
  EXPECT_EQ(Parse("").lines_ok, 0U);
  EXPECT_EQ(Parse("\n\n# only comments").lines_ok, 0U);
}

TEST_F(ParserTest, TimesOfEveryPrecision) {
  for (const auto& [name, unit] : std::vector<std::pair<std::string, int64_t>>{{"", 1},
                                                                               {"n", 1},
                                                                               {"ns", 1},
                                                                               {"u", 1000},
                                                                               {"us", 1000},
                                                                               {"µ", 1000},
                                                                               {"µs", 1000},
                                                                               {"ms", 1'000'000},
                                                                               {"s", 1'000'000'000},
                                                                               {"m", 60'000'000'000},
                                                                               {"h", 3'600'000'000'000}}) {
    options_.precision = ParsePrecision(name).value();
    Parse("m f=1 7\nm f=1 -7\nm f=1\n");
    ASSERT_EQ(batch_.rows.size(), 3U) << name;
    EXPECT_EQ(batch_.rows[0].time.ns, 7 * unit);
    EXPECT_EQ(batch_.rows[1].time.ns, -7 * unit);
    EXPECT_EQ(batch_.rows[2].time.ns, kNow - kNow % unit);
  }
  EXPECT_EQ(ParsePrecision("d").error().message, "invalid precision \"d\" (use n, u, ms, s, m or h)");
  // Before 1970, truncating goes further back.
  options_.precision = Precision::kSecond;
  options_.default_time.ns = -1;
  Parse("m f=1\n");
  EXPECT_EQ(batch_.rows[0].time.ns, -1'000'000'000);
}

TEST_F(ParserTest, EndsOfTheRangeOfTime) {
  const std::string range = "time outside range -9223372036854775806 - 9223372036854775806 at 1:7";
  Parse("m f=1 9223372036854775806\nm f=1 -9223372036854775806\n");
  ASSERT_EQ(batch_.rows.size(), 2U);
  EXPECT_EQ(batch_.rows[0].time, model::kMaxTime);
  EXPECT_EQ(batch_.rows[1].time, model::kMinTime);
  EXPECT_EQ(Reason("m f=1 9223372036854775807"), range);
  EXPECT_EQ(Reason("m f=1 -9223372036854775807"), range);
  EXPECT_EQ(Reason("m f=1 9223372036854775808"),
            "strconv.ParseInt: parsing \"9223372036854775808\": value out of range at 1:7");
  options_.precision = Precision::kHour;
  EXPECT_EQ(Parse("m f=1 2562047\nm f=1 -2562047\n").lines_ok, 2U);
  EXPECT_EQ(Reason("m f=1 2562048"), range);
  EXPECT_EQ(Reason("m f=1 -2562048"), range);
}

TEST_F(ParserTest, ReasonsOf1x) {
  EXPECT_EQ(Reason(",t=1 f=1"), "missing measurement at 1:1");
  EXPECT_EQ(Reason("m"), "missing fields at 1:2");
  EXPECT_EQ(Reason("m,t=1"), "missing fields at 1:6");
  EXPECT_EQ(Reason("m,t=1 "), "missing fields at 1:7");
  EXPECT_EQ(Reason("m, f=1"), "missing tag key at 1:3");
  EXPECT_EQ(Reason("m,=1 f=1"), "missing tag key at 1:3");
  EXPECT_EQ(Reason("m,t f=1"), "missing tag value at 1:4");
  EXPECT_EQ(Reason("m,t= f=1"), "missing tag value at 1:5");
  EXPECT_EQ(Reason("m,t=1=2 f=1"), "invalid tag format at 1:6");
  EXPECT_EQ(Reason("m,t=1,s=2,t=3 f=1"), "duplicate tags at 1:11");
  EXPECT_EQ(Reason("m,a=1,__name__=x f=1"),
            "the tag __name__ is reserved for the metric's own name; give the tag another name at 1:7");
  EXPECT_EQ(Reason("m =1"), "missing field key at 1:3");
  EXPECT_EQ(Reason("m f=1,=2"), "missing field key at 1:7");
  EXPECT_EQ(Reason("m f= 1"), "missing field value at 1:5");
  EXPECT_EQ(Reason("m f=,g=1"), "missing field value at 1:5");
  EXPECT_EQ(Reason("m f"), "invalid field format at 1:4");
  EXPECT_EQ(Reason("m f=1,"), "invalid field format at 1:7");
  EXPECT_EQ(Reason("m f=\"a\"b"), "invalid field format at 1:8");
  EXPECT_EQ(Reason("m f=\"a"), "unbalanced quotes at 1:5");
  EXPECT_EQ(Reason("m f=1x"), "invalid number at 1:5");
  EXPECT_EQ(Reason("m f=NaN"), "invalid number at 1:5");
  EXPECT_EQ(Reason("m f=x"), "invalid boolean at 1:5");
  EXPECT_EQ(Reason("m f=tRUE"), "invalid boolean at 1:5");
  EXPECT_EQ(Reason("m f=1e999"), "invalid float at 1:5");
  EXPECT_EQ(
      Reason("m f=9223372036854775808i"),
      "unable to parse integer 9223372036854775808: strconv.ParseInt: parsing \"9223372036854775808\": value out of "
      "range at 1:5");
  EXPECT_EQ(
      Reason("m f=18446744073709551616u"),
      "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \"18446744073709551616\": value out "
      "of range at 1:5");
  EXPECT_EQ(Reason("m f=1 x"), "bad timestamp at 1:7");
  EXPECT_EQ(Reason("m f=1 1.5"), "bad timestamp at 1:7");
  EXPECT_EQ(Reason("m f=1 1 2"), "point is invalid at 1:9");
  EXPECT_EQ(Reason("m f=1,time=2"), "invalid field name: input field \"time\" on measurement \"m\" is invalid at 1:7");
}

TEST_F(ParserTest, ControlCharactersAndUtf8) {
  EXPECT_EQ(Reason("\tm f=1"), "invalid character 0x09 in measurement at 1:1");
  EXPECT_EQ(Reason("m\x7F f=1"), "invalid character 0x7f in measurement at 1:2");
  EXPECT_EQ(Reason("m,t\x01=1 f=1"), "invalid character 0x01 in tag key at 1:4");
  EXPECT_EQ(Reason("m,t=1\r f=1"), "invalid character 0x0d in tag value at 1:6");
  EXPECT_EQ(Reason("m \tf=1"), "invalid character 0x09 in field key at 1:3");
  EXPECT_EQ(Reason(" # \x01"), "invalid character 0x01 in comment at 1:4");
  EXPECT_EQ(Reason("m\xFF f=1"), "invalid UTF-8 in measurement at 1:1");
  EXPECT_EQ(Reason("m,t\xFF=1 f=1"), "invalid UTF-8 in tag key at 1:3");
  EXPECT_EQ(Reason("m,t=\xFF f=1"), "invalid UTF-8 in tag value at 1:5");
  EXPECT_EQ(Reason("m f\xFF=1"), "invalid UTF-8 in field key at 1:3");
  EXPECT_EQ(Reason("m f=\"\xFF\""), "invalid UTF-8 in string at 1:6");
  EXPECT_EQ(Parse("m,t=a\x01\t\x7F"
                  "b f=\"\x01\xC3\xA9\"\n#\ttabs are fine here\n")
                .lines_bad,
            0U);
  EXPECT_EQ(batch_.rows[0].key.bytes,
            "m,t=a\x01\t\x7F"
            "b");
}

TEST_F(ParserTest, GoodLinesAroundBadOnesAreKept) {
  const ParseReport report = Parse("m f=1 1\nm f= 2\r\nm f=3 3\n  m,t f=4 4\nm f=5 5");
  EXPECT_EQ(report.lines_ok, 3U);
  EXPECT_EQ(report.lines_bad, 2U);
  ASSERT_EQ(batch_.rows.size(), 3U);
  EXPECT_EQ(batch_.rows[2].line, 5U);
  EXPECT_EQ(ErrorText(report),
            "unable to parse 'm f= 2': missing field value\nunable to parse 'm,t f=4 4': missing tag value");
  EXPECT_EQ(report.errors[1].line, 4U);
  EXPECT_EQ(report.errors[1].column, 6U);
}

TEST_F(ParserTest, AnOpenQuoteCostsOneLine) {
  EXPECT_EQ(Errors("m f=1 1\nm f=\"open 2\nm f=3 3\nm f=4 4\n"), std::vector<std::string>{"unbalanced quotes at 2:5"});
  EXPECT_EQ(batch_.rows.size(), 3U);
}

TEST_F(ParserTest, ErrorsBeyondTheLimitAreCounted) {
  options_.limits.max_errors = 2;
  options_.limits.max_error_text_bytes = 4;
  const ParseReport report = Parse("m a\xC3\xA9=\nm b\nm c\nm d\n");
  EXPECT_EQ(report.lines_bad, 4U);
  EXPECT_EQ(ErrorText(report),
            "unable to parse 'm a...': missing field value\nunable to parse 'm b': invalid field format\n"
            "and 2 more lines that could not be parsed");
  EXPECT_EQ(ErrorText({}), "");
}

TEST_F(ParserTest, Limits) {
  options_.limits.max_line_bytes = 20;
  EXPECT_EQ(Parse("m f=1234567890 12345\n").lines_ok, 1U);
  EXPECT_EQ(Reason("m f=1234567890 123456\n"), "max line length exceeded: 21 > 20 at 1:1");
  options_.limits = {};
  options_.limits.max_key_bytes = 12;
  EXPECT_EQ(Parse("m,t=abcd f=1\n").lines_ok, 0U);
  EXPECT_EQ(Reason("m,t=abcd f=1\n"), "max key length exceeded: 13 > 12 at 1:1");
  EXPECT_EQ(Reason("m,t=abcdefghij f=1\n"), "max key length exceeded: 14 > 12 at 1:1");
  EXPECT_EQ(Parse("m,t=abc f=1\nm,t=abc f=2\n").lines_ok, 2U);
  options_.limits = {};
  options_.limits.max_string_bytes = 3;
  EXPECT_EQ(Parse("m f=\"abc\"\nm f=\"\\\"\\\"\\\"\"\n").lines_ok, 2U);
  EXPECT_EQ(Reason("m f=\"abcd\"\n"), "string value of 4 bytes exceeds the limit of 3 at 1:5");
  options_.limits = {};
  EXPECT_EQ(Parse("m,t=" + std::string(65'525, 'v') + " ff=1\n").lines_ok, 1U);
  EXPECT_EQ(Parse("m,t=" + std::string(65'526, 'v') + " ff=1\n").lines_ok, 0U);
}

// A body of one line has no room for the quick path to read ahead; one byte more than the line must not be read.
TEST_F(ParserTest, OneLineBodiesOfEveryLength) {
  for (size_t digits = 1; digits < 19; ++digits) {
    const std::string line = "cpu,host=a v=1.5,w=2i " + std::string(digits, '1');
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Parse(line).lines_ok, 1U) << line;
    EXPECT_EQ(batch_.rows[0].time.ns, std::stoll(std::string(digits, '1')));
  }
}

}  // namespace
}  // namespace tidemark::lineprotocol
