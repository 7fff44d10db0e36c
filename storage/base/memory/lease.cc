#include "storage/base/memory/lease.h"

#include "storage/base/memory/budget.h"

namespace tidemark::memory {
namespace {

constexpr uint64_t RoundUp(uint64_t bytes) {
  return (bytes + Lease::kGrainBytes - 1) / Lease::kGrainBytes * Lease::kGrainBytes;
}

}  // namespace

bool Lease::Take(uint64_t bytes) {
  // At the very end of a budget the exact amount may still be there.
  const uint64_t least = bytes - spare_;
  uint64_t taken = RoundUp(least);
  if (budget_->TakeOr(class_, taken).has_value()) {
    taken = least;
    if (!budget_->TryTake(class_, taken)) return false;
  }
  spare_ += taken;
  Use(bytes);
  return true;
}

void Lease::GrowAnyway(uint64_t bytes) {
  if (bytes > spare_ && budget_ != nullptr) {
    const uint64_t taken = RoundUp(bytes - spare_);
    budget_->TakeAnyway(class_, taken);
    spare_ += taken;
  }
  Use(bytes);
}

void Lease::Shrink(uint64_t bytes) {
  bytes_ -= bytes;
  if (budget_ == nullptr) return;
  spare_ += bytes;
  if (spare_ < 2 * kGrainBytes) return;
  budget_->Give(class_, spare_ - kGrainBytes);
  spare_ = kGrainBytes;
}

bool Lease::Resize(uint64_t bytes) {
  if (bytes > bytes_) return Grow(bytes - bytes_);
  Shrink(bytes_ - bytes);
  return true;
}

void Lease::Release() {
  if (budget_ != nullptr && bytes_ + spare_ > 0) budget_->Give(class_, bytes_ + spare_);
  bytes_ = 0;
  spare_ = 0;
}

}  // namespace tidemark::memory
