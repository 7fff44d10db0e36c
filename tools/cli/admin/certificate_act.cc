#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "storage/base/clock.h"
#include "tools/cli/admin/directory_acts.h"
#include "tools/cli/command.h"
#include "tools/cli/say.h"
#include "tools/tls/self_signed.h"

namespace tidemark::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
// A machine whose clock is a little behind believes the certificate too.
constexpr int64_t kBeginsEarlierSeconds = 3'600;

// A file that was not there, of the owner's alone.
Status WriteNewFile(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    return MakeError(errno == EEXIST ? ErrorCode::kAlreadyExists : ErrorCode::kIo,
                     fmt::format("{}: {}", path, std::strerror(errno)));
  }
  bool good = true;
  for (std::string_view rest = text; good && !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    good = written > 0;
    if (good) rest.remove_prefix(static_cast<size_t>(written));
  }
  good = good && ::fsync(file) == 0;
  const int failed = errno;
  ::close(file);
  if (good) return {};
  // Half a file would stand in the way of the next attempt, and half a key lie about.
  ::unlink(path.c_str());
  return MakeError(ErrorCode::kIo, fmt::format("{}: {}", path, std::strerror(failed)));
}

Status Make(const NewCertificate& wanted) {
  tls::SelfSignedOptions options;
  options.names = {wanted.name};
  options.names.insert(options.names.end(), wanted.also.begin(), wanted.also.end());
  options.days = wanted.days;
  options.begins_seconds = SystemClock::Get().NowNs() / kSecondNs - kBeginsEarlierSeconds;
  TM_TRY_ASSIGN(const tls::CertificateAndKey made, tls::MakeSelfSigned(options));
  std::error_code error;
  std::filesystem::create_directories(wanted.folder, error);
  if (error) return MakeError(ErrorCode::kIo, fmt::format("{}: {}", wanted.folder, error.message()));
  const std::string key = wanted.folder + "/key.pem";
  TM_RETURN_IF_ERROR(WriteNewFile(key, made.key));
  if (const Status written = WriteNewFile(wanted.folder + "/certificate.pem", made.certificate); !written.ok()) {
    // A key without its certificate would stand in the way of the next attempt.
    std::filesystem::remove(key, error);
    return written.error();
  }
  return {};
}

}  // namespace

int RunNewCertificate(const NewCertificate& wanted) {
  if (const Status made = Make(wanted); !made.ok()) return Fail(made.error().message);
  Say("{0}/certificate.pem and {0}/key.pem are made, good for {1} days\n"
      "serve with them:  tidemarkd --https 0.0.0.0:8443 --tls-certificate-file {0}/certificate.pem "
      "--tls-key-file {0}/key.pem\n"
      "ask with them:    tidemark query up --server https://{2}:8443 --ca {0}/certificate.pem\n",
      wanted.folder, wanted.days, wanted.name);
  return 0;
}

}  // namespace tidemark::cli
