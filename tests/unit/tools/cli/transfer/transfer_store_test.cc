// What one store holds another holds after an export and an import.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "storage/storage.h"
#include "tests/temp_directory.h"
#include "tests/unit/tools/transfer/hard_pieces.h"
#include "tests/unit/tools/transfer/read_lines.h"
#include "tools/cli/transfer/import_state.h"
#include "tools/cli/transfer/transfer_commands.h"
#include "tools/cli/transfer/view_pieces.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece_batch.h"

namespace tidemark::transfer {
namespace {

std::unique_ptr<storage::Store> OpenStore(const std::string& path) {
  storage::StoreOptions options;
  options.directory = path;
  options.background = false;
  auto store = storage::Store::Open(std::move(options));
  EXPECT_TRUE(store.ok()) << store.error().message;
  return std::move(store).value();
}

void WriteTo(storage::Store* store, const std::vector<Piece>& pieces) {
  model::BatchBuilder batch;
  for (const Piece& piece : pieces) {
    const Status added = AddTo(piece, &batch);
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  const auto written = store->Write("db", batch.batch());
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_EQ(written->rows_rejected, 0U);
}

std::vector<Piece> ReadAll(storage::Store* store) {
  std::vector<Piece> out;
  auto view = store->OpenView("db");
  EXPECT_TRUE(view.ok());
  auto pieces = cli::ViewPieces::Open(*view, {}, {});
  EXPECT_TRUE(pieces.ok());
  for (Piece piece;;) {
    const auto more = (*pieces)->Next(&piece);
    EXPECT_TRUE(more.ok());
    if (!more.ok() || !*more) break;
    out.push_back(piece);
  }
  EXPECT_TRUE((*pieces)->Warnings().empty());
  return out;
}

TEST(Transfer, WhatOneStoreHoldsAnotherHoldsAfterwards) {
  const std::vector<Piece> pieces = HardPieces();
  TempDirectory one;
  TempDirectory two;
  auto first = OpenStore(one.path());
  WriteTo(first.get(), pieces);
  ASSERT_TRUE(first->Checkpoint().ok());
  const std::vector<Piece> read = ReadAll(first.get());
  EXPECT_EQ(HashOfAll(read), HashOfAll(pieces));
  std::string lines;
  for (const Piece& piece : read) AppendLines(piece, &lines);
  auto second = OpenStore(two.path());
  WriteTo(second.get(), ReadLines(lines));
  EXPECT_EQ(HashOfAll(ReadAll(second.get())), HashOfAll(pieces));
  ASSERT_TRUE(second->Compact("db", {}, [](const storage::CompactionProgress&) {}).ok());
  EXPECT_EQ(HashOfAll(ReadAll(second.get())), HashOfAll(pieces));
}

// A folder with a store that a command imports into.
class ImportIntoAStore : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(OpenStore(Store())->Close().ok()); }

  [[nodiscard]] std::string Store() const { return directory_.path() + "/store"; }

  // A file of these pieces.
  [[nodiscard]] std::string FileOf(const std::vector<Piece>& pieces, const std::string& name = "a.jsonl") const {
    std::string lines;
    ExportEnd end;
    for (const Piece& piece : pieces) {
      AppendLines(piece, &lines);
      end.rows += piece.size();
    }
    AppendEnd(end, &lines);
    std::ofstream(directory_.path() + "/" + name) << lines;
    return directory_.path() + "/" + name;
  }

  [[nodiscard]] int Import(const std::string& file, const std::string& state = {}, const std::string& database = "db",
                           bool compare = true) const {
    cli::ImportFlags flags{.place = {.server = {}, .data = Store()},
                           .database = database,
                           .source = file,
                           .format = {},
                           .state = state,
                           .compare = compare};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = cli::RunImportFile(flags);
    out_ = testing::internal::GetCapturedStdout();
    out_ += testing::internal::GetCapturedStderr();
    return code;
  }

  [[nodiscard]] LogicalHash Stored() const {
    const auto store = OpenStore(Store());
    return HashOfAll(ReadAll(store.get()));
  }

