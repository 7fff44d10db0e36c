#include "storage/partition/epoch.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/partition/page_search.h"

namespace tidemark::storage::partition {

Epoch::Epoch(const meta::EpochRecord& record, std::shared_ptr<const rocks::RocksStore> rocks,
             std::shared_ptr<rocks::Graveyard> graveyard)
    : record_(record), rocks_(std::move(rocks)), graveyard_(std::move(graveyard)) {}

Epoch::~Epoch() {
  if (retired_.load(std::memory_order_relaxed)) {
    graveyard_->Bury(meta::KeysOf(record_));
  }
}

rocks::PageKey Epoch::KeyOf(const PageInfo& page) const {
  return {record_.database, record_.partition_start_ns, record_.epoch, page.tier, page.measurement,
          page.field,       page.first_series,          page.part};
}

Result<rocks::PageBytes> Epoch::GetPage(const rocks::PageKey& key) const {
  return record_.in_meta ? rocks_->GetPage(rocks::Family::kMeta, rocks::PageMetaKey(key))
                         : rocks_->GetPage(rocks::Family::kData, rocks::EncodePageKey(key));
}

Result<PageDirectory> Epoch::ReadDirectory() const {
  PageInfo place;
  place.tier = rocks::kDirectoryTier;
  const rocks::PageKey key = KeyOf(place);
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
  return decoded;
}

Result<const PageDirectory*> Epoch::Directory() const {
  if (const PageDirectory* known = directory_.load(std::memory_order_acquire); known != nullptr) return known;
  MutexLock lock(mutex_);
  if (loaded_ != nullptr) return loaded_.get();
  if (hopeless_) return *hopeless_;
  auto directory = ReadDirectory();
  if (!directory.ok() && directory.error().code == ErrorCode::kCorruption) {
    auto found = SearchPages(record_, *rocks_);
    if (!found.ok()) {
      // Nothing of it can be found, and each look would read all of it.
      if (found.error().code == ErrorCode::kCorruption || found.error().code == ErrorCode::kNotFound)
        hopeless_ = directory.error();
      return std::move(directory).error();
    }
    damage_ = directory.error().message;
    missing_ = found->missing;
    TM_LOG(kError, "{}; its list of {} pages was made anew of themselves{}", damage_, found->directory.pages().size(),
           missing_ == 0 ? "" : fmt::format(", and {} cannot be found", missing_));
    directory = std::move(found->directory);
  }
  if (!directory.ok()) return std::move(directory).error();
  loaded_ = std::make_unique<const PageDirectory>(std::move(directory).value());
  directory_.store(loaded_.get(), std::memory_order_release);
  return loaded_.get();
}

std::string Epoch::Loss() const {
  MutexLock lock(mutex_);
  if (missing_ == 0) return {};
  const uint64_t rows = record_.rows - std::min(record_.rows, loaded_ == nullptr ? 0 : loaded_->rows());
  return fmt::format("{} of {} pages cannot be found, with {} values: {}", missing_, record_.pages, rows, damage_);
}

std::string Epoch::DirectoryDamage() const {
  MutexLock lock(mutex_);
  return damage_;
}

Result<rocks::PageBytes> Epoch::Read(size_t index) const {
  TM_TRY_ASSIGN(const PageDirectory* directory, Directory());
  const rocks::PageKey key = KeyOf(directory->pages()[index]);
  auto bytes = GetPage(key);
  if (bytes.ok()) return bytes;
  if (bytes.error().code == ErrorCode::kNotFound) return Corruption("it is missing, and the directory names it");
  return bytes;
}

Result<std::shared_ptr<const SeriesList>> Epoch::Series() const {
  PageInfo place;
  place.tier = rocks::kDirectoryTier;
  place.part = rocks::kSeriesPart;
  const rocks::PageKey key = KeyOf(place);
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
Result<void> ForEachPage(const meta::EpochRecord& record, const PartitionPages& pages, const PageDirectory& directory,
                         const std::function<Result<void>(const rocks::PageKey&, std::string_view)>& put) {
  rocks::PageKey key;
  key.database = record.database;
  key.partition_start_ns = record.partition_start_ns;
  key.epoch = record.epoch;
  std::string buffer;
  for (const PartitionPage& page : pages.pages) {
    key.tier = page.tier;
    key.measurement = page.measurement;
    key.field = page.page.field;
    key.first_series = page.page.first_series;
    key.part = page.page.part;
    TM_TRY_ASSIGN(const std::string_view bytes, pages.BytesOf(page, &buffer));
    TM_RETURN_IF_ERROR(put(key, bytes));
  }
  key = {record.database, record.partition_start_ns, record.epoch, rocks::kDirectoryTier, {}, {}, {}, 0};
  TM_RETURN_IF_ERROR(put(key, directory.Encode()));
  if (pages.series == nullptr) return {};
  key.part = rocks::kSeriesPart;
  return put(key, pages.series->Encode());
}

// Values that are written at once.
constexpr uint64_t kStepBytes = uint64_t{8} << 20;

uint64_t BytesOf(const PartitionPages& pages) {
  uint64_t bytes = 0;
  for (const PartitionPage& page : pages.pages) bytes += page.size();
  return bytes;
}

}  // namespace

Result<meta::EpochRecord> WriteEpoch(rocks::RocksStore* rocks, const std::string& path, uint64_t small_bytes,
                                     meta::EpochRecord record, const PartitionPages& pages,
                                     const PageDirectory& directory, rocks::RecordBatch* values) {
  record.partition_start_ns = pages.partition_start_ns;
  record.partition_ns = pages.partition_ns;
  record.pages = directory.pages().size();
  record.rows = directory.rows();
  record.range = record.tiers_only ? pages.rows_range : directory.range();
  record.in_meta = BytesOf(pages) < small_bytes;
  if (!record.in_meta) {
    const std::string damage =
        rocks->DamageBehind(rocks::EpochKeys(record.database, record.partition_start_ns, record.epoch).first);
    if (!damage.empty()) {
      TM_LOG(kError, "RocksDB takes in no table before one that is damaged where it begins: {} bytes go into meta ({})",
             BytesOf(pages), damage);
      record.in_meta = true;
    }
  }
  if (record.in_meta) {
    rocks::RecordBatch step;
    uint64_t held = 0;
    TM_RETURN_IF_ERROR(
        ForEachPage(record, pages, directory, [&](const rocks::PageKey& key, std::string_view bytes) -> Result<void> {
          step.Put(rocks::Family::kMeta, rocks::PageMetaKey(key), std::string(bytes));
          record.bytes += bytes.size();
          held += bytes.size();
          if (held < kStepBytes) return {};
          held = 0;
          // Without a record they are nobody's: the next open deletes them.
          return rocks->Write(std::exchange(step, {}));
        }));
    values->Append(std::move(step));
    return record;
  }
  TM_TRY_ASSIGN(std::unique_ptr<rocks::SstWriter> writer,
                rocks::SstWriter::Open(rocks, path,
                                       {{"tidemark.format", fmt::format("{}", pages.store_version())},
                                        {"tidemark.database", fmt::format("{}", model::Number(record.database))},
                                        {"tidemark.partition_start_ns", fmt::format("{}", record.partition_start_ns)},
                                        {"tidemark.partition_ns", fmt::format("{}", record.partition_ns)},
                                        {"tidemark.epoch", fmt::format("{}", record.epoch)},
                                        {"tidemark.precedence", fmt::format("{}", record.precedence)}}));
  TM_RETURN_IF_ERROR(ForEachPage(record, pages, directory, [&](const rocks::PageKey& key, std::string_view bytes) {
    auto put = writer->Put(rocks::EncodePageKey(key), bytes);
    FailurePoint("epoch.page_written");
    return put;
  }));
  TM_TRY_ASSIGN(record.bytes, writer->Finish());
  FailurePoint("epoch.file_finished");
  return record;
}

}  // namespace tidemark::storage::partition
