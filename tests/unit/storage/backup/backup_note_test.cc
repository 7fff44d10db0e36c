#include "storage/backup/backup_note.h"

#include <gtest/gtest.h>

namespace tidemark::storage::backup {
namespace {

TEST(BackupNoteTest, IsReadBack) {
  const BackupNote note{.store_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", .made_ns = 1'700'000'000'000'000'001};
  const auto read = DecodeNote(Encode(note));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, note);
}

TEST(BackupNoteTest, WhatIsNoNoteSaysSo) {
  struct Case {
    std::string_view text;
    ErrorCode code;
  };
  for (const Case& c :
       {Case{"", ErrorCode::kCorruption}, Case{"other 1 a 2", ErrorCode::kCorruption},
        Case{"tidemark-backup 2 a 2", ErrorCode::kUnsupported}, Case{"tidemark-backup 1", ErrorCode::kCorruption},
        Case{"tidemark-backup 1 a", ErrorCode::kCorruption}, Case{"tidemark-backup 1 a 2x", ErrorCode::kCorruption},
        Case{"tidemark-backup 1 a 2 ", ErrorCode::kCorruption}}) {
    const auto read = DecodeNote(c.text);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_EQ(read.error().code, c.code) << c.text;
  }
}

}  // namespace
}  // namespace tidemark::storage::backup
