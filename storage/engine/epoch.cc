#include "storage/engine/epoch.h"

#include <fmt/core.h>

#include <functional>
#include <utility>

#include "storage/base/failure_point.h"

namespace tidemark::storage {

Epoch::Epoch(const EpochRecord& record, std::shared_ptr<const RocksStore> rocks, std::shared_ptr<Graveyard> graveyard)
    : record_(record), rocks_(std::move(rocks)), graveyard_(std::move(graveyard)) {}

Epoch::~Epoch() {
  if (retired_.load(std::memory_order_relaxed)) {
    graveyard_->Bury(KeysOf(record_));
  }
}

PageKey Epoch::KeyOf(const PageInfo& page) const {
  return {record_.database, record_.partition_start_ns, record_.epoch, page.tier, page.measurement,
          page.field,       page.first_series,          page.part};
}

Result<PageBytes> Epoch::GetPage(const PageKey& key) const {
  return record_.in_meta ? rocks_->GetPage(Family::kMeta, PageMetaKey(key))
                         : rocks_->GetPage(Family::kData, EncodePageKey(key));
}

Result<const PageDirectory*> Epoch::Directory() const {
  if (const PageDirectory* known = directory_.load(std::memory_order_acquire); known != nullptr) return known;
  MutexLock lock(mutex_);
  if (loaded_ != nullptr) return loaded_.get();
  PageInfo place;
  place.tier = kDirectoryTier;
  const PageKey key = KeyOf(place);
  auto bytes = GetPage(key);
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
  auto bytes = GetPage(key);
  if (bytes.ok()) return bytes;
  if (bytes.error().code == ErrorCode::kNotFound) return Corruption("it is missing, and the directory names it");
  return bytes;
}

Result<std::shared_ptr<const SeriesList>> Epoch::Series() const {
  PageInfo place;
  place.tier = kDirectoryTier;
  place.part = kSeriesPart;
  const PageKey key = KeyOf(place);
  auto bytes = GetPage(key);
  if (!bytes.ok()) {
    if (bytes.error().code == ErrorCode::kNotFound) return std::shared_ptr<const SeriesList>();
    return std::move(bytes).error().Within(Describe(key));
  }
  auto decoded = SeriesList::Decode(bytes->bytes);
  if (!decoded.ok()) return std::move(decoded).error().Within(Describe(key));
  return std::make_shared<const SeriesList>(std::move(decoded).value());
}

std::string Epoch::Name(size_t index) const {
  auto directory = Directory();
  return directory.ok() ? Describe(KeyOf((*directory)->pages()[index])) : "a page";
}

namespace {

// Calls `put` with the key and the bytes of each page, of their directory and of the list of series, in the order of
// keys.
Result<void> ForEachPage(const EpochRecord& record, const PartitionPages& pages, const PageDirectory& directory,
                         const std::function<Result<void>(const PageKey&, std::string_view)>& put) {
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
    TM_RETURN_IF_ERROR(put(key, page.page.bytes));
  }
  key = {record.database, record.partition_start_ns, record.epoch, kDirectoryTier, {}, {}, {}, 0};
  TM_RETURN_IF_ERROR(put(key, directory.Encode()));
  if (pages.series == nullptr) return {};
  key.part = kSeriesPart;
  return put(key, pages.series->Encode());
}

uint64_t BytesOf(const PartitionPages& pages) {
  uint64_t bytes = 0;
  for (const PartitionPage& page : pages.pages) bytes += page.page.bytes.size();
  return bytes;
}

}  // namespace

Result<EpochRecord> WriteEpoch(RocksStore* rocks, const std::string& path, uint64_t small_bytes, EpochRecord record,
                               const PartitionPages& pages, const PageDirectory& directory, RecordBatch* values) {
  record.partition_start_ns = pages.partition_start_ns;
  record.partition_ns = pages.partition_ns;
  record.pages = directory.pages().size();
  record.rows = directory.rows();
  record.range = record.tiers_only ? pages.rows_range : directory.range();
  record.in_meta = BytesOf(pages) < small_bytes;
  if (record.in_meta) {
    TM_RETURN_IF_ERROR(
        ForEachPage(record, pages, directory, [&](const PageKey& key, std::string_view bytes) -> Result<void> {
          values->Put(Family::kMeta, PageMetaKey(key), std::string(bytes));
          record.bytes += bytes.size();
          return {};
        }));
    return record;
  }
  TM_TRY_ASSIGN(std::unique_ptr<SstWriter> writer,
                SstWriter::Open(rocks, path,
                                {{"tidemark.format", fmt::format("{}", kFormatVersion)},
                                 {"tidemark.database", fmt::format("{}", model::Number(record.database))},
                                 {"tidemark.partition_start_ns", fmt::format("{}", record.partition_start_ns)},
                                 {"tidemark.partition_ns", fmt::format("{}", record.partition_ns)},
                                 {"tidemark.epoch", fmt::format("{}", record.epoch)},
                                 {"tidemark.precedence", fmt::format("{}", record.precedence)}}));
  TM_RETURN_IF_ERROR(ForEachPage(record, pages, directory, [&](const PageKey& key, std::string_view bytes) {
    auto put = writer->Put(EncodePageKey(key), bytes);
    FailurePoint("epoch.page_written");
    return put;
  }));
  TM_TRY_ASSIGN(record.bytes, writer->Finish());
  FailurePoint("epoch.file_finished");
  return record;
}

}  // namespace tidemark::storage
