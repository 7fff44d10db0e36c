// BatchRecord: a ResolvedBatch as journal bytes and back. Runs of rows with the same shape are stored by column,
// bit-packed against their minimum: about 1.0-1.3 bytes per small integer. Format: storage/FORMAT.md, "Journal".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::journal {

// Appends `batch` (rows, values, strings; not `line`) to `out`.
void EncodeBatch(const model::ResolvedBatch& batch, std::string* out);

// Memory that a decoded batch lives in. Reuse it: DecodeBatch clears it first.
struct DecodedBatch {
  model::DatabaseId database{};
  std::vector<model::ResolvedShape> shapes;
  std::vector<model::ResolvedRow> rows;
  std::vector<int64_t> values;
  std::vector<uint8_t> scales;
  std::vector<std::string_view> strings;  // into the encoded bytes

  [[nodiscard]] model::ResolvedBatch View() const { return {database, shapes, rows, values, scales, strings}; }
};

// Errors: kCorruption for bytes that EncodeBatch cannot have made. `bytes` must outlive `out`.
Result<void> DecodeBatch(std::string_view bytes, DecodedBatch* out);

// How many rows such bytes have, without decoding them. Errors: as DecodeBatch, as far as it looks.
Result<uint64_t> RowsOfBatch(std::string_view bytes);

}  // namespace tidemark::journal
