#include "storage/rocks/rocks_log.h"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;  // checksum [4], length [2], type [1]
constexpr uint32_t kMaskDelta = 0xa282ead8;

enum FragmentType : uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

struct Fragment {
  uint8_t type = kZero;
  size_t bytes = 0;  // with its header
};

// The fragment at `offset`, which lies whole in its block; nullopt when its checksum fails.
std::optional<Fragment> FragmentAt(std::string_view log, size_t offset) {
  const size_t block_end = std::min(log.size(), (offset / kBlockBytes + 1) * kBlockBytes);
  if (offset + kHeaderBytes > block_end) return std::nullopt;
  const auto masked = LoadLittle<uint32_t>(log.data() + offset);
  const auto length = LoadLittle<uint16_t>(log.data() + offset + 4);
  const auto type = static_cast<uint8_t>(log[offset + 6]);
  if (type < kFull || type > kLast || offset + kHeaderBytes + length > block_end) return std::nullopt;
  Crc32c crc;
  crc.process_bytes(log.data() + offset + 6, size_t{1} + length);
  const uint32_t sum = crc.checksum();
  if (((sum >> 15) | (sum << 17)) + kMaskDelta != masked) return std::nullopt;
  return Fragment{type, kHeaderBytes + length};
}

bool BeginsRecord(const std::optional<Fragment>& fragment) {
  return fragment && (fragment->type == kFull || fragment->type == kFirst);
}

// Whether a record begins behind `offset`, where none could be read. Within its block it may begin anywhere, since what
// says where is damaged; later blocks begin with a fragment each.
bool RecordBeginsBehind(std::string_view log, size_t offset) {
  size_t block = (offset / kBlockBytes + 1) * kBlockBytes;
  for (size_t at = offset + 1; at < std::min(block, log.size()); ++at) {
    if (BeginsRecord(FragmentAt(log, at))) return true;
  }
  for (; block < log.size(); block += kBlockBytes) {
    for (size_t at = block;;) {
      const std::optional<Fragment> fragment = FragmentAt(log, at);
      if (!fragment) break;
      if (BeginsRecord(fragment)) return true;
      at += fragment->bytes;
    }
  }
  return false;
}

}  // namespace

LogEnd ClassifyLog(std::string_view log) {
  size_t at = 0;
  bool inside = false;  // a record that has begun and not ended
  while (at < log.size()) {
    const size_t left_in_block = kBlockBytes - at % kBlockBytes;
    if (left_in_block < kHeaderBytes) {
      at += left_in_block;
      continue;
    }
    const std::optional<Fragment> fragment = FragmentAt(log, at);
    const bool fits = fragment && inside != BeginsRecord(fragment);
    if (!fits) {
      if (RecordBeginsBehind(log, at)) return LogEnd::kDamaged;
      const bool only_zeros = log.find_first_not_of('\0', at) == std::string_view::npos;
      return only_zeros && !inside ? LogEnd::kWhole : LogEnd::kTorn;
    }
    inside = fragment->type == kFirst || fragment->type == kMiddle;
    at += fragment->bytes;
  }
  return inside ? LogEnd::kTorn : LogEnd::kWhole;
}

size_t WholeBytes(std::string_view log) {
  size_t at = 0;
  size_t end = 0;
  bool inside = false;
  while (at < log.size()) {
    const size_t left_in_block = kBlockBytes - at % kBlockBytes;
    if (left_in_block < kHeaderBytes) {
      at += left_in_block;
      continue;
    }
    const std::optional<Fragment> fragment = FragmentAt(log, at);
    if (!fragment || inside == BeginsRecord(fragment)) break;
    inside = fragment->type == kFirst || fragment->type == kMiddle;
    at += fragment->bytes;
    if (!inside) end = at;
  }
  return end;
}

Result<std::vector<std::string>> LogsIn(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, NamesIn(files, directory));
  std::vector<std::pair<uint64_t, std::string>> logs;
  for (const std::string& name : names) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && std::string_view(end) == ".log") logs.emplace_back(number, directory + "/" + name);
  }
  std::sort(logs.begin(), logs.end());
  std::vector<std::string> paths;
  for (auto& [_, path] : logs) paths.push_back(std::move(path));
  return paths;
}

Result<LogEnd> ClassifyLogs(rocksdb::FileSystem* files, const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<std::string> logs, LogsIn(files, directory));
  for (size_t i = 0; i < logs.size(); ++i) {
    std::string bytes;
    TM_RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(files, logs[i], &bytes), "reading " + logs[i]));
    const LogEnd end = ClassifyLog(bytes);
    if (end == LogEnd::kWhole) continue;
    return end == LogEnd::kTorn && i + 1 == logs.size() ? LogEnd::kTorn : LogEnd::kDamaged;
  }
  return LogEnd::kWhole;
}

}  // namespace tidemark::storage::rocks
