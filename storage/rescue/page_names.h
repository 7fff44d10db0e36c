// The names that a page's key stands for, as far as the saved index knows them.
#pragma once

#include <memory>
#include <string>

#include "storage/index/index.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_directory.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::rescue {

// The index of a database as it was saved. Errors: kCorruption, kIo.
Result<std::unique_ptr<index::Index>> LoadSavedIndex(const rocks::RocksStore& rocks,
                                                     const meta::DatabaseRecord& database);

// `m_f{host="a"}`.
std::string SeriesText(const index::Index& index, model::SeriesRef ref);

// "epoch 7 of database default, partition 2023-11-14T00:00:00Z (1 d)". `name`: of the database.
std::string NameOf(const meta::EpochRecord& epoch, const std::string& name);
// What `page` of it holds: "m.f, series m_f{host="a"} to number 9"; numbers where `index` (null: none) has no names.
std::string NameOf(const partition::PageInfo& page, const index::Index* index);

}  // namespace tidemark::storage::rescue
