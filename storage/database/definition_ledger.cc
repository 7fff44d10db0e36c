#include "storage/database/definition_ledger.h"

#include <iterator>
#include <utility>

namespace tidemark::storage::database {

std::string DefinitionLedger::Begin(uint64_t sequence) {
  MutexLock lock(mutex_);
  std::string definitions = index_->TakeDefinitions();
  records_.emplace(sequence, Record{definitions, false});
  return definitions;
}

bool DefinitionLedger::WaitsForEarlier(uint64_t sequence) const {
  for (const auto& [earlier, record] : records_) {
    if (earlier >= sequence) break;
    if (!record.definitions.empty()) return true;
  }
  return false;
}

DefinitionLedger::Verdict DefinitionLedger::Settle(uint64_t sequence, bool durable) {
  MutexLock lock(mutex_);
  const auto own = records_.find(sequence);
  if (durable) {
    while (!own->second.append_again && WaitsForEarlier(sequence)) settled_.Wait(mutex_);
    const Verdict verdict = own->second.append_again ? Verdict::kAppendAgain : Verdict::kAcknowledge;
    records_.erase(own);
    settled_.NotifyAll();
    return verdict;
  }
  // What this record defined, and what later ones did, goes back in the order in which it was made. Later records are
  // good whatever becomes of this one when none of this is in doubt.
  std::string returned;
  for (auto it = own; it != records_.end(); ++it) returned += std::exchange(it->second.definitions, {});
  if (!returned.empty()) {
    for (auto it = std::next(own); it != records_.end(); ++it) it->second.append_again = true;
    index_->ReturnDefinitions(std::move(returned));
  }
  records_.erase(own);
  settled_.NotifyAll();
  return Verdict::kFailed;
}

}  // namespace tidemark::storage::database
