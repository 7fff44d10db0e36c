// ScratchStore: a store in a temporary folder, for rule tests; gone when it goes.
#pragma once

#include <memory>
#include <utility>

#include "storage/base/result.h"
#include "storage/storage.h"
#include "tools/cli/scratch_folder.h"

namespace tidemark::cli {

class ScratchStore {
 public:
  // Under TMPDIR, else /tmp. Errors: kIo, and those of storage::Store::Open.
  static Result<std::unique_ptr<ScratchStore>> Open();
  ~ScratchStore();
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  [[nodiscard]] storage::Store& store() { return *store_; }

 private:
  explicit ScratchStore(std::unique_ptr<ScratchFolder> folder) : folder_(std::move(folder)) {}

  const std::unique_ptr<ScratchFolder> folder_;
  std::unique_ptr<storage::Store> store_;
};

}  // namespace tidemark::cli
