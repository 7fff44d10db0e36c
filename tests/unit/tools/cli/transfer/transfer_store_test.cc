// What one store holds another holds after an export and an import.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/storage.h"
#include "tests/unit/tools/transfer/hard_pieces.h"
#include "tools/cli/transfer/view_pieces.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece_batch.h"

namespace tidemark::transfer {
namespace {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tidemark-transfer-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

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

std::vector<Piece> ReadLines(const std::string& lines) {
  std::vector<Piece> out;
  LineReader reader;
  ExportEnd end;
  size_t at = 0;
  for (size_t next; (next = lines.find('\n', at)) != std::string::npos; at = next + 1) {
    Piece piece;
    const auto kind = reader.Read(std::string_view(lines).substr(at, next - at), &piece, &end);
    EXPECT_TRUE(kind.ok()) << kind.error().message;
    if (kind.ok() && *kind == LineReader::Kind::kPiece) out.push_back(std::move(piece));
  }
  return out;
}

TEST(Transfer, WhatOneStoreHoldsAnotherHoldsAfterwards) {
  const std::vector<Piece> pieces = HardPieces();
  Folder one;
  Folder two;
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

}  // namespace
}  // namespace tidemark::transfer
