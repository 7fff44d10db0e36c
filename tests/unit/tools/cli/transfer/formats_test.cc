// Forms of files: what is written comes back the same, packed or not, and what a form cannot say is counted.
#include "tools/cli/transfer/formats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/temp_directory.h"
#include "tests/unit/tools/transfer/hard_pieces.h"
#include "tools/cli/transfer/import_state.h"

namespace tidemark::cli {
namespace {

using transfer::FieldType;
using transfer::LogicalHash;
using transfer::Piece;

class Transfer : public testing::Test {
 protected:
  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // Writes the pieces to `name` in the form of its suffix; what was left out.
  LeftOut WriteFile(const std::string& name, const std::vector<Piece>& pieces) {
    const Format* const format = *FormatOf("", name);
    auto file = OutFile::Create(Path(name));
    EXPECT_TRUE(file.ok()) << file.error().message;
    const auto writer = format->writer();
    std::string text;
    writer->Begin(&text);
    transfer::ExportEnd end;
    for (const Piece& piece : pieces) {
      writer->Write(piece, &text);
      end.rows += piece.size();
    }
    writer->End(end, &text);
    EXPECT_TRUE((*file)->Write(text).ok());
    EXPECT_TRUE((*file)->Finish().ok());
    return writer->left_out();
  }

  Result<std::vector<Piece>> ReadFile(const std::string& name) {
    const Format* const format = *FormatOf("", name);
    TM_TRY_ASSIGN(auto file, InFile::Open(Path(name)));
    const auto reader = format->reader(std::move(file));
    std::vector<Piece> out;
    for (Piece piece;;) {
      TM_TRY_ASSIGN(const bool more, reader->Next(&piece));
      if (!more) break;
      out.push_back(piece);
    }
    skipped_ = reader->skipped();
    return out;
  }

