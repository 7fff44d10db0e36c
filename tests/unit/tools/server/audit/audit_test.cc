// The audit log: what is written down, that a change of it is found, and that a stop in the middle of a write is none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "tests/temp_directory.h"
#include "tests/unit/tools/server/access/memory_documents.h"
#include "tools/server/audit/auditor.h"

namespace tidemark::server::audit {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1'000'000'000;

class NamedCaller final : public http::Caller {
 public:
  explicit NamedCaller(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] bool May(http::Access /*access*/, std::string_view /*database*/) const override { return true; }
  [[nodiscard]] bool MayEverywhere(http::Access /*access*/) const override { return true; }
  [[nodiscard]] bool MaySomewhere(http::Access /*access*/) const override { return true; }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return nullptr; }
  [[nodiscard]] quota::Account* account() const override { return nullptr; }
  [[nodiscard]] bool revoked() const override { return false; }

 private:
  const std::string name_;
};

http::Request RequestOf(const std::string& who, const std::string& path, const std::string& query = "") {
  http::Request request;
  request.method = http::Method::kPost;
  request.method_name = "POST";
  request.path = path;
  request.peer = "192.0.2.1:4711";
  request.caller = std::make_shared<NamedCaller>(who);
  EXPECT_TRUE(text::ParseForm(query, &request.params).ok());
  return request;
}

std::string TextOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class AuditTest : public ::testing::Test {
 protected:
  void Open() {
    auditor_.reset();
    Result<std::unique_ptr<Auditor>> started = Auditor::Start(folder(), &documents_, &clock_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    auditor_ = std::move(started).value();
  }
  [[nodiscard]] std::string folder() const { return directory_.Below("audit"); }
  [[nodiscard]] fs::path File() const { return fs::directory_iterator(folder())->path(); }
  std::vector<Record> List(std::string_view who = "", size_t limit = 100) {
    Result<std::vector<Record>> records = auditor_->List(who, limit);
    EXPECT_TRUE(records.ok());
    return std::move(records).value();
  }
  std::string Broken() {
    const Result<std::string> broken = auditor_->Verify();
    EXPECT_TRUE(broken.ok()) << broken.error().message;
    return *broken;
  }
  void Rewrite(const std::string& text) { std::ofstream(File(), std::ios::binary | std::ios::trunc) << text; }

  TempDirectory directory_;
  access::MemoryDocuments documents_;
  ManualClock clock_{1'700'000'000 * kSecond};
  std::unique_ptr<Auditor> auditor_;
};

TEST_F(AuditTest, AnActIsWrittenWhenChangedReturns) {
  Open();
  auditor_->Changed(RequestOf("ada", "/api/v1/admin/delete", "db=metrics&match[]=cpu"), 200);
  const std::vector<Record> records = List();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].sequence, 1U);
  EXPECT_EQ(records[0].who, "ada");
  EXPECT_EQ(records[0].from, "192.0.2.1:4711");
  EXPECT_EQ(records[0].act, "POST /api/v1/admin/delete");
  EXPECT_EQ(records[0].target, "db=metrics&match[]=cpu");
  EXPECT_EQ(records[0].status, 200);
  EXPECT_EQ(records[0].time_ns, clock_.NowNs());
  EXPECT_EQ(Broken(), "");
}

TEST_F(AuditTest, NoSecretIsWritten) {
  Open();
  auditor_->Changed(RequestOf("ada", "/api/v1/session", "token=tidemark_planted&p=planted2&u=planted3&db=a"), 200);
  auditor_.reset();
  EXPECT_EQ(TextOf(File()).find("planted"), std::string::npos) << TextOf(File());
}

