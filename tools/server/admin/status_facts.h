// What the server knows of itself beside its store, for the act "status".
#pragma once

#include <cstdint>
#include <string>

namespace tidemark::server {

struct StatusFacts {
  std::string version;
  std::string directory;      // of the data; "": there is none
  int64_t started_ns = 0;     // since 1970
  int64_t up_ns = 0;          // for how long it has been running
  uint64_t memory_bytes = 0;  // of names, rows and queries, as they are accounted for
  uint64_t memory_limit_bytes = 0;
  uint64_t jobs_open = 0;      // that have not ended
  int64_t last_backup_ns = 0;  // since 1970; 0: there is none
  bool backups = false;        // whether there is a folder for them
  int64_t scrub_ended_ns = 0;  // of the last round, since 1970; 0: none was done
  double scrub_progress = 0;   // of the round that is under way, 0 to 1
  uint64_t damaged_pages = 0;  // that the scrub knows of
};

}  // namespace tidemark::server
