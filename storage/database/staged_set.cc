#include "storage/database/staged_set.h"

namespace tidemark::storage::database {

uint64_t StagedSet::TakeTicket() {
  MutexLock lock(mutex_);
  return taken_++;
}

void StagedSet::TicketDone() {
  MutexLock lock(mutex_);
  if (++done_ == taken_) all_done_.NotifyAll();
}

void StagedSet::WaitComplete() {
  MutexLock lock(mutex_);
  while (done_ != taken_) all_done_.Wait(mutex_);
}

bool StagedSet::has_tickets() const {
  MutexLock lock(mutex_);
  return taken_ != 0;
}

}  // namespace tidemark::storage::database
