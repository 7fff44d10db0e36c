#include "tools/cli/scratch_folder.h"

#include <fmt/core.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "storage/base/log.h"

namespace tidemark::cli {

Result<std::unique_ptr<ScratchFolder>> ScratchFolder::Make(const std::string& front) {
  std::string path = front + "-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return MakeError(ErrorCode::kIo, fmt::format("no folder {} can be made: {}", path, std::strerror(errno)));
  }
  return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(path)));
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) TM_LOG(kWarn, "{} is left: {}", path_, error.message());
}

}  // namespace tidemark::cli
