// Decoder: what every way in has in common: the bytes of one request, or of one datagram, become a Batch, and what
// could not be taken is named. A protocol is a folder beside this file with a class derived from Decoder; who serves it
// (tools/server/write) knows nothing else of it.
//
//   std::unique_ptr<Decoder> decoder = lineprotocol::MakeDecoder();
//   TM_TRY_ASSIGN(Decoded decoded, decoder->Decode(body, {.now = now}, &batch));   // an Error refuses all of it
//   TM_TRY_ASSIGN(model::WriteReport report, sink.Write(database, batch));
//   if (decoded.refused() || report.rows_rejected > 0) answer(400, decoder->Describe(report));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/point_sink.h"
#include "storage/model/timestamp.h"

namespace tidemark::native {
class DictionaryBook;
class SeriesDictionary;
}  // namespace tidemark::native

namespace tidemark::ingest {

struct DecodeOptions {
  // Nanoseconds of a unit of the times in the input, where the protocol leaves that to the sender. At least 1.
  int64_t time_unit_ns = 1;
  // The time of what comes without one, truncated (towards the past) to that unit.
  model::Timestamp now = {};
  // Adds to the batch, which this decoder filled last, instead of clearing it: the datagrams of one write are decoded
  // each by itself. Only for protocols that come in datagrams.
  bool append = false;
  // For protocols whose senders name a series once and then call it by a number: who sends, as whom nobody else can,
  // and what is remembered of all senders; null: nothing is.
  std::string_view sender = {};
  native::DictionaryBook* dictionaries = nullptr;
  // What this connection has named; null where requests stand for themselves.
  native::SeriesDictionary* connection = nullptr;
};

// A record (a line, a series) of which something was not taken.
struct Fault {
  uint32_t number = 0;  // of the record, 1-based, in the request
  uint32_t column = 0;  // 1-based, in bytes; 0: the protocol has none
  std::string reason;   // in the protocol's words
  std::string text;     // the record, cut when long
  std::string message;  // for the log of rejections: both in one
};

// HELP, TYPE and UNIT of a metric family, for those who ask later.
struct Metadata {
  std::string family;
  std::string type;
  std::string help;
  std::string unit;
};

struct Decoded {
  uint64_t lines_refused = 0;  // records that could not be read
  uint64_t rows_refused = 0;   // rows of readable records that were not taken
  uint64_t faults_total = 0;
  std::vector<Fault> faults;  // the first of them; how many is the protocol's limit
  std::vector<Metadata> metadata;

  [[nodiscard]] bool refused() const { return faults_total > 0; }
};

// Remembers what makes the next request cheaper. Not thread-safe: one request at a time has it.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Clears `batch`, unless the options say otherwise, and fills it. Its views point into `body`, into the decoder until
  // its next call, or into the batch's own memory. An Error refuses all of `body`: kInvalidArgument, kLimitExceeded,
  // kConflict; kNotFound when it speaks of what has not been said to this server, or was forgotten: the sender says it
  // anew.
  virtual Result<Decoded> Decode(std::string_view body, const DecodeOptions& options, model::Batch* batch) = 0;

  // Bytes of `body` once it is unpacked, as far as its start tells: what the memory for decoding is measured by. (A
  // batch takes some eight times as much.)
  [[nodiscard]] virtual size_t UnpackedBytes(std::string_view body) const { return body.size(); }

  // Nobody asks about the last input any more: gives up what is held only for it, and memory that few inputs need.
  virtual void Rest() {}

  // What the sender of the last input is told when something of it was refused, by the decoder or in `report` by the
  // store: the protocol's own words. `report` is empty when no row was left to write.
  [[nodiscard]] virtual std::string Describe(const model::WriteReport& report) const = 0;

  // What the store refused, as faults of records of `body`, which was decoded last, by ascending number. Empty when the
  // protocol's answers do not go record by record.
  [[nodiscard]] virtual std::vector<Fault> FaultsOf(std::string_view /*body*/,
                                                    const model::WriteReport& /*report*/) const {
    return {};
  }
};

// How a protocol's decoders are made. Two ways in with the same function share what their decoders remember.
using MakeDecoder = std::unique_ptr<Decoder> (*)();

// The reasons of `rejections`, each once, at most five, joined by newlines.
std::string Reasons(const std::vector<model::Rejection>& rejections);

}  // namespace tidemark::ingest
