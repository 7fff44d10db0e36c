// ViewPieces: what a view of a database holds, piece by piece.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "query/api/name_cursor.h"
#include "storage/base/result.h"
#include "storage/storage.h"
#include "tools/transfer/piece.h"

namespace tidemark::cli {

// Not thread-safe.
class ViewPieces {
 public:
  // The rows in `range` of the series that satisfy all matchers of at least one of `selectors`; none: of all.
  static Result<std::unique_ptr<ViewPieces>> Open(std::shared_ptr<const storage::View> view,
                                                  const std::vector<std::vector<model::Matcher>>& selectors,
                                                  model::TimeRange range);

  // The next rows, transfer::kPieceRows of a series and a type at most; false: there are no more.
  Result<bool> Next(transfer::Piece* piece);
  // Series that there are, some of them perhaps without rows.
  [[nodiscard]] size_t series() const { return refs_.size(); }
  // Of them, those that are done.
  [[nodiscard]] size_t series_done() const { return done_; }
  // What could not be read, and where only rollup tiers are left.
  [[nodiscard]] std::vector<std::string> Warnings() const;

 private:
  struct Names {
    std::string measurement;
    std::string field;
  };
  ViewPieces(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs, model::TimeRange range);

  const std::shared_ptr<const storage::View> view_;
  const std::vector<model::SeriesRef> refs_;
  const model::TimeRange range_;
  query::api::NameCursor cursor_;
  std::unordered_map<uint32_t, Names> names_;  // by the number of the field
  model::Column column_;
  size_t at_ = 0;  // in column_
  size_t done_ = 0;
};

}  // namespace tidemark::cli
