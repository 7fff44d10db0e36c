// IngestGate: keeps tables from being taken in while somebody lists the files of the database.
//
// RocksDB notes how far its MANIFEST goes, lets go of its lock, and notes then how far its log goes. A table that is
// taken in between, and a record behind it that names the table, would be a log that names what the list does not have.
#pragma once

#include <cstdint>

#include "storage/base/mutex.h"

namespace tidemark::storage::rocks {

// Thread-safe. One that shuts it at a time.
class IngestGate {
 public:
  // Waits while it is shut.
  void Enter() TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (shut_) changed_.Wait(mutex_);
    ++inside_;
  }
  void Leave() TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    --inside_;
    changed_.NotifyAll();
  }
  // Nobody is inside when it returns, and nobody enters until Open.
  void Shut() TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (shut_) changed_.Wait(mutex_);
    shut_ = true;
    while (inside_ > 0) changed_.Wait(mutex_);
  }
  // Any thread; again is nothing.
  void Open() TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    shut_ = false;
    changed_.NotifyAll();
  }

  // Is inside as long as it lives.
  class Visit {
   public:
    explicit Visit(IngestGate* gate) : gate_(gate) { gate_->Enter(); }
    ~Visit() { gate_->Leave(); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    IngestGate* const gate_;
  };

 private:
  Mutex mutex_;
  CondVar changed_;
  bool shut_ TM_GUARDED_BY(mutex_) = false;
  int64_t inside_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage::rocks
