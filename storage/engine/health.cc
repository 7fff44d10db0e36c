#include "storage/engine/health.h"

#include <fmt/core.h>

#include <utility>

#include "storage/base/log.h"

namespace tidemark::storage {
namespace {

// Not every failed write is the disk's fault.
std::string WithRemedy(const std::string& message) {
  if (message.find("Too many open files") == std::string::npos) return message;
  return message +
         " (the disk is not at fault: raise the limit of open files of this process, ulimit -n or "
         "LimitNOFILE= of systemd)";
}

}  // namespace

void Health::Report(const Error& error) {
  if (error.code != ErrorCode::kIo && error.code != ErrorCode::kResourceExhausted &&
      error.code != ErrorCode::kInternal) {
    return;
  }
  MutexLock lock(mutex_);
  if (refusal_.has_value()) return;
  const std::string why = WithRemedy(error.message);
  TM_LOG(kError, "writes are refused until a self-test passes: {}", why);
  const ErrorCode code =
      error.code == ErrorCode::kResourceExhausted ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable;
  refusal_ = MakeError(code, fmt::format("the store is read-only: {}", why));
  tested_ = false;
}

void Health::RefuseForGood(Error error) {
  MutexLock lock(mutex_);
  refusal_ = std::move(error);
  for_good_ = true;
}

std::optional<Error> Health::Refusal() const {
  MutexLock lock(mutex_);
  return refusal_;
}

void Health::Clear() {
  MutexLock lock(mutex_);
  if (!refusal_.has_value() || for_good_) return;
  TM_LOG(kInfo, "the self-test passed: writes are taken");
  refusal_.reset();
}

bool Health::DueForTest(int64_t steady_ns, int64_t interval_ns) {
  MutexLock lock(mutex_);
  if (!refusal_.has_value() || for_good_) return false;
  if (tested_ && steady_ns - last_test_ns_ < interval_ns) return false;
  tested_ = true;
  last_test_ns_ = steady_ns;
  return true;
}

}  // namespace tidemark::storage
