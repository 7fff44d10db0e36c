// What one store holds another holds after an export and an import.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/storage.h"
#include "tests/temp_directory.h"
#include "tests/unit/tools/transfer/hard_pieces.h"
#include "tests/unit/tools/transfer/read_lines.h"
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

}  // namespace
}  // namespace tidemark::transfer
