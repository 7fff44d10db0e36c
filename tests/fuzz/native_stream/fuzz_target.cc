// libFuzzer target: any input as what a sender writes on a TCP connection for native batches: frames, of which the
// first is a hello. What the envelope of a batch says and what its decoder says must agree, dictionaries hold from
// batch to batch, and every answer can be read.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/native/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "ingest/native/frame.h"
#include "ingest/native/series_dictionary.h"
#include "ingest/native/wire_access.h"
#include "storage/model/series_key.h"

namespace {

using namespace tidemark;

constexpr size_t kFrameBytesMax = size_t{1} << 20;
constexpr native::Limits kLimits{.max_rows = 10'000, .max_values = 100'000, .max_tables = 2'000, .max_series = 1'000};

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// What a client reads of an answer.
void CheckReply(const std::string& frame, uint64_t sequence, int status) {
  Require(frame.size() >= native::kFrameHeadBytes, "an answer is cut");
  const native::FrameHead head = native::ReadFrameHead(frame.data());
  Require(head.kind == native::FrameKind::kReply && head.size == frame.size() - native::kFrameHeadBytes,
          "an answer has another frame");
  const std::vector<uint8_t> message(frame.begin() + native::kFrameHeadBytes, frame.end());
  flatbuffers::Verifier verifier(message.data(), message.size());
  Require(verifier.VerifyBuffer<wire::Reply>(nullptr), "an answer does not verify");
  const auto* const reply = flatbuffers::GetRoot<wire::Reply>(message.data());
  Require(reply->sequence() == sequence && reply->status() == status, "an answer says something else");
}

// A connection: what is said on it in order.
class Connection {
 public:
  // Whether it goes on.
  bool Take(native::FrameKind kind, std::string_view message) {
    if (!greeted_) {
      greeted_ = kind == native::FrameKind::kHello && native::ReadHello(message).ok();
      return greeted_;
    }
    if (kind != native::FrameKind::kBatch) return false;
    const Result<native::Envelope> envelope = native::ReadEnvelope(message);
    const auto decoded = decoder_->Decode(message, Options(), &batch_);
    if (!decoded.ok()) {
      Require(batch_.rows.empty(), "a refused batch left rows");
      if (!envelope.ok()) return true;
      const int status = decoded.error().code == ErrorCode::kNotFound ? 409 : 400;
      CheckReply(
          native::WriteReply({.sequence = envelope->sequence, .status = status, .error = decoded.error().message}),
          envelope->sequence, status);
      return true;
    }
    Require(envelope.ok(), "a batch that is none was decoded");
    for (const model::Row& row : batch_.rows) {
      Require(row.key.hash == model::HashSeriesKey(row.key.format, row.key.bytes), "a key has another hash");
    }
    CheckReply(native::WriteReply({.sequence = envelope->sequence, .status = 400, .faults = decoded->faults}),
               envelope->sequence, 400);
    // What it has named is known: the same again is taken as it was.
    const size_t rows = batch_.rows.size();
    const auto again = decoder_->Decode(message, Options(), &batch_);
    Require(again.ok() && batch_.rows.size() == rows, "a repeat differs");
    return true;
  }

 private:
  ingest::DecodeOptions Options() {
    return {.now = {1}, .sender = "fuzz", .dictionaries = &book_, .connection = &series_};
  }

  bool greeted_ = false;
  std::unique_ptr<ingest::Decoder> decoder_ = native::MakeDecoderWith(kLimits);
  native::DictionaryBook book_{kLimits};
  native::SeriesDictionary series_;
  model::Batch batch_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Connection connection;
  std::vector<uint64_t> buffer;
  while (input.size() >= native::kFrameHeadBytes) {
    const native::FrameHead head = native::ReadFrameHead(input.data());
    input.remove_prefix(native::kFrameHeadBytes);
    if (head.size > kFrameBytesMax || head.size > input.size()) break;
    // Exactly as many words, at an address that suits them, as the listener has it.
    buffer.assign((head.size + sizeof(uint64_t) - 1) / sizeof(uint64_t), 0);
    if (head.size > 0) std::memcpy(buffer.data(), input.data(), head.size);
    if (!connection.Take(head.kind, {reinterpret_cast<const char*>(buffer.data()), head.size})) break;
    input.remove_prefix(head.size);
  }
  return 0;
}