TEST_F(AuditTest, NoPasswordOfAStatementIsWritten) {
  Open();
  for (const std::string statement :
       {"CREATE+USER+ada+WITH+PASSWORD+'planted'", "create+user+ada+with+Password+\"planted\"+WITH+ALL+PRIVILEGES",
        "SET+PASSWORD+FOR+ada+=+'pla\\'nted planted'", "CREATE+USER+ada+WITH+PASSWORD'planted",
        "DROP+DATABASE+x;SET+PASSWORD+FOR+b+%3D%20'planted'"}) {
    auditor_->Changed(RequestOf("ada", "/query", "db=a&q=" + statement), 200);
  }
  auditor_->Changed(RequestOf("ada", "/query", "db=a&q=DROP+SERIES+FROM+kept"), 200);
  EXPECT_EQ(List()[0].target, "db=a&q=DROP SERIES FROM kept");
  EXPECT_EQ(List()[1].target, "db=a&q=DROP DATABASE x;SET PASSWORD (not told)");
  auditor_.reset();
  EXPECT_EQ(TextOf(File()).find("planted"), std::string::npos) << TextOf(File());
}

TEST_F(AuditTest, RefusalsOfOneKindAreOneLine) {
  Open();
  for (int i = 0; i < 1'000; ++i) auditor_->Refused(RequestOf("nobody", "/write"), 401, "no token");
  auditor_->Refused(RequestOf("nobody", "/write"), 403, "not here");
  auditor_.reset();  // writes what waits
  Open();
  const std::vector<Record> records = List();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].count + records[1].count, 1'001U);
  EXPECT_EQ(records[0].from, "192.0.2.1");
  EXPECT_EQ(records[0].why, records[0].status == 401 ? "no token" : "not here");
  EXPECT_EQ(Broken(), "");
}

TEST_F(AuditTest, GoesOnBehindWhatIsThere) {
  for (int i = 1; i <= 3; ++i) {
    Open();
    auditor_->Changed(RequestOf("ada", "/a" + std::to_string(i)), 200);
    EXPECT_EQ(List().front().sequence, static_cast<uint64_t>(i));
  }
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(List("", 2).size(), 2U);
  EXPECT_EQ(List("", 2).front().act, "POST /a3");
  EXPECT_TRUE(List("somebody").empty());
}

TEST_F(AuditTest, ALineThatATornWriteLeftIsCutOff) {
  Open();
  auditor_->Changed(RequestOf("ada", "/one"), 200);
  auditor_.reset();
  std::ofstream(File(), std::ios::binary | std::ios::app) << R"({"sequence":2,"time":"2023)";
  Open();
  EXPECT_EQ(Broken(), "");
  auditor_->Changed(RequestOf("ada", "/two"), 200);
  EXPECT_EQ(List().size(), 2U);
  EXPECT_EQ(Broken(), "");
}

TEST_F(AuditTest, WhateverIsChangedIsFound) {
  Open();
  for (const std::string path : {"/one", "/two", "/three"}) auditor_->Changed(RequestOf("ada", path), 200);
  const std::string good = TextOf(File());
  const size_t second = good.find('\n') + 1;
  const size_t third = good.find('\n', second) + 1;
  std::string other = good;
  other.replace(other.find("ada"), 3, "eve");
  Rewrite(other);
  EXPECT_NE(Broken().find(":1:"), std::string::npos) << Broken();
  Rewrite(good.substr(0, second) + good.substr(third));
  EXPECT_NE(Broken(), "") << "a line in the middle is gone";
  Rewrite(good.substr(0, third));
  EXPECT_NE(Broken().find("removed"), std::string::npos) << Broken();
  Rewrite(good.substr(second));
  EXPECT_NE(Broken().find("the lines before it are gone"), std::string::npos) << Broken();
  Rewrite("");
  EXPECT_NE(Broken(), "");
  Rewrite(good);
  EXPECT_EQ(Broken(), "");
}

// The lines from `first` on with another name in them, each with the hash that it must have behind the one before.
std::string Forged(const std::string& good, size_t first, const std::string& who) {
  std::string out;
  access::SecretHash before = {};
  size_t number = 0;
  for (std::istringstream lines(good); std::getline(lines, out);) number += out.empty() ? 0 : 1;
  out.clear();
  std::istringstream lines(good);
  std::string line;
  for (size_t i = 1; i <= number; ++i) {
    std::getline(lines, line);
    Result<ReadLink> link = ReadRecord(line, before);
    EXPECT_TRUE(link.ok());
    if (i >= first) link->record.who = who;
    Link printed = PrintRecord(link->record, before);
    before = printed.hash;
    out += printed.line + "\n";
  }
  return out;
}

