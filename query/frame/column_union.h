// UniteColumns: several columns as one, by time.
#pragma once

#include <vector>

#include "storage/model/column.h"

namespace tidemark::query::frame {

// Appends the rows of `columns` (numeric) to `buffer` as doubles, ascending in time; of rows at the same time the one
// of the last column stays. The result views `buffer`.
model::Column UniteColumns(const std::vector<model::ColumnBuffer>& columns, model::ColumnBuffer* buffer);

// A copy of the times and values of a numeric column, as doubles.
model::ColumnBuffer CopyAsDoubles(const model::Column& column);

}  // namespace tidemark::query::frame
