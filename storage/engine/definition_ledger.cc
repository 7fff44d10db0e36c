#include "storage/engine/definition_ledger.h"

#include <algorithm>
#include <utility>

namespace tidemark::storage {

std::string DefinitionLedger::Begin(uint64_t sequence) {
  MutexLock lock(mutex_);
  last_sequence_ = sequence;
  std::string definitions = index_->TakeDefinitions();
  if (!definitions.empty()) pending_.push_back({sequence, definitions});
  return definitions;
}

DefinitionLedger::Verdict DefinitionLedger::Settle(uint64_t sequence, bool durable) {
  MutexLock lock(mutex_);
  const auto own = [&] {
    return std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.sequence >= sequence; });
  };
  if (!durable) {
    if (sequence <= void_until_) return Verdict::kFailed;
    std::string returned;
    const auto begin = own();
    for (auto it = begin; it != pending_.end(); ++it) returned += it->definitions;
    pending_.erase(begin, pending_.end());
    // Without definitions in doubt, later records are good whatever becomes of this one.
    if (!returned.empty()) {
      index_->ReturnDefinitions(std::move(returned));
      void_until_ = last_sequence_;
    }
    settled_.NotifyAll();
    return Verdict::kFailed;
  }
  while (sequence > void_until_ && EarlierPending(sequence)) settled_.Wait(mutex_);
  if (sequence <= void_until_) return Verdict::kAppendAgain;
  if (const auto it = own(); it != pending_.end() && it->sequence == sequence) {
    pending_.erase(it);
    settled_.NotifyAll();
  }
  return Verdict::kAcknowledge;
}

}  // namespace tidemark::storage
