// What one native batch may hold, and what is remembered for its senders. tools/server/LIMITS.md says the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/model/limits.h"

namespace tidemark::native {

struct Limits {
  // Rows and values of a batch. Both take more memory than bytes on the wire, so that the limit on a body alone would
  // not bound them: at most some 200 MB together.
  uint64_t max_rows = 1'000'000;
  uint64_t max_values = 10'000'000;
  // Fields of the shapes that its rows have, of which each measurement and set of fields in a table makes one: they
  // take more memory than values.
  uint64_t max_shape_fields = 1'000'000;
  // Tables of the FlatBuffer, Column and Values each being one: what verifying it may cost.
  uint32_t max_tables = 200'000;
  // The deepest message there is has five.
  uint32_t max_depth = 8;
  size_t max_key_bytes = model::kSeriesKeyBytesMax;
  size_t max_client_bytes = 64;
  // Faults that are described; all are counted.
  size_t max_faults = 100;
  // Of one dictionary, and of all that are remembered: the one that has not been used for longest goes.
  uint32_t max_series = 1'000'000;
  uint64_t max_dictionary_bytes = uint64_t{128} << 20;
  uint64_t max_book_bytes = uint64_t{256} << 20;
  size_t max_dictionaries = 1'024;
};

}  // namespace tidemark::native
