#include "tools/cli/alert/scratch_store.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/core.h>

namespace tidemark::cli {
namespace {

// A test has a few thousand samples.
constexpr uint64_t kCacheBytes = uint64_t{8} << 20;
constexpr uint64_t kSegmentBytes = uint64_t{4} << 20;

}  // namespace

Result<std::unique_ptr<ScratchStore>> ScratchStore::Open() {
  const char* const wanted = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/tidemark-test-XXXXXX", wanted == nullptr || *wanted == '\0' ? "/tmp" : wanted);
  if (::mkdtemp(path.data()) == nullptr) {
    return MakeError(ErrorCode::kIo, fmt::format("no folder {} can be made: {}; set TMPDIR to one that can be written",
                                                 path, std::strerror(errno)));
  }
  std::unique_ptr<ScratchStore> opened(new ScratchStore(std::move(path)));
  storage::StoreOptions options;
  options.directory = opened->directory_;
  options.cache_bytes = kCacheBytes;
  options.journal_segment_bytes = kSegmentBytes;
  options.background = false;
  TM_TRY_ASSIGN(opened->store_, storage::Store::Open(std::move(options)));
  return opened;
}

ScratchStore::~ScratchStore() {
  if (store_) static_cast<void>(store_->Close());
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace tidemark::cli