  void WriteText(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }
  [[nodiscard]] std::string ReadText(const std::string& name) const {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TempDirectory directory_;
  const std::string& folder_ = directory_.path();
  std::vector<Skipped> skipped_;
};

TEST_F(Transfer, EveryFormThatSaysEverythingGivesEverythingBack) {
  const std::vector<Piece> pieces = transfer::HardPieces();
  for (const char* name : {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.csv", "a.csv.gz", "a.csv.zst"}) {
    EXPECT_EQ(WriteFile(name, pieces).points, 0U) << name;
    const auto read = ReadFile(name);
    ASSERT_TRUE(read.ok()) << name << ": " << read.error().message;
    EXPECT_EQ(transfer::HashOfAll(*read), transfer::HashOfAll(pieces)) << name;
  }
}

TEST_F(Transfer, LineProtocolGivesBackAllButWhatItCountsAsLeftOut) {
  const std::vector<Piece> pieces = transfer::HardPieces();
  const LeftOut left_out = WriteFile("a.lp.zst", pieces);
  // Eight floats are not finite, and one series has a line feed in a tag.
  EXPECT_EQ(left_out.points, 9U);
  EXPECT_FALSE(left_out.first.empty());
  const auto read = ReadFile("a.lp.zst");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE(skipped_.empty());
  LogicalHash want;
  for (Piece piece : pieces) {
    if (piece.field.starts_with("tags")) continue;
    if (piece.field == "float") {
      Piece finite = piece;
      finite.ClearValues();
      for (size_t row = 0; row < piece.size(); ++row) {
        if (!std::isfinite(std::bit_cast<double>(piece.bits[row]))) continue;
        finite.times_ns.push_back(piece.times_ns[row]);
        finite.bits.push_back(piece.bits[row]);
      }
      piece = finite;
    }
    want.Add(HashOf(piece));
  }
  EXPECT_EQ(transfer::HashOfAll(*read), want);
}

TEST_F(Transfer, TagsWithSeparatorsGoThroughLineProtocol) {
  const Piece piece = transfer::Of("f 1,=", FieldType::kInt, {7}, {{"a b", "c,d=e f"}, {"q", "\"x\" \\n"}});
  EXPECT_EQ(WriteFile("a.lp", {piece}).points, 0U);
  EXPECT_EQ(ReadText("a.lp"), "m,a\\ b=c\\,d\\=e\\ f,q=\"x\"\\ \\n f\\ 1\\,\\==7i 1700000000000000001\n");
  const auto read = ReadFile("a.lp");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(transfer::HashOfAll(*read), HashOf(piece));
}

TEST_F(Transfer, WhatLineProtocolWouldReadAsAnotherNameIsLeftOut) {
  std::vector<Piece> bad(5, transfer::Of("f", FieldType::kInt, {1}));
  bad[0].measurement = "m\\";
  bad[1].measurement = "#m";
  bad[2].field = "time";
  bad[3].tags[0].value = "a\\ b";
  bad[4].field = "a\tb";
  for (size_t i = 0; i < bad.size(); ++i) {
    EXPECT_EQ(WriteFile(std::to_string(i) + ".lp", {bad[i]}).points, 1U) << Describe(bad[i]);
  }
}

TEST_F(Transfer, ACsvFileAsOthersWriteIt) {
  WriteText("a.csv",
            "measurement,field,type,tags,time_ns,value\r\n"
            "m,f,float,{},1,1.50\r\n"
            "m,f,float,{},2,+Inf\r\n"
            "\"m\",\"g\",string,\"{\"\"a\"\":\"\"b\"\"}\",3,\"two\r\nlines, \"\"one\"\" row\"\r\n");
  const auto read = ReadFile("a.csv");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].times_ns, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ((*read)[1].strings, std::vector<std::string>{"two\r\nlines, \"one\" row"});
  EXPECT_EQ((*read)[1].tags, (model::Labels{{"a", "b"}}));
}

TEST_F(Transfer, WhatIsWrongWithAFileIsSaidWithItsLine) {
  const std::string header = "measurement,field,type,tags,time_ns,value\n";
  const std::pair<const char*, std::pair<std::string, const char*>> cases[] = {
      {"1.csv", {"m,f,float,{},1,1\n", "line 1: it is not the header"}},
      {"2.csv", {header + "m,f,float,{},1\n", "line 2: there are 5 cells"}},
      {"3.csv", {header + "m,f,float,{},1,1,1\n", "line 2: there are more than 6 cells"}},
      {"4.csv", {header + "m,f,float,{},1,\"1\n", "a quote is not closed"}},
      {"5.csv", {header + "m,f,float,[],1,1\n", "line 2: the tags are no JSON object"}},
      {"6.csv", {header + "m,f,integer,{},1,1.5\n", "line 2: the value \"1.5\" is no integer"}},
      {"7.csv", {header + "m,f,float,{},x,1\n", "line 2: the time \"x\""}},
      {"8.csv", {header + "m,f,float,{},1,\"1\"x\n", "something stands behind a quote"}},
      {"1.jsonl", {"{}\n", "line 1: \"type\" is missing"}},
      {"2.jsonl",
       {R"({"labels":{"__name__":"m"},"type":"float","times_ns":[1],"values":[1]})", "is missing: this is a part"}},
      {"3.jsonl", {R"({"end":{"series":1,"rows":7,"warnings":[]}})", "0 rows stand before it, and it says 7"}},
      {"1.lp", {"m f=1 1\nm f=1\n", "line 2 has no time"}},
  };
  for (const auto& [name, want] : cases) {
    WriteText(name, want.first);
    const auto read = ReadFile(name);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_NE(read.error().message.find(want.second), std::string::npos) << name << ": " << read.error().message;
  }
}

TEST_F(Transfer, AnExportOfInfluxInspectIsTakenWithItsHead) {
  WriteText("a.lp",
            "# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z\n# DDL\n"
            "CREATE DATABASE one WITH NAME autogen\nCREATE DATABASE two WITH NAME autogen\n# DML\n"
            "# CONTEXT-DATABASE:one\n# CONTEXT-RETENTION-POLICY:autogen\n# writing tsm data\n"
            "cpu,host=a value=1 1000\ncpu,host=a value=2 2000\n"
            "# CONTEXT-DATABASE:two\n# CONTEXT-RETENTION-POLICY:two weeks\nmem value=3i 1000\nbroken\n");
  auto file = InFile::Open(Path("a.lp"));
  ASSERT_TRUE(file.ok());
  const auto reader = MakeLineProtocolReader(std::move(*file));
  std::map<std::string, uint64_t> points;
  for (Piece piece;;) {
    const auto more = reader->Next(&piece);
    ASSERT_TRUE(more.ok()) << more.error().message;
    if (!*more) break;
    points[reader->DatabaseFor("")] += piece.size();
    EXPECT_EQ(reader->DatabaseFor("here"), reader->database() == "one" ? "here" : "here.two weeks");
  }
  EXPECT_EQ(points, (std::map<std::string, uint64_t>{{"one", 2}, {"two.two weeks", 1}}));
  const std::vector<Skipped> skipped = reader->skipped();
  ASSERT_EQ(skipped.size(), 2U);
  EXPECT_EQ(skipped[0].count, 1U);
  EXPECT_NE(skipped[0].what.find("line 14"), std::string::npos) << skipped[0].what;
  EXPECT_EQ(skipped[1].count, 2U);
  EXPECT_TRUE(skipped[1].harmless);
}

TEST_F(Transfer, APackedFileThatIsCutOrDamagedIsRefused) {
  for (const char* name : {"a.jsonl.gz", "a.jsonl.zst"}) {
    WriteFile(name, transfer::HardPieces());
    const std::string whole = ReadText(name);
    std::ofstream(Path(name)) << whole.substr(0, whole.size() - 3);
    EXPECT_FALSE(ReadFile(name).ok()) << name << " is cut";
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
    std::ofstream(Path(name)) << flipped;
    EXPECT_FALSE(ReadFile(name).ok()) << name << " is damaged";
  }
}

TEST_F(Transfer, APackedFileOfAFewBytesIsCut) {
  WriteFile("a.jsonl.gz", {transfer::Of("f", transfer::FieldType::kInt, {1})});
  WriteFile("a.jsonl.zst", {transfer::Of("f", transfer::FieldType::kInt, {1})});
  for (const std::string name : {"a.jsonl.gz", "a.jsonl.zst"}) {
    const std::string whole = ReadText(name);
    for (size_t bytes = 0; bytes < 12; ++bytes) {
      WriteText("cut." + name, whole.substr(0, bytes));
      const auto read = ReadFile("cut." + name);
      ASSERT_FALSE(read.ok()) << name << " " << bytes;
      EXPECT_EQ(read.error().code, ErrorCode::kCorruption) << bytes << " " << read.error().message;
    }
  }
}

TEST_F(Transfer, ALastLineWithoutAnEndIsTold) {
  const std::string csv = "measurement,field,type,tags,time_ns,value\nm,v,float,{},1,12";
  for (const auto& [name, text] : {std::pair{"a.lp", std::string("m v=1 1\nm v=2 12")}, std::pair{"a.csv", csv}}) {
    for (const bool whole : {true, false}) {
      WriteText(name, whole ? text + '\n' : text);
      auto file = InFile::Open(Path(name));
      ASSERT_TRUE(file.ok());
      const auto reader = (*FormatOf("", name))->reader(std::move(file).value());
      for (transfer::Piece piece;;) {
        const auto more = reader->Next(&piece);
        ASSERT_TRUE(more.ok()) << more.error().message;
        if (!*more) break;
      }
      EXPECT_EQ(reader->remarks().empty(), whole) << name;
    }
  }
}

TEST_F(Transfer, SeveralPackedFilesOneBehindTheOtherAreOne) {
  const Piece piece = transfer::Of("f", FieldType::kInt, {1, 2});
  for (const std::string packing : {"gz", "zst"}) {
    WriteFile("1.lp." + packing, {piece});
    Piece later = piece;
    later.tags[0].value = "b";
    WriteFile("2.lp." + packing, {later});
    WriteText("3.lp." + packing, ReadText("1.lp." + packing) + ReadText("2.lp." + packing));
    const auto read = ReadFile("3.lp." + packing);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(transfer::HashOfAll(*read), transfer::HashOfAll({piece, later}));
  }
}

TEST_F(Transfer, AFileThatIsThereIsNotWrittenOver) {
  WriteText("a.csv", "mine");
  EXPECT_FALSE(OutFile::Create(Path("a.csv")).ok());
  {
    auto file = OutFile::Create(Path("b.csv"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->Write("half").ok());
  }
  EXPECT_EQ(ReadText("a.csv"), "mine");
  // What was not finished leaves nothing.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Transfer, AnUnknownFormIsRefusedWithThoseThatThereAre) {
  for (const auto& [name, path] : {std::pair{"xml", "a.csv"}, std::pair{"", "a.xml.gz"}}) {
    const auto format = FormatOf(name, path);
    ASSERT_FALSE(format.ok());
    EXPECT_NE(format.error().message.find("jsonl, csv, lp"), std::string::npos) << format.error().message;
  }
}

TEST_F(Transfer, TheStateOfAnImport) {
  const std::string path = Path("state");
  const ImportState wanted{.target = "http://a:1", .database = "d b", .source = "csv 5 a b.csv"};
  const auto none = ReadState(path, wanted);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->pieces, 0U);
  ImportState state = wanted;
  state.pieces = 17;
  ASSERT_TRUE(WriteState(path, state).ok());
  const auto back = ReadState(path, wanted);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, state);
  // Another source, and what is there already in another place, or in another database.
  for (const auto& [member, name] :
       {std::pair{&ImportState::source, "source"}, std::pair{&ImportState::target, "target"},
        std::pair{&ImportState::database, "database"}}) {
    ImportState other = wanted;
    other.*member = "another";
    const auto refused = ReadState(path, other);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
    EXPECT_NE(refused.error().message.find(std::string("of another ") + name), std::string::npos)
        << refused.error().message;
  }
  WriteText("state", "tidemark-import 1 17 csv 5 a b.csv\n");
  EXPECT_EQ(ReadState(path, wanted).error().code, ErrorCode::kConflict);
  WriteText("state", "tidemark-import 2 17\ntarget http://a:1\n");
  EXPECT_EQ(ReadState(path, wanted).error().code, ErrorCode::kCorruption);
  WriteText("state", "something else\n");
  EXPECT_EQ(ReadState(path, wanted).error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace tidemark::cli
