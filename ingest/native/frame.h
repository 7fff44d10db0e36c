// Frames: how native batches stand one behind the other on a TCP connection, and what is said beside them.
//
//   u32 bytes of the message | u32 kind | message, a FlatBuffer of batch.fbs            little-endian
//
// A sender begins with a hello, which is answered; then come batches, each answered in its order. A sender need not
// wait for one answer before it sends the next batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "storage/base/result.h"

namespace tidemark::native {

enum class FrameKind : uint32_t { kHello = 1, kBatch = 2, kReply = 3 };

inline constexpr size_t kFrameHeadBytes = 8;

struct FrameHead {
  uint32_t size = 0;
  FrameKind kind = FrameKind::kBatch;  // any number
};
FrameHead ReadFrameHead(const char* bytes);
void AppendFrame(FrameKind kind, std::string_view message, std::string* out);

struct Hello {
  std::string token;
  std::string database;
};
// kInvalidArgument for a message that is none.
Result<Hello> ReadHello(std::string_view message);

// What a batch says of itself, without its rows. Views into the message. kInvalidArgument for one that does not verify.
struct Envelope {
  uint64_t sequence = 0;
  std::string_view database;
  std::string_view write_id;
};
Result<Envelope> ReadEnvelope(std::string_view message);

struct Reply {
  uint64_t sequence = 0;
  int status = 204;
  uint64_t rows_refused = 0;
  uint32_t retry_after_ms = 0;
  std::string error = {};
  std::vector<ingest::Fault> faults = {};
};
// A whole frame.
std::string WriteReply(const Reply& reply);

}  // namespace tidemark::native
