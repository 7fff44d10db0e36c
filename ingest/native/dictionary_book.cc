#include "ingest/native/dictionary_book.h"

#include <vector>

namespace tidemark::native {
namespace {

// What requests that are under way may still use, while the sender goes over to the next.
constexpr size_t kGenerationsKept = 2;

}  // namespace

std::shared_ptr<SharedDictionary> DictionaryBook::Find(const Name& name, bool make) {
  Key key(name.sender, name.client, name.generation);
  MutexLock lock(mutex_);
  auto at = entries_.find(key);
  if (at == entries_.end()) {
    if (!make) return nullptr;
    at = entries_.emplace(std::move(key), Entry{.dictionary = std::make_shared<SharedDictionary>(), .use = {}}).first;
    uses_.push_front(&at->first);
    at->second.use = uses_.begin();
    ForgetOldGenerations(at->first);
    KeepWithinBounds(at->first);
  } else {
    uses_.splice(uses_.begin(), uses_, at->second.use);
  }
  return at->second.dictionary;
}

void DictionaryBook::Grew(const Name& name, uint64_t bytes) {
  MutexLock lock(mutex_);
  const auto at = entries_.find(Key(name.sender, name.client, name.generation));
  if (at == entries_.end()) return;
  bytes_ += bytes - at->second.bytes;
  at->second.bytes = bytes;
  KeepWithinBounds(at->first);
}

void DictionaryBook::Forget(std::map<Key, Entry>::iterator at) {
  bytes_ -= at->second.bytes;
  uses_.erase(at->second.use);
  entries_.erase(at);
}

void DictionaryBook::ForgetOldGenerations(const Key& key) {
  // By use and not by number: a generation is the sender's to choose, a clock that was set back included.
  std::vector<std::map<Key, Entry>::iterator> same;
  for (auto use = uses_.begin(); use != uses_.end(); ++use) {
    if (std::get<0>(**use) == std::get<0>(key) && std::get<1>(**use) == std::get<1>(key)) {
      same.push_back(entries_.find(**use));
    }
  }
  for (size_t i = kGenerationsKept; i < same.size(); ++i) Forget(same[i]);
}

void DictionaryBook::KeepWithinBounds(const Key& kept) {
  while (entries_.size() > limits_.max_dictionaries || bytes_ > limits_.max_book_bytes) {
    const Key* const last = uses_.back();
    if (last == &kept) return;
    Forget(entries_.find(*last));
    ++forgotten_;
  }
}

DictionaryBook::Stats DictionaryBook::stats() const {
  MutexLock lock(mutex_);
  return {.dictionaries = entries_.size(), .bytes = bytes_, .forgotten = forgotten_};
}

}  // namespace tidemark::native
