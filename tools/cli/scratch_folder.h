// ScratchFolder: a folder for the time of one command; what is in it goes with it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "storage/base/result.h"

namespace tidemark::cli {

class ScratchFolder {
 public:
  // `front`: path and name up to what makes it one of its own. Errors: kIo.
  static Result<std::unique_ptr<ScratchFolder>> Make(const std::string& front);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace tidemark::cli
