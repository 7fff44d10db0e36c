#include "storage/engine/verify_journal.h"

#include <memory>

#include "storage/engine/journal_record.h"
#include "storage/engine/mask_spec.h"
#include "storage/journal/batch_record.h"

namespace tidemark::storage {

journal::RecordFn JournalPayloadCheck() {
  return [batch = std::make_shared<journal::DecodedBatch>()](uint64_t, std::string_view bytes) -> Result<void> {
    TM_TRY_ASSIGN(const JournalRecord record, DecodeRecord(bytes));
    if (!record.deletion.empty()) TM_RETURN_IF_ERROR(DecodeMaskSpec(record.deletion));
    if (!record.batch.empty()) TM_RETURN_IF_ERROR(journal::DecodeBatch(record.batch, batch.get()));
    return {};
  };
}

}  // namespace tidemark::storage