TEST_F(AuditTest, WhatIsChangedUnderARunningServerStaysFound) {
  for (const std::string what : {"cut", "forged", "added", "removed"}) {
    SCOPED_TRACE(what);
    fs::remove_all(folder());
    ASSERT_TRUE(documents_.Delete(kHeadKind, kHeadName, "test").ok() || what == "cut");
    Open();
    for (const std::string path : {"/one", "/two", "/three"}) auditor_->Changed(RequestOf("eve", path), 200);
    ASSERT_EQ(Broken(), "");
    const std::string good = TextOf(File());
    const size_t third = good.find('\n', good.find('\n') + 1) + 1;
    if (what == "cut") Rewrite(good.substr(0, third));
    if (what == "forged") Rewrite(Forged(good, 3, "bob"));
    if (what == "removed") fs::remove(File());
    if (what == "added") {
      access::SecretHash last = {};
      std::istringstream lines(good);
      for (std::string line; std::getline(lines, line);) last = ReadRecord(line, last)->hash;
      Rewrite(good + PrintRecord({.sequence = 4, .who = "bob", .act = "x", .status = 200}, last).line + "\n");
    }
    EXPECT_NE(Broken(), "");
    // It does not become whole by what is written later, nor by a restart before or behind that.
    auditor_->Changed(RequestOf("eve", "/four"), 200);
    EXPECT_NE(Broken(), "");
    Open();
    EXPECT_NE(Broken(), "");
    auditor_->Changed(RequestOf("eve", "/five"), 200);
    EXPECT_NE(Broken(), "");
    EXPECT_EQ(List("", 1).front().act, "POST /five");
  }
}

TEST_F(AuditTest, WhatIsChangedWhileNoServerRunsStaysFound) {
  for (const std::string what : {"cut", "forged", "removed"}) {
    SCOPED_TRACE(what);
    auditor_.reset();
    fs::remove_all(folder());
    ASSERT_TRUE(documents_.Delete(kHeadKind, kHeadName, "test").ok() || what == "cut");
    Open();
    for (const std::string path : {"/one", "/two", "/three"}) auditor_->Changed(RequestOf("eve", path), 200);
    auditor_.reset();
    const std::string good = TextOf(File());
    if (what == "cut") Rewrite(good.substr(0, good.find('\n') + 1));
    if (what == "forged") Rewrite(Forged(good, 2, "bob"));
    if (what == "removed") fs::remove(File());
    Open();
    EXPECT_NE(Broken(), "");
    auditor_->Changed(RequestOf("eve", "/four"), 200);
    EXPECT_NE(Broken(), "");
    Open();
    auditor_->Changed(RequestOf("eve", "/five"), 200);
    EXPECT_NE(Broken(), "");
  }
}

TEST_F(AuditTest, OldFilesGo) {
  Open();
  Result<LogFiles> files = LogFiles::Open(directory_.Below("other"), {});
  ASSERT_TRUE(files.ok());
  std::vector<Record> batch(4'000, Record{.who = "ada", .from = "x", .act = "a", .target = std::string(1'000, 't')});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(files->Append(batch).ok());
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory_.Below("other"))) ++count;
  EXPECT_EQ(count, kMaxFiles);
  uint64_t read = 0;
  const Result<Found> found = ReadLog(directory_.Below("other"), files->head(), [&](const Record&) { ++read; });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->broken, "");
  EXPECT_TRUE(found->met);
  EXPECT_EQ(read, kMaxFiles * batch.size());
  EXPECT_EQ(found->head, files->head());
}

}  // namespace
}  // namespace tidemark::server::audit
