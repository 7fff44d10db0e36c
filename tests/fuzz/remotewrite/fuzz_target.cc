// libFuzzer target: any input, as a message or (first byte odd) as a snappy block. A decoder that has seen much and one
// that has seen nothing must agree, and what they make must hold together.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "ingest/remotewrite/decoder.h"
#include "ingest/remotewrite/labels.h"
#include "storage/base/utf8.h"
#include "storage/model/series_key.h"

namespace {

using namespace tidemark;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckBatch(const model::Batch& batch, const remotewrite::DecodeReport& report) {
  Require(batch.rows.size() == report.samples, "rows are not the samples");
  Require(batch.values.size() == report.samples && batch.scales.size() == report.samples, "values are not the samples");
  Require(IsUtf8(remotewrite::ErrorText(report)), "the error text is not UTF-8");
  Arena arena;
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    const model::Row& row = batch.rows[i];
    Require(row.first_value == i && row.shape < batch.shapes.size(), "a row points outside");
    Require(row.key.hash == model::HashSeriesKey(row.key.format, row.key.bytes), "a key has another hash");
    const auto key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena);
    Require(key.ok() && key->measurement == batch.shapes[row.shape].measurement, "a row has another metric's shape");
    Require(row.time >= model::kMinTime && row.time <= model::kMaxTime, "a time is out of range");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static remotewrite::Decoder warm;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const remotewrite::Limits limits{.max_decoded_bytes = 1 << 20, .max_samples = 10'000, .max_metadata = 100};
  model::Batch batches[2];
  remotewrite::Decoder cold;
  remotewrite::Decoder* const decoders[2] = {&cold, &warm};
  bool ok[2] = {};
  for (int i = 0; i < 2; ++i) {
    const auto report = data[0] % 2 == 0 ? decoders[i]->DecodeMessage(body, limits, &batches[i])
                                         : decoders[i]->Decode(body, limits, &batches[i]);
    ok[i] = report.ok();
    if (ok[i]) {
      CheckBatch(batches[i], *report);
    } else {
      Require(batches[i].rows.empty(), "a refused request left rows");
    }
  }
  Require(ok[0] == ok[1] && batches[0].values == batches[1].values, "warm and cold differ");
  return 0;
}
