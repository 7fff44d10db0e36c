#include "ingest/native/frame.h"

#include "ingest/native/limits.h"
#include "ingest/native/wire_access.h"
#include "storage/base/utf8.h"

namespace tidemark::native {
namespace {

const uint8_t* BytesOf(std::string_view message) { return reinterpret_cast<const uint8_t*>(message.data()); }

}  // namespace

FrameHead ReadFrameHead(const char* bytes) {
  return {LoadLittle<uint32_t>(bytes), static_cast<FrameKind>(LoadLittle<uint32_t>(bytes + 4))};
}

void AppendFrame(FrameKind kind, std::string_view message, std::string* out) {
  PutLittle(out, static_cast<uint32_t>(message.size()));
  PutLittle(out, static_cast<uint32_t>(kind));
  *out += message;
}

Result<Hello> ReadHello(std::string_view message) {
  flatbuffers::Verifier verifier(BytesOf(message), message.size());
  if (message.size() < 8 || !verifier.VerifyBuffer<wire::Hello>(nullptr)) {
    return InvalidArgument("the first frame is no hello");
  }
  const auto* const hello = flatbuffers::GetRoot<wire::Hello>(message.data());
  return Hello{std::string(TextOf(hello->token())), std::string(TextOf(hello->database()))};
}

Result<Envelope> ReadEnvelope(std::string_view message) {
  const Limits limits;
  flatbuffers::Verifier verifier(BytesOf(message), message.size(), limits.max_depth, limits.max_tables);
  if (message.size() < 8 || !wire::VerifyBatchBuffer(verifier)) return InvalidArgument("the frame is no native batch");
  const wire::Batch* const batch = wire::GetBatch(message.data());
  return Envelope{batch->sequence(), TextOf(batch->database()), TextOf(batch->write_id())};
}

std::string WriteReply(const Reply& reply) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::Fault>> faults;
  faults.reserve(reply.faults.size());
  for (const ingest::Fault& fault : reply.faults) {
    faults.push_back(wire::CreateFault(builder, fault.number, fault.column, builder.CreateString(ToUtf8(fault.text)),
                                       builder.CreateString(ToUtf8(fault.reason))));
  }
  const auto error = reply.error.empty() ? 0 : builder.CreateString(ToUtf8(reply.error));
  const auto all = faults.empty() ? 0 : builder.CreateVector(faults);
  builder.Finish(wire::CreateReply(builder, reply.sequence, static_cast<uint16_t>(reply.status), reply.rows_refused,
                                   reply.retry_after_ms, error, all));
  std::string out;
  AppendFrame(FrameKind::kReply, {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()}, &out);
  return out;
}

}  // namespace tidemark::native
