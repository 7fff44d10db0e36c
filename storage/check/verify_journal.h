// What a journal record that is whole must hold besides.
#pragma once

#include "storage/journal/journal_scan.h"

namespace tidemark::storage::check {

// Decodes a record, its rows or its deletion, and forgets them. Errors: kCorruption, kUnsupported.
journal::RecordFn JournalPayloadCheck();

}  // namespace tidemark::storage::check
