// PieceBatch: pieces as a batch for a store.
#pragma once

#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "tools/transfer/piece.h"

namespace tidemark::transfer {

// Adds the rows of a piece. Errors: kInvalidArgument, and nothing is added, for what no series can be: an empty
// measurement, field or tag, a key or a name that is too long, bytes that are not UTF-8, a time beyond
// model::kMinTime and kMaxTime.
Status AddTo(const Piece& piece, model::BatchBuilder* batch);

}  // namespace tidemark::transfer
