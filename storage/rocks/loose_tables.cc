#include "storage/rocks/loose_tables.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include <charconv>
#include <utility>

#include "storage/base/lent_thread.h"
#include "storage/base/printable.h"
#include "storage/rocks/rocks_options.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

// Tables that are open at once, a file descriptor each.
constexpr size_t kMaxOpen = 512;
constexpr size_t kCacheBytes = size_t{64} << 20;

rocksdb::Options TableOptions(rocksdb::Env* env, bool pages, size_t cache_bytes) {
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  return {MakeDbOptions(env, {}), pages ? MakeDataOptions(cache) : MakeRecordOptions(cache)};
}

template <typename T>
bool Read(const rocksdb::UserCollectedProperties& properties, const std::string& name, T* value) {
  const auto found = properties.find(name);
  if (found == properties.end()) return false;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<TableSight> LookAtTable(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& path, bool whole) {
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
  TableSight sight;
  TM_RETURN_IF_ERROR(FromRocks(env->GetFileSize(path, &sight.bytes), path));
  rocksdb::SstFileReader reader(TableOptions(env.get(), /*pages=*/false, /*cache_bytes=*/0));
  rocksdb::Status status = reader.Open(path);
  if (status.ok() && whole) status = reader.VerifyChecksum();
  if (!status.ok()) return Corruption(Printable(status.ToString()));
  const auto properties = reader.GetTableProperties();
  if (properties->column_family_name == "index") {
    sight.kind = TableSight::Kind::kIndex;
  } else if (properties->column_family_name == "meta") {
    sight.kind = TableSight::Kind::kMeta;
  } else {
    const rocksdb::UserCollectedProperties& own = properties->user_collected_properties;
    uint32_t database = 0;
    if (!Read(own, "tidemark.database", &database)) return sight;
    sight.database = model::DatabaseId{database};
    const bool all = Read(own, "tidemark.partition_start_ns", &sight.partition_start_ns) &&
                     Read(own, "tidemark.partition_ns", &sight.partition_ns) &&
                     Read(own, "tidemark.epoch", &sight.epoch) && Read(own, "tidemark.precedence", &sight.precedence);
    if (!all) return Corruption("its properties do not say which epoch it is");
    sight.kind = TableSight::Kind::kPages;
    // One each: an iterator that failed stays so.
    const std::unique_ptr<rocksdb::Iterator> first(reader.NewIterator(rocksdb::ReadOptions()));
    first->SeekToFirst();
    const std::unique_ptr<rocksdb::Iterator> last(reader.NewIterator(rocksdb::ReadOptions()));
    last->SeekToLast();
    sight.ends_readable = first->Valid() && last->Valid();
  }
  return sight;
}

LooseTables::LooseTables(std::shared_ptr<rocksdb::FileSystem> files)
    : files_(std::move(files)), env_(rocksdb::NewCompositeEnv(files_)) {}

LooseTables::~LooseTables() = default;

void LooseTables::Add(const TableSight& sight, std::string path) {
  paths_.insert_or_assign({sight.database, sight.partition_start_ns, sight.epoch}, std::move(path));
}

Result<std::shared_ptr<rocksdb::SstFileReader>> LooseTables::ReaderOf(const EpochPlace& place) const {
  const auto path = paths_.find(place);
  if (path == paths_.end()) return NotFound("no table has it");
  MutexLock lock(mutex_);
  if (const auto open = readers_.find(place); open != readers_.end()) return open->second;
  if (readers_.size() >= kMaxOpen) readers_.clear();  // those that are being read live on until then
  auto reader =
      std::make_shared<rocksdb::SstFileReader>(TableOptions(env_.get(), /*pages=*/true, kCacheBytes / kMaxOpen));
  if (const rocksdb::Status status = reader->Open(path->second); !status.ok())
    return Corruption(Printable(status.ToString()));
  readers_.emplace(place, reader);
  return reader;
}

Result<PageBytes> LooseTables::Get(std::string_view key) const {
  ThisThreadIsBusy();
  TM_TRY_ASSIGN(const PageKey page, DecodePageKey(key));
  TM_TRY_ASSIGN(const auto reader, ReaderOf({page.database, page.partition_start_ns, page.epoch}));
  const std::unique_ptr<rocksdb::Iterator> at(reader->NewIterator(rocksdb::ReadOptions()));
  at->Seek({key.data(), key.size()});
  if (!at->status().ok()) return Corruption(Printable(at->status().ToString()));
  if (!at->Valid() || std::string_view(at->key().data(), at->key().size()) != key) return NotFound("no table has it");
  auto bytes = std::make_shared<const std::string>(at->value().data(), at->value().size());
  return PageBytes{*bytes, bytes};
}

namespace {

std::string_view KeyAt(const rocksdb::Iterator& at) { return {at.key().data(), at.key().size()}; }

// `key` plus 2^bit, both as one big-endian number; "" where that is none of as many bytes.
std::string Further(std::string key, size_t bit) {
  unsigned carry = 1U << (bit % 8);
  for (size_t at = key.size() - bit / 8; at-- > 0 && carry != 0;) {
    const unsigned sum = static_cast<unsigned char>(key[at]) + carry;
    key[at] = static_cast<char>(sum & 0xFFU);
    carry = sum >> 8U;
  }
  return carry != 0 ? std::string() : key;
}

// Which block it is that cannot be read: RocksDB's words end with the file, the offset and the size of it.
std::string BlockOf(const rocksdb::Status& damage) {
  std::string text = damage.ToString();
  const size_t at = text.rfind(" in ");
  return at == std::string::npos ? text : text.substr(at);
}

// Half of the sum of two numbers of as many bytes.
std::string Middle(const std::string& a, const std::string& b) {
  std::string sum = a;
  unsigned carry = 0;
  for (size_t at = sum.size(); at-- > 0;) {
    carry += static_cast<unsigned>(static_cast<unsigned char>(a[at])) + static_cast<unsigned char>(b[at]);
    sum[at] = static_cast<char>(carry & 0xFFU);
    carry >>= 8U;
  }
  for (char& byte : sum) {
    const unsigned value = carry << 8U | static_cast<unsigned char>(byte);
    byte = static_cast<char>(value >> 1U);
    carry = value & 1U;
  }
  return sum;
}

// The first key behind `from` that does not lead into the same damaged `block`, where it does; "" when that is none
// before `end`. Which block a key leads into is known from the table's index, so what it leads into next may be damaged
// as well. Looks at distances that double, and then between the last two.
std::string FirstBehind(const NewIterator& make, const std::string& block, const std::string& from,
                        const std::string& end) {
  const auto leads_there = [&](const std::string& key) {
    const std::unique_ptr<rocksdb::Iterator> at = make();
    at->Seek(key);
    return !at->Valid() && at->status().IsCorruption() && BlockOf(at->status()) == block;
  };
  std::string there = from;
  std::string behind;
  for (size_t bit = 0; behind.empty(); ++bit) {
    std::string probe = bit < from.size() * 8 ? Further(from, bit) : std::string();
    if (probe.empty() || probe >= end) {
      probe = end;
      if (leads_there(probe)) return {};
      behind = std::move(probe);
    } else if (leads_there(probe)) {
      there = std::move(probe);
    } else {
      behind = std::move(probe);
    }
  }
  for (std::string middle = Middle(there, behind); middle != there; middle = Middle(there, behind)) {
    (leads_there(middle) ? there : behind) = std::move(middle);
  }
  return behind < end ? behind : std::string();
}

}  // namespace

Result<uint64_t> VisitReadable(const NewIterator& make, const KeyRange& range, const VisitKey& visit) {
  uint64_t gaps = 0;
  std::string from = range.first;
  std::string end = range.end;
  // As long as a key, so that distances are those of keys.
  if (from.size() < kPageKeyBytes) from.resize(kPageKeyBytes, '\0');
  if (end.size() < kPageKeyBytes) end.resize(kPageKeyBytes, '\0');
  while (!from.empty()) {
    const std::unique_ptr<rocksdb::Iterator> at = make();
    for (at->Seek(from); at->Valid() && KeyAt(*at) < range.end; at->Next()) {
      TM_RETURN_IF_ERROR(visit(KeyAt(*at), {at->value().data(), at->value().size()}));
      from = Further(std::string(KeyAt(*at)), 0);
      if (from.empty()) return gaps;
    }
    if (at->status().ok()) return gaps;
    if (!at->status().IsCorruption()) return IoError(Printable(at->status().ToString()));
    ++gaps;
    from = FirstBehind(make, BlockOf(at->status()), from, end);
  }
  return gaps;
}

Result<uint64_t> LooseTables::VisitEpoch(const PageKey& of_epoch, const VisitKey& visit) const {
  ThisThreadIsBusy();
  TM_TRY_ASSIGN(const auto reader, ReaderOf({of_epoch.database, of_epoch.partition_start_ns, of_epoch.epoch}));
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  return VisitReadable([&] { return std::unique_ptr<rocksdb::Iterator>(reader->NewIterator(read)); },
                       EpochKeys(of_epoch.database, of_epoch.partition_start_ns, of_epoch.epoch), visit);
}

}  // namespace tidemark::storage::rocks
