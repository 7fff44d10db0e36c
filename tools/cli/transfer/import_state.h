// ImportState: how far an import has come, in a file of its own, so that another run goes on there.
//
//   tidemark-import 2 PIECES
//   target TARGET
//   database DATABASE
//   source SOURCE
//
// TARGET is the address of the server, or the data directory. DATABASE is empty when the source names its databases.
// SOURCE is what the source is known by: a file by its size, blocks by their names.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.h"

namespace tidemark::cli {

struct ImportState {
  uint64_t pieces = 0;  // that are written and acknowledged, from the first on
  std::string target = {};
  std::string database = {};
  std::string source = {};
  friend bool operator==(const ImportState&, const ImportState&) = default;
};

// What the file says; without one, or with path "", that nothing is done: `wanted` with 0 pieces. Errors: kConflict (it
// is of another target, database or source than `wanted`, and says of which), kCorruption (it is no such file), kIo.
Result<ImportState> ReadState(const std::string& path, ImportState wanted);
// Replaces the file: all of it or nothing. Does nothing for path "".
Status WriteState(const std::string& path, const ImportState& state);
void RemoveState(const std::string& path);

}  // namespace tidemark::cli
