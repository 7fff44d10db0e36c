#include "storage/check/verify_journal.h"

#include <memory>

#include "storage/database/journal_record.h"
#include "storage/journal/batch_record.h"
#include "storage/meta/mask_spec.h"

namespace tidemark::storage::check {

journal::RecordFn JournalPayloadCheck() {
  return [batch = std::make_shared<journal::DecodedBatch>()](uint64_t, std::string_view bytes) -> Result<void> {
    TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
    if (!record.deletion.empty()) TM_RETURN_IF_ERROR(meta::DecodeMaskSpec(record.deletion));
    if (!record.batch.empty()) TM_RETURN_IF_ERROR(journal::DecodeBatch(record.batch, batch.get()));
    return {};
  };
}

}  // namespace tidemark::storage::check
