// DictionaryBook: the dictionaries that senders of HTTP batches have filled, by who they are, the name that they give
// themselves and the generation. Bounded: the one that was used longest ago goes, and its sender is told to define its
// series anew.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "ingest/native/limits.h"
#include "ingest/native/series_dictionary.h"
#include "storage/base/mutex.h"

namespace tidemark::native {

// One dictionary that several requests of its sender may use at once: read while series are added.
class SharedDictionary {
 public:
  SharedMutex mutex;
  SeriesDictionary series TM_GUARDED_BY(mutex);
};

// Thread-safe.
class DictionaryBook {
 public:
  explicit DictionaryBook(const Limits& limits = {}) : limits_(limits) {}

  struct Name {
    std::string_view sender;  // who may use it: a token's name
    std::string_view client;
    uint64_t generation = 0;
  };
  // The dictionary of this name; a new one when `make` and there is none, null otherwise. Of one sender and client the
  // generations before the newest two are forgotten.
  std::shared_ptr<SharedDictionary> Find(const Name& name, bool make);
  // Says how large a dictionary has become.
  void Grew(const Name& name, uint64_t bytes);

  struct Stats {
    uint64_t dictionaries = 0;
    uint64_t bytes = 0;
    uint64_t forgotten = 0;  // to keep within bounds
  };
  [[nodiscard]] Stats stats() const;

 private:
  using Key = std::tuple<std::string, std::string, uint64_t>;
  struct Entry {
    std::shared_ptr<SharedDictionary> dictionary;
    uint64_t bytes = 0;
    std::list<const Key*>::iterator use;
  };
  void ForgetOldGenerations(const Key& key) TM_REQUIRES(mutex_);
  void Forget(std::map<Key, Entry>::iterator at) TM_REQUIRES(mutex_);
  void KeepWithinBounds(const Key& kept) TM_REQUIRES(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;
  std::map<Key, Entry> entries_ TM_GUARDED_BY(mutex_);
  std::list<const Key*> uses_ TM_GUARDED_BY(mutex_);  // the last used first
  uint64_t bytes_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t forgotten_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::native
