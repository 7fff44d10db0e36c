// TableReader: the rows of one table of a native batch, appended to a model::Batch; and what of it was not taken.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/native/column_reader.h"
#include "ingest/native/limits.h"
#include "ingest/native/series_dictionary.h"
#include "ingest/native/times_reader.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"

namespace tidemark::native {

// Not thread-safe; keeps its memory from table to table.
class TableReader {
 public:
  // How the tables of one batch stand before and after one of them.
  struct Progress {
    uint32_t table = 0;  // the number of the table, from 1
    uint64_t rows = 0;   // of the tables before it, refused ones included
    uint64_t values = 0;
    uint64_t shape_fields = 0;
    uint64_t text_bytes = 0;  // of their strings
    // Bytes of the message. Strings of more share theirs, which columns of a FlatBuffer can: they would take more when
    // they are written than when they are sent.
    uint64_t text_bytes_max = 0;
    ingest::Decoded* out = nullptr;
  };

  // Appends the good rows; a fault for each bad one, or one for the table. `remembered`: numbers beyond the dictionary
  // are of series that were forgotten. Errors, for the whole batch: kNotFound for such numbers, kLimitExceeded.
  Result<void> Read(const wire::DataTable& table, const SeriesDictionary& dictionary, bool remembered,
                    const Limits& limits, int64_t now_ns, Progress* progress, model::Batch* batch);

 private:
  // What the rows of the table are, known once it has been looked through.
  struct Plan {
    bool grid = false;
    uint32_t rows = 0;
    uint32_t times = 1;
    Numbers<uint32_t> series;
    [[nodiscard]] uint32_t SeriesOf(uint32_t row) const { return series[grid ? row / times : row]; }
    [[nodiscard]] uint32_t TimeOf(uint32_t row) const { return grid ? row % times : times == 1 ? 0 : row; }
  };

  static Result<Plan> Look(const wire::DataTable& table, uint64_t rows_left);
  Result<void> OpenColumns(const wire::DataTable& table, const Plan& plan);
  // Fills measurement_ and bad_ of rows whose series or values are no good. kNotFound.
  Result<void> Judge(const Plan& plan, const SeriesDictionary& dictionary, bool remembered);
  // Fills order_: the good rows, those of one measurement together, as they came within it. Empty: all, as they came.
  void Order(const Plan& plan, const SeriesDictionary& dictionary);
  void ReportBad(const Plan& plan, const SeriesDictionary& dictionary, const Limits& limits, Progress* progress) const;
  // kLimitExceeded.
  Result<void> Emit(const Plan& plan, const SeriesDictionary& dictionary, const std::vector<int64_t>& times,
                    const Limits& limits, Progress* progress, model::Batch* batch);
  // Shapes of rows that lack fields: one for each measurement and set of fields.
  Result<void> EmitSparse(const Plan& plan, const SeriesDictionary& dictionary, const std::vector<int64_t>& times,
                          const Limits& limits, Progress* progress, model::Batch* batch);
  void AddRow(const Plan& plan, const SeriesDictionary& dictionary, const std::vector<int64_t>& times, uint32_t row,
              uint32_t shape, size_t first_value, const Progress& progress, model::Batch* batch) const;
  [[nodiscard]] uint32_t CountOfOrder(const Plan& plan) const {
    return all_ ? plan.rows : static_cast<uint32_t>(order_.size());
  }

  TimesReader times_;
  std::vector<ColumnReader> columns_;
  std::vector<uint32_t> measurement_;  // by row
  // By row: 0 it is good; kBadSeries; kNoField; else the number of the column that is bad.
  std::vector<uint32_t> bad_;
  uint64_t bad_rows_ = 0;
  bool all_ = true;  // all rows, as they came: order_ is not used
  std::vector<uint32_t> order_;
  // By measurement, shape + 1; all are 0 between two tables, so that a table costs what it has and not what its
  // dictionary has.
  std::vector<uint32_t> shape_of_;
  std::vector<uint32_t> place_;
  std::vector<uint32_t> having_;
  std::vector<size_t> cursor_;
};

}  // namespace tidemark::native
