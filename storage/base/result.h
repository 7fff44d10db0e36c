// Result<T>: a value or an Error. The one way in which functions of this project fail.
//
//   Result<Config> Load(std::string_view path);
//
//   Result<void> Start() {
//     TM_TRY_ASSIGN(Config config, Load("tidemark.yaml"));
//     TM_RETURN_IF_ERROR(Open(config));
//     return {};
//   }
//
// Input that is wrong, disks that fail and limits that are reached are Errors. Only a broken invariant of our own
// aborts (TM_CHECK in check.h). Exceptions of libraries are caught at the boundary where the library is called.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tidemark {

// What kind of failure it is. The numbers are not stored anywhere. Mapped to HTTP codes in one place only
// (query/api for the query endpoints, tools/server for the write endpoints).
enum class ErrorCode {
  kInvalidArgument,    // the caller's input is wrong; the same call will fail again
  kNotFound,           // the named thing does not exist
  kAlreadyExists,      // the named thing exists already
  kConflict,           // it contradicts what is stored, as a field of another type does
  kLimitExceeded,      // a configured limit: size, depth, count, points
  kResourceExhausted,  // no memory budget, queue room or disk space now; later it may work
  kUnavailable,        // starting, stopping or read-only
  kTimeout,            // the deadline passed
  kCancelled,          // the caller went away or stopped it
  kCorruption,         // stored bytes are not what was written
  kIo,                 // the operating system refused a read, write or sync
  kUnsupported,        // valid, and not done here
  kInternal,           // a library failed in a way that should not happen
};

// A phrase for the code, for example "invalid argument".
std::string_view Phrase(ErrorCode code);

// Error: a code and a message for a person. The message names the thing, the place and the reason, and, where it is
// not obvious, what to do next. It starts in lower case and has no final full stop, so that it can be embedded.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with `context` and ": " in front of the message.
  [[nodiscard]] Error Within(std::string_view context) const;

  friend bool operator==(const Error&, const Error&) = default;
};

// Result<T> is std::expected<T, Error> that the compiler does not let a caller ignore.
template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error)
      : std::expected<T, Error>(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return this->has_value(); }
};

template <>
class [[nodiscard]] Result<void> : public std::expected<void, Error> {
 public:
  using std::expected<void, Error>::expected;
  Result() = default;
  Result(Error error)
      : std::expected<void, Error>(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return has_value(); }
};

using Status = Result<void>;

inline Error MakeError(ErrorCode code, std::string message) { return Error{code, std::move(message)}; }
inline Error InvalidArgument(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }
inline Error NotFound(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error Corruption(std::string message) { return {ErrorCode::kCorruption, std::move(message)}; }
inline Error IoError(std::string message) { return {ErrorCode::kIo, std::move(message)}; }
inline Error LimitExceeded(std::string message) { return {ErrorCode::kLimitExceeded, std::move(message)}; }
inline Error Unsupported(std::string message) { return {ErrorCode::kUnsupported, std::move(message)}; }

}  // namespace tidemark

#define TM_CONCAT_INNER_(a, b) a##b
#define TM_CONCAT_(a, b) TM_CONCAT_INNER_(a, b)

// Returns the error of `expr` (a Result of any type) from the enclosing function.
#define TM_RETURN_IF_ERROR(expr)                                   \
  do {                                                             \
    if (auto tm_status_ = (expr); !tm_status_.ok()) [[unlikely]] { \
      return std::move(tm_status_).error();                        \
    }                                                              \
  } while (false)

// Declares or assigns `lhs` from the value of `expr`, or returns its error.
#define TM_TRY_ASSIGN(lhs, expr) TM_TRY_ASSIGN_IMPL_(TM_CONCAT_(tm_result_, __LINE__), lhs, expr)
#define TM_TRY_ASSIGN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                        \
  if (!tmp.ok()) [[unlikely]] {             \
    return std::move(tmp).error();          \
  }                                         \
  lhs = std::move(tmp).value()
