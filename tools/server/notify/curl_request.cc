#include "tools/server/notify/curl_request.h"

#include <algorithm>
#include <cstring>

#include "storage/base/check.h"

namespace tidemark::server::notify {
namespace {

constexpr size_t kAnswerBytesMax = 4096;

}  // namespace

CurlRequest::CurlRequest(int64_t timeout_ms, int64_t connect_timeout_ms, const std::atomic<bool>* stop) : stop_(stop) {
  // Once for the process; libcurl's initialisation is thread-safe from 7.84 on.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  TM_CHECK(ready == CURLE_OK);
  handle_.reset(curl_easy_init());
  TM_CHECK(handle_ != nullptr);
  CURL* const handle = handle_.get();
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, fault_);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "Tidemark");
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, this);
}

size_t CurlRequest::Take(char* bytes, size_t size, size_t count, void* self) {
  auto* const request = static_cast<CurlRequest*>(self);
  std::string& answer = request->answer_;
  const size_t room = kAnswerBytesMax - answer.size();
  answer.append(bytes, std::min(size * count, room));
  request->cut_ = request->stops_after_beginning_ && size * count > room;
  return request->cut_ ? 0 : size * count;
}

size_t CurlRequest::Give(char* bytes, size_t size, size_t count, void* self) {
  std::string_view& upload = static_cast<CurlRequest*>(self)->upload_;
  const size_t piece = std::min(size * count, upload.size());
  std::memcpy(bytes, upload.data(), piece);
  upload.remove_prefix(piece);
  return piece;
}

int CurlRequest::Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<CurlRequest*>(self)->stop_->load() ? 1 : 0;
}

void CurlRequest::SetTls(const query::notify::TlsOptions& tls) {
  if (!tls.ca_file.empty()) Set(CURLOPT_CAINFO, tls.ca_file);
  if (!tls.cert_file.empty()) Set(CURLOPT_SSLCERT, tls.cert_file);
  if (!tls.key_file.empty()) Set(CURLOPT_SSLKEY, tls.key_file);
  if (tls.insecure_skip_verify) {
    Set(CURLOPT_SSL_VERIFYPEER, 0L);
    Set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

void CurlRequest::SetUpload(std::string_view body) {
  upload_ = body;
  Set(CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle_.get(), CURLOPT_READFUNCTION, &Give);
  curl_easy_setopt(handle_.get(), CURLOPT_READDATA, this);
  curl_easy_setopt(handle_.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body.size()));
}

Result<void> CurlRequest::Perform() {
  if (headers_) curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
  if (recipients_) curl_easy_setopt(handle_.get(), CURLOPT_MAIL_RCPT, recipients_.get());
  const CURLcode code = curl_easy_perform(handle_.get());
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status_);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &retry_after);
  retry_after_s_ = std::max<int64_t>(retry_after, 0);
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && cut_)) return {};
  return MakeError(ErrorCode::kUnavailable, fault_[0] != '\0' ? fault_ : curl_easy_strerror(code));
}

}  // namespace tidemark::server::notify
