// NameCursor: rows as they are stored, series by series, where a series is what has one name: of a field that has got
// another type (View::NewestOf) the rows of all its types, in the order of time, of those at one time that of the
// youngest field.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/model/column.h"
#include "storage/storage.h"

namespace tidemark::query::api {

// Gives one column for each series, empty ones too; for a series of several types one for each run of rows of one type,
// behind each other, and those series last. `ref` of a column has the newest field of its name. Not thread-safe.
class NameCursor final : public storage::ColumnCursor {
 public:
  // `refs` sorted, as Select gives them.
  NameCursor(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs, model::TimeRange range);

  Result<bool> Next(model::Column* column) override;
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  // A column that owns its rows.
  struct Held {
    model::Column column;
    model::ColumnBuffer buffer;
  };
  static void Hold(const model::Column& column, Held* held);
  // Reads the next series of several fields, and cuts it into pieces.
  Status ReadGroup();
  void Note(const storage::ColumnCursor& cursor, size_t* seen);

  const std::shared_ptr<const storage::View> view_;
  const model::TimeRange range_;
  std::vector<model::SeriesRef> alone_;
  std::vector<std::vector<model::SeriesRef>> groups_;  // each ascending
  std::unique_ptr<storage::ColumnCursor> rows_;        // of alone_
  size_t alone_warnings_ = 0;                          // that were taken from rows_
  size_t group_ = 0;                                   // the next
  std::vector<Held> held_;
  std::vector<model::Column> pieces_;  // of held_
  size_t piece_ = 0;                   // the next
  std::vector<std::string> warnings_;
};

}  // namespace tidemark::query::api
