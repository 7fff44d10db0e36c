// Content codings of replies that are sent while they are written: gzip (RFC 1952, one member, since browsers read no
// second one) and zstd (RFC 8878, RFC 9659).
//
//   std::unique_ptr<StreamCoder> coder = MakeStreamCoder(CodingFor(request.Header("Accept-Encoding")));
//   Send(coder->Code(piece, /*last=*/false)); ... Send(coder->Code("", /*last=*/true));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/server/http/message.h"

namespace tidemark::http {

enum class Coding : uint8_t { kIdentity, kGzip, kZstd };

// The name in Content-Encoding.
std::string_view Name(Coding coding);

// What a client that sent this Accept-Encoding gets (RFC 9110, 12.5.3): zstd before gzip, which takes several times its
// time, unless the weights say otherwise; nothing that was refused with a weight of 0. `*` stands for what is not
// named. Without `zstd` that is not offered.
Coding CodingFor(std::string_view accept_encoding, bool zstd = true);

// Holds under 1 MiB. Not thread-safe.
class StreamCoder {
 public:
  virtual ~StreamCoder() = default;
  // What there is to send after `bytes`, perhaps nothing yet; all of it when they are the `last`.
  virtual std::string Code(std::string_view bytes, bool last) = 0;
};

// Null for kIdentity.
std::unique_ptr<StreamCoder> MakeStreamCoder(Coding coding);

// A stream whose bytes go through `coder` on their way into `stream`. Whoever pushes does the work.
std::shared_ptr<ReplyStream> MakeCodedStream(std::shared_ptr<ReplyStream> stream, std::shared_ptr<StreamCoder> coder);

// Puts the coding that a client with this Accept-Encoding takes between the producer of a streamed reply and its
// session.
void CodeStream(std::string_view accept_encoding, Response* response);

}  // namespace tidemark::http
