#include "storage/base/lent_thread.h"

#include <utility>

namespace tidemark {
namespace {

thread_local LentThread* owner_of_thread = nullptr;

}  // namespace

LentThread::Scope::Scope(LentThread* owner) { owner_of_thread = owner; }
LentThread::Scope::~Scope() { owner_of_thread = nullptr; }

void ThisThreadIsBusy() {
  if (owner_of_thread != nullptr) std::exchange(owner_of_thread, nullptr)->TakeBack();
}

bool ThisThreadIsLent() { return owner_of_thread != nullptr; }

}  // namespace tidemark
