// Parser against the reference on random and hostile input.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/lineprotocol/compare.h"
#include "tests/test_seed.h"

namespace tidemark::lineprotocol {
namespace {

class Differential : public testing::Test {
 protected:
  void Check(const std::string& body, const ParseOptions& options) {
    const std::string difference = CompareWithReference(body, options, &parser_);
    ASSERT_EQ(difference, "") << "body:\n" << body.substr(0, 2000);
  }
  void Check(const std::string& body) { Check(body, OptionsFromByte(static_cast<unsigned char>(random_()))); }

  size_t Below(size_t bound) { return random_() % bound; }
  template <size_t kCount>
  std::string_view Pick(const std::string_view (&from)[kCount]) {
    return from[Below(kCount)];
  }

  std::string Name() {
    static constexpr std::string_view kNames[] = {"cpu",         "mem",
                                                  "host",        "a",
                                                  "b",           "usage_user",
                                                  "time",        "x\\ y",
                                                  "k\\=v",       "c\\,d",
                                                  "back\\slash", "\xC3\xA9t\xC3\xA9",
                                                  "z\\\\ ",      "a_name_that_is_longer_than_thirty_two_bytes"};
    return std::string(Pick(kNames));
  }
  std::string Value() {
    static constexpr std::string_view kValues[] = {
        "1",
        "0",
        "-0",
        "12.5",
        "-3.25",
        ".5",
        "7.",
        "1e3",
        "1.5E-3",
        "123456.789",
        "99999999999999999999",
        "1e400",
        "1e-400",
        "12345678",
        "1234567.8",
        "0.0000001",
        "42i",
        "-1i",
        "0i",
        "1234567i",
        "12345678i",
        "9223372036854775807i",
        "9223372036854775808i",
        "7u",
        "18446744073709551615u",
        "-1u",
        "t",
        "T",
        "true",
        "FALSE",
        "f",
        "tru",
        "NaN",
        "",
        "\"\"",
        "\"text\"",
        "\"a b,c=d\"",
        "\"q\\\"q\"",
        "\"b\\\\\"",
        "\"b\\n\"",
        "\"two\nlines\"",
        "\"\xC3\xA9\"",
        "\"\xFF\"",
        "\"open",
        "\"a longer text, of more than thirty-two bytes, without anything special\""};
    if (Below(2) == 0) return std::to_string(Below(1000)) + "i";
    if (Below(3) == 0) return std::to_string(Below(100'000)) + "." + std::to_string(Below(100));
    return std::string(Pick(kValues));
  }
  std::string Time() {
    static constexpr std::string_view kTimes[] = {"",
                                                  " ",
                                                  " 1",
                                                  " -1",
                                                  " 1700000000000000000",
                                                  " 1700000000",
                                                  "  5  ",
                                                  " x",
                                                  " 1 2",
                                                  " 9223372036854775807",
                                                  " -9223372036854775806",
                                                  " 99999999999999999999",
                                                  " 12345678",
                                                  " 1234567890123456"};
    if (Below(3) != 0) return " " + std::to_string(1'700'000'000'000'000'000 + Below(1'000'000'000));
    return std::string(Pick(kTimes));
  }
  // Mostly good, in few shapes, so that the quick path is taken and left often.
  std::string LineText() {
    static constexpr std::string_view kEnds[] = {"\n",   "\n", "\n", "\n", "\r\n", "\n\n", " \n", "\n# comment\n",
                                                 "\n  ", ""};
    static constexpr std::string_view kPlain[] = {"cpu,host=a,dc=b user=1i,sys=2i", "cpu,host=b,dc=b user=3i,sys=4i",
                                                  "mem,host=a used=12.5,free=1",    "log,host=a msg=\"x\",level=2i",
                                                  "cpu,host=a,dc=b idle=5",         "mem,host=a used=3.125,free=2.50"};
    std::string line;
    if (Below(2) == 0) {
      line = Pick(kPlain);
      if (Below(2) == 0) line.replace(line.rfind('=') + 1, line.npos, Value());
    } else {
      line = Name();
      for (size_t tags = Below(4); tags > 0; --tags) line += "," + Name() + "=" + Name();
      line += ' ';
      for (size_t fields = Below(4) + 1; fields > 0; --fields) line += Name() + "=" + Value() + (fields > 1 ? "," : "");
    }
    return line + Time() + std::string(Pick(kEnds));
  }
  std::string Body(size_t lines) {
    std::string body;
    for (; lines > 0; --lines) body += LineText();
    return body;
  }
  // Flips, removes, repeats and inserts bytes, with a liking for those that mean something.
  void Mutate(std::string* body) {
    static constexpr std::string_view kBytes("\"\\,= \n\r\t\0#-.eiu\x7F\x80\xC3\xFF", 20);
    for (size_t count = Below(6); count > 0 && !body->empty(); --count) {
      const size_t at = Below(body->size());
      switch (Below(4)) {
        case 0: (*body)[at] = kBytes[Below(kBytes.size())]; break;
        case 1: body->erase(at, Below(4) + 1); break;
        case 2: body->insert(at, 1, kBytes[Below(kBytes.size())]); break;
        default: body->insert(at, body->substr(Below(body->size()), Below(40))); break;
      }
    }
  }

  std::mt19937_64 random_{TestSeed()};
  Parser parser_;
};

TEST_F(Differential, LinesOfFewShapes) {
  for (int i = 0; i < 2000 && !HasFatalFailure(); ++i) Check(Body(Below(20)));
}

TEST_F(Differential, MutatedLines) {
  for (int i = 0; i < 5000 && !HasFatalFailure(); ++i) {
    std::string body = Body(Below(8) + 1);
    Mutate(&body);
    Check(body);
  }
}

TEST_F(Differential, EveryTruncation) {
  const std::string body =
      "cpu,host=a user=1i,load=0.25,s=\"x\\\"\n\",b=T 1700000000000000000\n"
      "cpu,host=a user=2i,load=1.25,s=\"y\",b=f 1700000000000000001\r\n"
      "# comment\n\ncpu,host=\xC3\xA9 user=3i 5\n";
  for (size_t size = 0; size <= body.size() && !HasFatalFailure(); ++size) {
    Check(body.substr(0, size), {});
    Check(body + body.substr(0, size), {});
  }
}

// More than the tail that is parsed in a copy.
TEST_F(Differential, LongBodies) {
  for (int i = 0; i < 20 && !HasFatalFailure(); ++i) Check(Body(400));
}

TEST_F(Differential, RandomBytes) {
  for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) {
    std::string body(Below(120), '\0');
    for (char& c : body) c = static_cast<char>(random_());
    Check(body);
  }
}

TEST_F(Differential, ManyFields) {
  std::string line = "m,t=v ";
  for (size_t i = 0; i < 100'000; ++i) line += (i > 0 ? ",f" : "f") + std::to_string(i) + "=" + std::to_string(i % 10);
  ParseOptions options;
  options.limits.max_line_bytes = line.size();
  Check(line, options);
  options.limits.max_line_bytes = line.size() - 1;
  Check(line + "\nm f=1\n", options);
  // Few names over and over: the last value of each counts.
  std::string repeated = "m f=0";
  for (size_t i = 0; i < 100'000; ++i) repeated += ",f" + std::to_string(i % 7) + "=1";
  Check(repeated, {});
}

TEST_F(Differential, MoreShapesThanAreRemembered) {
  std::string body;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) body += "m,t=" + std::to_string(i) + " f" + std::to_string(i) + "=1i\n";
  }
  Check(body, {});
  // The same with one field and many measurements: a shape remembered under a number that now means another one would
  // give rows the wrong measurement.
  body.clear();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) body += "m" + std::to_string(i) + ",t=1 f=1i\n";
  }
  Check(body, {});
}

// Shapes are also forgotten by the bytes that they take.
TEST_F(Differential, LongNames) {
  std::string body;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) body += "m" + std::to_string(i) + ",t=1 " + std::string(60'000, 'f') + "=1i\n";
  }
  Check(body, {});
}

TEST_F(Differential, MoreSeriesThanTheFirstTableHolds) {
  std::string body;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i) body += "cpu,host=" + std::to_string(i * 7) + " v=" + std::to_string(i) + ".5 1\n";
  }
  Check(body, {});
}

TEST_F(Differential, Hostile) {
  Check(std::string(1'000'000, '\n') + "m f=1", {});
  Check(std::string(300'000, ','), {});
  Check(std::string(300'000, '\\') + " f=1\nm f=1\n", {});
  Check(std::string(300'000, '\0'), {});
  Check(std::string(300'000, '"'), {});
  Check("m f=\"" + std::string(300'000, '\\') + "\"\nm f=1\n", {});
  Check("m f=" + std::string(300'000, '9') + "\nm f=1." + std::string(300'000, '0') + "1\nm f=1e" +
            std::string(300'000, '0') + "1\nm f=" + std::string(300'000, '0') + "1i\n",
        {});
  Check("m,t=" + std::string(size_t{1} << 20, 'v') + " f=1\nm f=1\n", {});
  Check("m f=\"" + std::string((size_t{1} << 20) + 1, 'v') + "\"\nm f=1\n", {});
  Check("m f=\"" + std::string(size_t{1} << 20, 'v') + "\"\nm f=1\n", {});
  std::string open;
  for (int i = 0; i < 20'000; ++i) open += "m f=\"\n";
  Check(open, {});
  Check(open + "m f=\"", {});
}

}  // namespace
}  // namespace tidemark::lineprotocol
