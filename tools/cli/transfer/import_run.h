// An import: from a source, whatever its form, into a database, and the comparison at its end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/base/result.h"
#include "tools/cli/transfer/comparison.h"
#include "tools/cli/transfer/target.h"

namespace tidemark::cli {

struct ImportJob {
  Place place;
  // Where the points go; "": into the databases that the source names.
  std::string database;
  // Opens the source at its beginning.
  Reopen open;
  // Whether it can be opened twice.
  bool again = true;
  // Whether all of its points are of one type.
  bool one_type = false;
  // What the source is known by, for the state.
  std::string source;
  std::string state;  // a file; "": none is kept
  bool compare = true;
  // The database must not be there yet, and goes again when the import does not come to a good end.
  bool whole_or_nothing = false;
};

// Exit codes: 0 all of it is there; 1 something was refused, passed over, missing or different, and is named; 2 it
// could not be done.
int RunImport(const ImportJob& job);

}  // namespace tidemark::cli
