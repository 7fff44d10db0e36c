#include "storage/model/series_key.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/base/bytes.h"

namespace tidemark::model {
namespace {

// `measurement{name="value",...}` of a key, or the error.
std::string Parse(KeyFormat format, std::string_view bytes) {
  Arena arena;
  const Result<ParsedKey> key = ParseSeriesKey(format, bytes, &arena);
  if (!key.ok()) return "error: " + key.error().message;
  std::string out(key->measurement);
  out += '{';
  for (const LabelView& tag : key->tags) {
    if (out.back() != '{') out += ',';
    out.append(tag.name).append("=").append(tag.value);
  }
  return out + '}';
}

std::string Lp(std::string_view bytes) { return Parse(KeyFormat::kLineProtocol, bytes); }

std::string LabelMessage(std::string_view name, std::string_view value) {
  std::string message = "\x0A";
  PutString(&message, name);
  message += '\x12';
  PutString(&message, value);
  std::string out = "\x0A";
  PutString(&out, message);
  return out;
}

TEST(SeriesKey, LineProtocolSortsTagsAndDropsEscapes) {
  EXPECT_EQ(Lp("cpu"), "cpu{}");
  EXPECT_EQ(Lp("cpu,host=a,dc=b"), "cpu{dc=b,host=a}");
  EXPECT_EQ(Lp(R"(c\,p\ u\=,h\=o\,s\ t=a\,b\ c\=d)"), R"(c,p u\={h=o,s t=a,b c=d})");
  EXPECT_EQ(Lp(R"(a\b,c\d=e\)"), R"(a\b{c\d=e\})");
  // The second backslash escapes, the first is itself.
  EXPECT_EQ(Lp(R"(m,k=a\\,b)"), R"(m{k=a\,b})");
  EXPECT_EQ(Lp("m=x,k=v"), "m=x{k=v}");
}

TEST(SeriesKey, LineProtocolSpellingsOfOneSeriesAgree) {
  EXPECT_EQ(Lp("m,b=2,a=1"), Lp("m,a=1,b=2"));
  const std::string canonical = [] {
    BatchBuilder builder;
    builder.Row("m", {{"b", "2"}, {"a", "1"}, {"c", ""}}, {}).Field("f", 1.0);
    return std::string(builder.batch().rows[0].key.bytes);
  }();
  EXPECT_EQ(Parse(KeyFormat::kCanonical, canonical), Lp("m,a=1,b=2"));
  EXPECT_EQ(
      Parse(KeyFormat::kRemoteWrite, LabelMessage("b", "2") + LabelMessage("__name__", "m") + LabelMessage("a", "1")),
      Lp("m,a=1,b=2"));
}

TEST(SeriesKey, LineProtocolErrors) {
  EXPECT_EQ(Lp(""), "error: malformed series key: missing measurement");
  EXPECT_EQ(Lp(",a=b"), "error: malformed series key: missing measurement");
  EXPECT_EQ(Lp("m,"), "error: malformed series key: missing tag key");
  EXPECT_EQ(Lp("m,=b"), "error: malformed series key: missing tag key");
  EXPECT_EQ(Lp("m,a"), "error: malformed series key: missing tag value");
  EXPECT_EQ(Lp("m,a,b=c"), "error: malformed series key: missing tag value");
  EXPECT_EQ(Lp("m,a="), "error: malformed series key: missing tag value");
  EXPECT_EQ(Lp("m,a=b=c"), "error: malformed series key: unescaped space");
  EXPECT_EQ(Lp("m,a=b c"), "error: malformed series key: unescaped space");
  EXPECT_EQ(Lp("m,b=1,a=0,b=2"), "error: duplicate tag \"b\"");
}

TEST(SeriesKey, RemoteWrite) {
  EXPECT_EQ(Parse(KeyFormat::kRemoteWrite, ""), "{}");
  EXPECT_EQ(Parse(KeyFormat::kRemoteWrite, LabelMessage("job", "x") + LabelMessage("e", "")), "{job=x}");
  EXPECT_EQ(Parse(KeyFormat::kRemoteWrite, LabelMessage("a", "1") + LabelMessage("a", "1")),
            "error: duplicate tag \"a\"");
  EXPECT_EQ(Parse(KeyFormat::kRemoteWrite, LabelMessage("", "1")),
            "error: malformed series key: a label without a name");
  // Unknown fields are skipped.
  const std::string label("\x0A\x01k\x12\x01v\x18\x05\x21xxxxxxxx\x2A\x01z\x35yyyy", 25);
  std::string bytes = "\x0A";
  PutString(&bytes, label);
  EXPECT_EQ(Parse(KeyFormat::kRemoteWrite, bytes), "{k=v}");
}

TEST(SeriesKey, TruncatedBinaryKeysAreErrors) {
  const std::string remote = LabelMessage("__name__", "up") + LabelMessage("job", "api");
  const size_t first = LabelMessage("__name__", "up").size();
  for (size_t size = 1; size < remote.size(); ++size) {
    const std::string parsed = Parse(KeyFormat::kRemoteWrite, std::string_view(remote).substr(0, size));
    if (size == first) {
      EXPECT_EQ(parsed, "up{}");
    } else {
      EXPECT_TRUE(parsed.starts_with("error: ")) << size << ": " << parsed;
    }
  }
  EXPECT_TRUE(Parse(KeyFormat::kCanonical, "").starts_with("error: "));
  EXPECT_TRUE(Parse(KeyFormat::kCanonical, "\x02m").starts_with("error: "));
  EXPECT_TRUE(Parse(KeyFormat::kCanonical, "\x01m\x01").starts_with("error: "));
  EXPECT_TRUE(Parse(KeyFormat::kCanonical, "\x01m\x01k").starts_with("error: "));
  EXPECT_EQ(Parse(KeyFormat::kCanonical, std::string_view("\x01m\x01k\x01v", 6)), "m{k=v}");
}

}  // namespace
}  // namespace tidemark::model
