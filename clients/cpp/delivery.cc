#include "clients/cpp/delivery.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "clients/cpp/retry.h"

namespace tidemark::client {
namespace {

// The server does not know the series that a native batch speaks of.
constexpr int kUnknownSeries = 409;
// Of a refused line.
constexpr size_t kQuotedBytes = 512;

}  // namespace

Delivery::Delivery(Transport* transport, Headers headers, const std::string& client)
    : transport_(*transport), headers_(std::move(headers)) {
  if (!client.empty()) encoder_ = std::make_unique<NativeEncoder>(client);
}

Result<Reply> Delivery::Send(const Batch& batch) {
  as_native_ = encoder_ != nullptr && encoder_->Encode(batch.lines, false, &native_);
  if (!as_native_) return transport_.Post(LineRequest(batch));
  Result<Reply> reply = transport_.Post(NativeRequest(batch));
  if (reply.ok() && reply->status == kUnknownSeries) reply = SendAnew(batch, std::move(reply));
  if (!reply.ok() || !as_native_) return reply;
  if (reply->status == 404 || reply->status == 405 || reply->status == 415) {
    as_native_ = false;
    Result<Reply> as_lines = transport_.Post(LineRequest(batch));
    // It was not the database that is missing.
    if (as_lines.ok() && Judge(as_lines->status) == Verdict::kDelivered) encoder_ = nullptr;
    return as_lines;
  }
  if (Judge(reply->status) == Verdict::kDelivered || ParseRefusal(reply->body).partial) {
    encoder_->Acknowledge();
  } else if (Judge(reply->status) == Verdict::kRefused) {
    encoder_->Forget();
  }
  return reply;
}

Result<Reply> Delivery::SendAnew(const Batch& batch, Result<Reply> reply) {
  encoder_->Forget();
  // The second brings all and leaves nothing behind: for servers behind one address, of which each knows something
  // else.
  for (const bool whole : {false, true}) {
    if (!reply.ok() || reply->status != kUnknownSeries) break;
    as_native_ = encoder_->Encode(batch.lines, whole, &native_);
    reply = transport_.Post(as_native_ ? NativeRequest(batch) : LineRequest(batch));
  }
  return reply;
}

Refusal Delivery::RefusalOf(const Batch& batch, const Reply& reply) const {
  Refusal refusal = ParseRefusal(reply.body);
  if (!as_native_) return refusal;
  for (RejectedLine& line : refusal.lines) {
    if (line.number == 0 || line.number > native_.line_of_row.size()) continue;
    const uint32_t number = native_.line_of_row[line.number - 1];
    size_t begin = 0;
    for (uint32_t i = 0; i < number; ++i) begin = batch.lines.find('\n', begin) + 1;
    line.number = number + 1;
    line.column = 0;
    line.line = batch.lines.substr(begin, std::min(batch.lines.find('\n', begin) - begin, kQuotedBytes));
  }
  std::sort(refusal.lines.begin(), refusal.lines.end(),
            [](const RejectedLine& a, const RejectedLine& b) { return a.number < b.number; });
  return refusal;
}

Request Delivery::RequestTo(std::string target, const Batch& batch) const {
  Request request;
  request.target = std::move(target);
  request.headers = headers_;
  request.headers.emplace_back("X-Write-Id", batch.write_id);
  return request;
}

Request Delivery::LineRequest(const Batch& batch) const {
  std::string target = "/write?precision=ns";
  if (!batch.database.empty()) target += "&db=" + UrlEncode(batch.database);
  Request request = RequestTo(std::move(target), batch);
  request.body = batch.lines;
  return request;
}

Request Delivery::NativeRequest(const Batch& batch) const {
  std::string target = "/api/v1/native";
  if (!batch.database.empty()) target += "?db=" + UrlEncode(batch.database);
  Request request = RequestTo(std::move(target), batch);
  request.content_type = "application/vnd.tidemark.batch";
  request.body = native_.bytes;
  return request;
}

}  // namespace tidemark::client
