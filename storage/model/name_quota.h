// NameQuota: how many names the sender of a batch may still bring, and of which series he may write. The store asks it
// while it takes rows, when nothing else is against a row, so that what is refused for another reason takes up nothing.
#pragma once

#include <cstdint>

#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::model {

// Of one batch, which one thread writes. Every Error is kResourceExhausted, with the reason that the sender is told.
class NameQuota {
 public:
  virtual ~NameQuota() = default;

  // The batch is taken from its beginning: what was admitted of rows is given back. Series that were made stay.
  virtual void Restart() = 0;

  // Whether a series may be made. What follows is Made, or nothing was against it but this.
  virtual Status AdmitNewSeries() = 0;
  // The series that was admitted has this id.
  virtual void Made(DatabaseId database, SeriesId series) = 0;
  // Whether a row of a series that is there may be written.
  virtual Status AdmitSeries(DatabaseId database, SeriesId series) = 0;

  // Whether a field may be made that its measurement does not have: asked before, since what it is called is known
  // before what is refused of its rows.
  virtual Status AdmitFields() = 0;
  // A row was refused with `error`, which AdmitFields gave for its fields, or which is another's.
  virtual void RowRefused(const Error& error) = 0;
  // So many were made. A measurement's first is part of its first series and not among them.
  virtual void FieldsMade(uint64_t count) = 0;
};

}  // namespace tidemark::model
