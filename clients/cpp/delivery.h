// Delivery: one batch to the server, as lines or as a native batch, and what of it was refused, line by line.
#pragma once

#include <memory>
#include <string>

#include "clients/cpp/batch.h"
#include "clients/cpp/native_encoder.h"
#include "clients/cpp/refusal.h"
#include "clients/cpp/result.h"
#include "clients/cpp/transport.h"

namespace tidemark::client {

// Not thread-safe, but Cancel of the transport is.
class Delivery {
 public:
  // `transport` outlives it. `client`: a name that no other sender has; "": lines are sent.
  Delivery(Transport* transport, Headers headers, const std::string& client);

  // Sends it; once more, or as lines, where the server's answer is that this helps. Errors as Transport::Post.
  Result<Reply> Send(const Batch& batch);
  // What the reply to the batch that was sent last refuses.
  [[nodiscard]] Refusal RefusalOf(const Batch& batch, const Reply& reply) const;

 private:
  [[nodiscard]] Request RequestTo(std::string target, const Batch& batch) const;
  [[nodiscard]] Request LineRequest(const Batch& batch) const;
  [[nodiscard]] Request NativeRequest(const Batch& batch) const;
  // Tells the server all that it does not know any more. The reply of the last attempt.
  Result<Reply> SendAnew(const Batch& batch, Result<Reply> reply);

  Transport& transport_;
  const Headers headers_;
  std::unique_ptr<NativeEncoder> encoder_;  // null: lines are sent
  NativeBody native_;                       // of the batch that was sent last
  bool as_native_ = false;                  // it went in this form
};

}  // namespace tidemark::client
