// Result<T>: a value or an Error. The client's own, because it is C++20 and shares nothing with the server.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace tidemark::client {

enum class ErrorCode {
  kInvalidArgument,  // an option or a point is wrong; the same call will fail again
  kQueueFull,        // the memory queue has no room now; later it may
  kTimeout,          // the deadline passed
  kClosed,           // the writer has been closed
  kUnavailable,      // no connection, or one that broke
  kIo,               // the operating system refused a read or write of the spool
  kCorruption,       // the spool holds something that was not written by it
};

// What went wrong, for a person: names the thing, the place and the reason. No final full stop.
struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return value_.has_value(); }
  // Only when ok().
  // NOLINTBEGIN(bugprone-unchecked-optional-access)
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // NOLINTEND(bugprone-unchecked-optional-access)
  // Only when not ok().
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  // Only when not ok().
  [[nodiscard]] const Error& error() const { return *error_; }  // NOLINT(bugprone-unchecked-optional-access)

 private:
  std::optional<Error> error_;
};

}  // namespace tidemark::client
