// OpenFiles: who gets how many of the process's file descriptors. The store comes first: without one for a table or a
// journal segment it must refuse writes, and no client may bring that about by opening connections.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::server {

struct OpenFiles {
  uint64_t limit = 0;      // that the process may have
  int tables = 0;          // StoreOptions::max_open_files
  size_t connections = 0;  // http::ServerOptions::connections_max
};

// Raises the soft limit of open files to the hard one. Returns the limit in force.
uint64_t RaiseOpenFileLimit();

// Shares `limit` out: 256 are kept back for journal, listeners and files that are open for a moment, the rest is for
// tables of the store and for connections. `connections_wanted` 0: as many as there are when the tables have what they
// want, at most a quarter. More than that makes the tables fewer, down to 512, or a quarter where that is less; what is
// over then is how many connections there are. At least 1.
OpenFiles ShareOpenFiles(uint64_t limit, int tables_wanted, size_t connections_wanted);

}  // namespace tidemark::server
