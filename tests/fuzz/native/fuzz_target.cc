// libFuzzer target: any input as a native batch. A decoder that has seen much and one that has seen nothing must agree,
// and what they make must hold together. The first byte says where the batch lies in memory, and whether a connection's
// dictionary stands behind it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/native/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "ingest/native/series_key_check.h"
#include "storage/base/utf8.h"
#include "storage/model/series_key.h"

namespace {

using namespace tidemark;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckValues(const model::Batch& batch, const model::Row& row) {
  const model::Shape& shape = batch.shapes[row.shape];
  for (size_t f = 0; f < shape.fields.size(); ++f) {
    const size_t at = row.first_value + f;
    const int64_t value = batch.values[at];
    const uint8_t scale = batch.scales[at];
    switch (shape.fields[f].type) {
      case model::FieldType::kBool: Require(value == 0 || value == 1, "a bool is neither 0 nor 1"); break;
      case model::FieldType::kString:
        Require(static_cast<uint64_t>(value) < batch.strings.size(), "a string is not there");
        Require(IsUtf8(batch.strings[static_cast<size_t>(value)]), "a string is not UTF-8");
        break;
      case model::FieldType::kFloat:
        Require(scale == model::kBinaryScale ||
                    (scale <= model::kMaxScale && value < (int64_t{1} << 53) && value > -(int64_t{1} << 53)),
                "a float has no exact form");
        break;
      default: Require(scale == 0, "an integer has a scale");
    }
  }
}

void CheckBatch(const model::Batch& batch, const ingest::Decoded& decoded, const native::Limits& limits) {
  Require(batch.rows.size() + decoded.rows_refused <= limits.max_rows, "more rows than the limit");
  Require(batch.values.size() <= limits.max_values && batch.values.size() == batch.scales.size(), "values and scales");
  Require(decoded.faults.size() <= limits.max_faults && decoded.faults.size() <= decoded.faults_total,
          "too many faults");
  for (const ingest::Fault& fault : decoded.faults) Require(IsUtf8(fault.message), "a message is not UTF-8");
  Arena arena;
  size_t points = 0;
  for (const model::Row& row : batch.rows) {
    Require(row.shape < batch.shapes.size(), "a shape is not there");
    const model::Shape& shape = batch.shapes[row.shape];
    Require(row.first_value + shape.fields.size() <= batch.values.size(), "values are not there");
    Require(row.key.hash == model::HashSeriesKey(row.key.format, row.key.bytes), "a key has another hash");
    const auto key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena);
    Require(key.ok() && key->measurement == shape.measurement, "a row has another measurement's shape");
    Require(!shape.fields.empty(), "a row has no field");
    points += shape.fields.size();
    CheckValues(batch, row);
  }
  Require(points == batch.values.size(), "values that no row has");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const native::Limits kLimits{
      .max_rows = 10'000, .max_values = 100'000, .max_tables = 2'000, .max_series = 1'000};
  static const std::unique_ptr<ingest::Decoder> warm = native::MakeDecoderWith(kLimits);
  if (size == 0) return 0;
  // Exactly as many bytes, at any alignment.
  const size_t shift = data[0] % 8;
  std::string body(shift, '\0');
  body.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view message = std::string_view(body).substr(shift);
  const std::unique_ptr<ingest::Decoder> cold = native::MakeDecoderWith(kLimits);
  model::Batch batches[2];
  ingest::Decoder* const decoders[2] = {cold.get(), warm.get()};
  bool ok[2] = {};
  for (int i = 0; i < 2; ++i) {
    native::DictionaryBook book(kLimits);
    native::SeriesDictionary connection;
    const ingest::DecodeOptions options{
        .now = {1}, .sender = "fuzz", .dictionaries = &book, .connection = (data[0] & 8U) != 0 ? &connection : nullptr};
    // Twice: what the first has brought is there for the second.
    for (int time = 0; time < 2; ++time) {
      const auto decoded = decoders[i]->Decode(message, options, &batches[i]);
      ok[i] = decoded.ok();
      if (ok[i]) {
        CheckBatch(batches[i], *decoded, kLimits);
        Require(IsUtf8(decoders[i]->Describe({})), "the description is not UTF-8");
        model::WriteReport report;
        for (const model::Row& row : batches[i].rows) report.Reject(row.line, InvalidArgument("as a test"));
        Require(decoders[i]->FaultsOf(message, report).size() == report.rejections.size(), "faults are missing");
      } else {
        Require(batches[i].rows.empty(), "a refused batch left rows");
      }
    }
  }
  Require(ok[0] == ok[1] && batches[0].values == batches[1].values, "warm and cold differ");
  return 0;
}
