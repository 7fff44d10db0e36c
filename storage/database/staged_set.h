// StagedSet: a head set and the writes that have a place in it. Writers take a ticket at the point where their journal
// record gets its sequence, and give it back when their rows are in (or never will be); so a frozen set is complete
// once all its tickets are back.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/base/mutex.h"
#include "storage/head/head_set.h"

namespace tidemark::storage::database {

class StagedSet {
 public:
  StagedSet(uint64_t number, std::unique_ptr<head::HeadSet> heads) : number_(number), heads_(std::move(heads)) {}

  // Sets, and the slabs made of them, are read in the order of their numbers, later ones winning.
  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] head::HeadSet& heads() { return *heads_; }
  [[nodiscard]] const head::HeadSet& heads() const { return *heads_; }

  // The next ticket. The caller serialises calls (Store's order mutex).
  uint64_t TakeTicket();
  // After HeadSet::Append or SkipTicket for a ticket.
  void TicketDone();
  // Blocks until every ticket is done. Only for a set that gives out no more.
  void WaitComplete();
  [[nodiscard]] bool has_tickets() const;

 private:
  const uint64_t number_;
  const std::unique_ptr<head::HeadSet> heads_;
  mutable Mutex mutex_;
  CondVar all_done_;
  uint64_t taken_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t done_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage::database
