#include "tools/cli/alert/scratch_store.h"

#include <cstdlib>
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
  auto folder =
      ScratchFolder::Make(fmt::format("{}/tidemark-test", wanted == nullptr || *wanted == '\0' ? "/tmp" : wanted));
  if (!folder.ok()) {
    return MakeError(ErrorCode::kIo, folder.error().message + "; set TMPDIR to one that can be written");
  }
  storage::StoreOptions options;
  options.directory = (*folder)->path();
  std::unique_ptr<ScratchStore> opened(new ScratchStore(std::move(folder).value()));
  options.cache_bytes = kCacheBytes;
  options.journal_segment_bytes = kSegmentBytes;
  options.background = false;
  TM_TRY_ASSIGN(opened->store_, storage::Store::Open(std::move(options)));
  return opened;
}

ScratchStore::~ScratchStore() {
  if (store_) static_cast<void>(store_->Close());
}

}  // namespace tidemark::cli