  TempDirectory directory_;
  mutable std::string out_;  // what the last import printed
};

constexpr int64_t kBeyondDoubles = 9'007'199'254'740'993;

Piece Labelled(const std::string& host, FieldType type, int64_t ns, uint64_t bits) {
  Piece piece = Of("v", type, {bits}, {{"host", host}});
  piece.times_ns[0] = kT0 + ns;
  return piece;
}

TEST_F(ImportIntoAStore, AWidenedFieldComesBackAsItWas) {
  // Series whose integers stand behind floats of others, and of themselves.
  const std::vector<Piece> pieces{Labelled("a", FieldType::kFloat, 0, Bits(1.5)),
                                  Labelled("a", FieldType::kInt, 1, Bits(kBeyondDoubles)),
                                  Labelled("b", FieldType::kInt, 0, Bits(kBeyondDoubles)),
                                  Labelled("b", FieldType::kFloat, 1, Bits(2.5)), Labelled("c", FieldType::kInt, 0, 7)};
  {
    TempDirectory one;
    const auto store = OpenStore(one.path());
    WriteTo(store.get(), {pieces[1], pieces[2], pieces[4]});
    WriteTo(store.get(), {pieces[0], pieces[3]});
    EXPECT_EQ(HashOfAll(ReadAll(store.get())), HashOfAll(pieces)) << "the store has rows of both types";
  }
  EXPECT_EQ(Import(FileOf(pieces)), 0) << out_;
  EXPECT_EQ(Stored(), HashOfAll(pieces)) << out_;
}

TEST_F(ImportIntoAStore, IntegersInAFieldOfFloatsAreToldFromLostOnes) {
  ASSERT_EQ(Import(FileOf({Labelled("other", FieldType::kFloat, 0, Bits(0.5))})), 0) << out_;
  EXPECT_EQ(
      Import(FileOf({Labelled("a", FieldType::kInt, 0, 7), Labelled("a", FieldType::kInt, 1, Bits(kBeyondDoubles))},
                    "b.jsonl")),
      1);
  EXPECT_NE(out_.find("the source has the integer 7, the database the float 7: its field is of that type"),
            std::string::npos)
      << out_;
  EXPECT_NE(out_.find("1 are there with the same value as another type"), std::string::npos) << out_;
  EXPECT_NE(out_.find("no float is equal to the integer 9007199254740993"), std::string::npos) << out_;
  EXPECT_NE(out_.find("1 are missing"), std::string::npos) << out_;
}

TEST_F(ImportIntoAStore, AStateIsOfOneDatabase) {
  // Two writes: of the first the state says that it is done.
  std::vector<Piece> pieces;
  for (int64_t i = 0; i < 3; ++i) pieces.push_back(Labelled("a", FieldType::kInt, i, static_cast<uint64_t>(i)));
  const std::string file = FileOf(pieces);
  const std::string state = directory_.path() + "/state";
  const auto bytes = std::filesystem::file_size(file);
  cli::ImportState before{.pieces = 2,
                          .target = std::filesystem::weakly_canonical(Store()).string(),
                          .database = "db",
                          .source = "jsonl " + std::to_string(bytes) + " " + file};
  ASSERT_TRUE(cli::WriteState(state, before).ok());
  // Another database, and the same one that is not there any more.
  EXPECT_EQ(Import(file, state, "two", /*compare=*/false), 2) << out_;
  EXPECT_NE(out_.find("of another database"), std::string::npos) << out_;
  EXPECT_EQ(Import(file, state, "db", /*compare=*/false), 2) << out_;
  EXPECT_NE(out_.find("which is not there"), std::string::npos) << out_;
  {
    const auto store = OpenStore(Store());
    WriteTo(store.get(), {pieces[0], pieces[1]});
    ASSERT_TRUE(store->Close().ok());
  }
  EXPECT_EQ(Import(file, state), 0) << out_;
  EXPECT_TRUE(out_.starts_with("1 point imported")) << out_;
  EXPECT_NE(out_.find("2 of the source's 3 points had been sent by an earlier run"), std::string::npos) << out_;
  EXPECT_EQ(Stored(), HashOfAll(pieces));
  EXPECT_FALSE(std::filesystem::exists(state));
}

}  // namespace
}  // namespace tidemark::transfer
