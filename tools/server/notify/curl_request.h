// CurlRequest: one transfer of libcurl, with what all have in common: time-outs, TLS, who we are, a bound on what is
// read, an early end.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "query/notify/receiver.h"
#include "storage/base/result.h"

namespace tidemark::server::notify {

// Not thread-safe.
class CurlRequest {
 public:
  // `stop` outlives it.
  CurlRequest(int64_t timeout_ms, int64_t connect_timeout_ms, const std::atomic<bool>* stop);

  void Set(CURLoption option, const std::string& value) { curl_easy_setopt(handle_.get(), option, value.c_str()); }
  void Set(CURLoption option, long value) {
    curl_easy_setopt(handle_.get(), option, value);
  }  // NOLINT(google-runtime-int): libcurl's
  void AddHeader(const std::string& line) { headers_.reset(curl_slist_append(headers_.release(), line.c_str())); }
  void AddRecipient(const std::string& address) {
    recipients_.reset(curl_slist_append(recipients_.release(), address.c_str()));
  }
  void SetTls(const query::notify::TlsOptions& tls);
  // Sends `body`, which must outlive Perform.
  void SetUpload(std::string_view body);

  // Of an answer that is longer than what is kept of it the rest is not waited for: it counts as read.
  void StopAfterBeginning() { stops_after_beginning_ = true; }

  // What libcurl says of the failure; the answer's status, if it has one, is in `status`.
  Result<void> Perform();
  [[nodiscard]] long status() const { return status_; }  // NOLINT(google-runtime-int): libcurl's
  // As the receiver asks with Retry-After, in seconds; 0: it does not.
  [[nodiscard]] int64_t retry_after_s() const { return retry_after_s_; }
  // The beginning of the answer.
  [[nodiscard]] const std::string& answer() const { return answer_; }

 private:
  struct Free {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  static size_t Take(char* bytes, size_t size, size_t count, void* self);
  static size_t Give(char* bytes, size_t size, size_t count, void* self);
  static int Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  std::unique_ptr<CURL, Free> handle_;
  std::unique_ptr<curl_slist, Free> headers_;
  std::unique_ptr<curl_slist, Free> recipients_;
  const std::atomic<bool>* const stop_;
  std::string_view upload_;
  std::string answer_;
  bool stops_after_beginning_ = false;
  bool cut_ = false;
  char fault_[CURL_ERROR_SIZE] = {};
  long status_ = 0;  // NOLINT(google-runtime-int): libcurl's
  int64_t retry_after_s_ = 0;
};

}  // namespace tidemark::server::notify
