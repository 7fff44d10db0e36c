#include "storage/engine/epoch.h"

#include <fmt/core.h>

#include <utility>

#include "storage/base/failure_point.h"

namespace tidemark::storage {

void Graveyard::Bury(KeyRange range) {
  MutexLock lock(mutex_);
  ranges_.push_back(std::move(range));
}

std::vector<KeyRange> Graveyard::TakeAll() {
  MutexLock lock(mutex_);
  return std::exchange(ranges_, {});
}

Epoch::Epoch(const EpochRecord& record, std::shared_ptr<const RocksStore> rocks, std::shared_ptr<Graveyard> graveyard)
    : record_(record), rocks_(std::move(rocks)), graveyard_(std::move(graveyard)) {}

Epoch::~Epoch() {
  if (retired_.load(std::memory_order_relaxed)) {
    graveyard_->Bury(EpochKeys(record_.database, record_.partition_start_ns, record_.epoch));
  }
}

PageKey Epoch::KeyOf(const PageInfo& page) const {
  return {record_.database, record_.partition_start_ns, record_.epoch, page.tier, page.measurement,
          page.field,       page.first_series,          page.part};
}

Result<const PageDirectory*> Epoch::Directory() const {
  if (const PageDirectory* known = directory_.load(std::memory_order_acquire); known != nullptr) return known;
  MutexLock lock(mutex_);
  if (loaded_ != nullptr) return loaded_.get();
  PageInfo place;
  place.tier = kDirectoryTier;
  const PageKey key = KeyOf(place);
  auto bytes = rocks_->GetPage(EncodePageKey(key));
  if (!bytes.ok()) {
    if (bytes.error().code == ErrorCode::kNotFound) return Corruption(fmt::format("{} is missing", Describe(key)));
    return std::move(bytes).error().Within(Describe(key));
  }
  auto decoded = PageDirectory::Decode(bytes->bytes);
  if (!decoded.ok()) return std::move(decoded).error().Within(Describe(key));
  if (decoded->pages().size() != record_.pages) {
    return Corruption(
        fmt::format("{} lists {} pages, meta says {}", Describe(key), decoded->pages().size(), record_.pages));
  }
  loaded_ = std::make_unique<const PageDirectory>(std::move(decoded).value());
  directory_.store(loaded_.get(), std::memory_order_release);
  return loaded_.get();
}

Result<PageBytes> Epoch::Read(size_t index) const {
  TM_TRY_ASSIGN(const PageDirectory* directory, Directory());
  const PageKey key = KeyOf(directory->pages()[index]);
  auto bytes = rocks_->GetPage(EncodePageKey(key));
  if (bytes.ok()) return bytes;
  if (bytes.error().code == ErrorCode::kNotFound) return Corruption("it is missing, and the directory names it");
  return bytes;
}

std::string Epoch::Name(size_t index) const {
  auto directory = Directory();
  return directory.ok() ? Describe(KeyOf((*directory)->pages()[index])) : "a page";
}

Result<EpochRecord> WriteEpochFile(RocksStore* rocks, const std::string& path, EpochRecord record,
                                   const PartitionPages& pages, const PageDirectory& directory) {
  record.partition_start_ns = pages.partition_start_ns;
  record.partition_ns = pages.partition_ns;
  record.pages = directory.pages().size();
  record.rows = directory.rows();
  record.range = record.tiers_only ? pages.rows_range : directory.range();
  TM_TRY_ASSIGN(std::unique_ptr<SstWriter> writer,
                SstWriter::Open(rocks, path,
                                {{"tidemark.format", fmt::format("{}", kFormatVersion)},
                                 {"tidemark.database", fmt::format("{}", model::Number(record.database))},
                                 {"tidemark.partition_start_ns", fmt::format("{}", record.partition_start_ns)},
                                 {"tidemark.partition_ns", fmt::format("{}", record.partition_ns)},
                                 {"tidemark.epoch", fmt::format("{}", record.epoch)},
                                 {"tidemark.precedence", fmt::format("{}", record.precedence)}}));
  PageKey key;
  key.database = record.database;
  key.partition_start_ns = record.partition_start_ns;
  key.epoch = record.epoch;
  for (const PartitionPage& page : pages.pages) {
    key.tier = page.tier;
    key.measurement = page.measurement;
    key.field = page.page.field;
    key.first_series = page.page.first_series;
    key.part = page.page.part;
    TM_RETURN_IF_ERROR(writer->Put(EncodePageKey(key), page.page.bytes));
    FailurePoint("epoch.page_written");
  }
  key = {record.database, record.partition_start_ns, record.epoch, kDirectoryTier, {}, {}, {}, 0};
  TM_RETURN_IF_ERROR(writer->Put(EncodePageKey(key), directory.Encode()));
  TM_TRY_ASSIGN(record.bytes, writer->Finish());
  FailurePoint("epoch.file_finished");
  return record;
}

}  // namespace tidemark::storage
