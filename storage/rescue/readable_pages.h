// What can be read of an epoch that is damaged, as an epoch that is whole.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "storage/meta/meta_records.h"
#include "storage/rescue/salvage.h"

namespace tidemark::storage::rescue {

// Writes those pages of `epoch` that can be read: into a file in `folder`, or as values of `meta` where they were such,
// makes them a part of `rocks`, and the epoch's record there one of what is left. What is not left is added to the
// salvage's findings, with the names of series and times; `place` is where it was. The pages are in memory meanwhile.
// Errors: kCorruption when its list of pages cannot be read, or none of them; kIo, kResourceExhausted.
Result<void> TakeInReadable(const meta::EpochRecord& epoch, const std::string& place, const std::string& folder,
                            Salvage* salvage, rocks::RocksStore* rocks);

// Adds to the findings what TakeInReadable would, and changes nothing.
Result<void> TellOfUnreadable(const meta::EpochRecord& epoch, const std::string& place, Salvage* salvage);

// The record of an epoch of the salvage. Errors: kCorruption when there is none that can be read.
Result<meta::EpochRecord> RecordOf(const Salvage& salvage, model::DatabaseId database, uint64_t epoch);

// "epoch 7 of database default, partition ...", and in which file it lies where it lies in one.
std::string PlaceOf(const Salvage& salvage, const meta::EpochRecord& epoch, const std::string& path);

}  // namespace tidemark::storage::rescue
