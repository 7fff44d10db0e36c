#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdint>
#include <limits>
#include <string>

#include "storage/backup.h"
#include "storage/base/text/count.h"
#include "storage/base/text/instant.h"
#include "tools/cli/admin/directory_acts.h"
#include "tools/cli/command.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

Result<uint32_t> IdOf(uint64_t id) {
  if (id <= std::numeric_limits<uint32_t>::max()) return static_cast<uint32_t>(id);
  return InvalidArgument(fmt::format("--id {}: there is no such backup", id));
}

int CodeOf(const Error& error) {
  Fail(error.message);
  return error.code == ErrorCode::kCorruption ? kDamaged : kCouldNotRun;
}

std::string Describe(const storage::BackupInfo& info) {
  std::string out = fmt::format("backup {} of ", info.id);
  text::AppendRfc3339(&out, info.made_ns);
  return out + fmt::format(", {} in {}", text::Counted(info.bytes, "byte"), text::Counted(info.files, "file"));
}

}  // namespace

int RunVerifyBackup(const std::string& from, uint64_t id) {
  const Result<uint32_t> number = IdOf(id);
  if (!number.ok()) return CodeOf(number.error());
  const auto checked = storage::VerifyBackup(from, *number);
  if (!checked.ok()) return CodeOf(checked.error());
  Say("{}: whole\n", Describe(*checked));
  return 0;
}

int RunRestoreBackup(const std::string& from, uint64_t id, const std::string& data) {
  umask(S_IRWXG | S_IRWXO);
  const Result<uint32_t> number = IdOf(id);
  if (!number.ok()) return CodeOf(number.error());
  const auto restored = storage::RestoreBackup(from, *number, data);
  if (!restored.ok()) return CodeOf(restored.error());
  Say("{}: restored to {}\nstart it with: tidemarkd --data {}\n", Describe(*restored), data, data);
  return 0;
}

}  // namespace tidemark::cli
