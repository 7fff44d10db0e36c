#include "storage/check/check_records.h"

#include <fmt/core.h>

#include <memory>
#include <vector>

#include "storage/documents/document_check.h"
#include "storage/meta/mask_spec.h"
#include "storage/meta/meta_store.h"
#include "storage/partition/epoch.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_names.h"

namespace tidemark::storage::check {

Result<void> CheckRecords(const rocks::RocksStore& rocks) {
  // It only reads; what it is given it shares for as long as it lives.
  const std::shared_ptr<rocks::RocksStore> borrowed(const_cast<rocks::RocksStore*>(&rocks), [](auto*) {});
  meta::MetaStore meta(borrowed, std::make_shared<rocks::Graveyard>());
  if (auto loaded = meta.Load(); !loaded.ok()) {
    Error error = std::move(loaded).error();
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kCorruption;
    return error;
  }
  documents::DocumentCheck documents;
  TM_RETURN_IF_ERROR(rocks.ForEach(rocks::Family::kMeta, "", [&](std::string_view key, std::string_view value) {
    return documents.See(key, value);
  }));
  for (const meta::MaskRecord& mask : meta.masks()) TM_RETURN_IF_ERROR(meta::DecodeMaskSpec(mask.spec));
  for (const meta::DatabaseRecord& database : meta.databases()) {
    if (auto index = rescue::LoadSavedIndex(rocks, database); !index.ok()) {
      return std::move(index).error().Within(fmt::format("the index of database {}", database.name));
    }
  }
  return {};
}

Result<std::set<meta::EpochId>> FindDamagedEpochs(const rocks::RocksStore& rocks,
                                                  const std::function<void(uint64_t pages)>& progress) {
  constexpr uint64_t kPagesPerProgress = 10'000;
  const std::shared_ptr<rocks::RocksStore> borrowed(const_cast<rocks::RocksStore*>(&rocks), [](auto*) {});
  std::vector<meta::EpochRecord> records;
  TM_RETURN_IF_ERROR(rocks.ForEach(rocks::Family::kMeta, rocks::kEpochPrefix,
                                   [&](std::string_view, std::string_view value) -> Result<void> {
                                     TM_TRY_ASSIGN(records.emplace_back(), meta::DecodeEpochRecord(value));
                                     return {};
                                   }));
  std::set<meta::EpochId> damaged;
  uint64_t read = 0;
  for (const meta::EpochRecord& record : records) {
    const partition::Epoch epoch(record, borrowed, std::make_shared<rocks::Graveyard>());
    const auto directory = epoch.Directory();
    bool whole = directory.ok() && epoch.DirectoryDamage().empty() && epoch.Series().ok();
    for (size_t i = 0; whole && i < (*directory)->pages().size(); ++i) {
      whole = rescue::CheckPage(epoch, i).ok();
      if (++read % kPagesPerProgress == 0 && progress) progress(read);
    }
    if (!whole) damaged.emplace(record.database, record.epoch);
  }
  return damaged;
}

Result<void> CheckFirstPages(const rocks::RocksStore& rocks) {
  TM_TRY_ASSIGN(const std::vector<rocks::DataFile> files, rocks.DataFiles());
  for (const rocks::DataFile& file : files) {
    auto page = rocks.GetPage(rocks::Family::kData, file.smallest);
    if (!page.ok()) {
      return std::move(page).error().Within(fmt::format("{}: nothing can be written before it", file.name));
    }
  }
  return {};
}

}  // namespace tidemark::storage::check
