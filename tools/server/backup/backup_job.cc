#include "tools/server/backup/backup_job.h"

#include <fmt/core.h>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::backup {

std::string BackupJson(const storage::BackupInfo& info) {
  std::string out = fmt::format(R"("id":{},"time":")", info.id);
  text::AppendRfc3339(&out, info.made_ns);
  out += fmt::format(R"(","bytes":{},"files":{},"store":)", info.bytes, info.files);
  text::AppendJsonString(&out, info.store_id);
  return out;
}

jobs::JobKind BackupKind(BackupMaker* maker) {
  const auto run = [maker](const jobs::Job&, const std::stop_token& stop,
                           const jobs::JobKind::Told& told) -> Result<jobs::JobProgress> {
    const auto progress_of = [](uint64_t bytes, uint64_t total, std::string more) {
      return jobs::JobProgress{
          .done = bytes, .total = total, .details = fmt::format(R"("bytesCopied":{}{})", bytes, more)};
    };
    uint64_t copied = 0;
    TM_TRY_ASSIGN(const storage::BackupInfo made, maker->Make(stop, [&](uint64_t bytes) {
      copied = bytes;
      told(progress_of(bytes, 0, {}));
    }));
    return progress_of(copied, copied, "," + BackupJson(made));
  };
  return {.name = "backup", .run = run};
}

}  // namespace tidemark::server::backup
