// The acts that work on a data directory whose server has stopped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli {

// Exit codes, beside 0.
inline constexpr int kDamaged = 1;
inline constexpr int kCouldNotRun = 2;

// verify: prints each damage; exit code 0 when all is whole, 1 when something is damaged, 2 when it could not run.
int RunVerify(const std::string& directory);
// repair: 0 or 2.
int RunRepair(const std::string& directory, bool dry_run);

// backup verify: 0 when every byte is as it was written; 1 when one is not; 2 when there is no such backup.
int RunVerifyBackup(const std::string& from, uint64_t id);
// backup restore: 0; 1 when the backup is damaged; 2 when it could not run. Then nothing is at `data`.
int RunRestoreBackup(const std::string& from, uint64_t id, const std::string& data);

// token first: 0, printing the secret on standard output; 1 when it could not be made.
int RunFirstToken(const std::string& directory, const std::string& name);

struct NewCertificate {
  std::string name;
  std::vector<std::string> also;
  int64_t days = 365;
  std::string folder;
};
// certificate new: 0, printing what was written; 1 when it could not be made, or one is there already.
int RunNewCertificate(const NewCertificate& wanted);

}  // namespace tidemark::cli
