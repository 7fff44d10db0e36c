// WriteGroup: short writes that are decoded where they were read and then wait together for one write to the store, so
// that none of them takes a thread. Who comes while one is under way is in the next: the busier the disk, the larger
// the groups, and nobody waits for others to come.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/point_sink.h"

namespace tidemark::server {

// Thread-safe.
class WriteGroup {
 public:
  // Writes batches to a database; a report for each, in their order.
  using Write = std::function<std::vector<Result<model::WriteReport>>(std::string_view database,
                                                                      std::span<const model::Batch* const> batches)>;
  // Hears once what became of a batch, on the thread that wrote it: must not throw.
  using Done = std::move_only_function<void(Result<model::WriteReport>)>;

  // Those that have a place at once. More have threads of their own, where they wait in turns by who sends them.
  static constexpr size_t kMaxPlaces = 64;
  // So many groups are written one behind the other by one thread. Then there are no places until it has come to its
  // end, so that who sends large batches gets his turn where threads are few.
  static constexpr size_t kGroupsInARow = 64;

  explicit WriteGroup(Write write) : write_(std::move(write)) {}

  // A place in the next group: a batch may be added. Gives it up when it goes unused.
  class Place {
   public:
    explicit Place(WriteGroup* group) : group_(group) {}
    Place(Place&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

    // False: there was none, or the next group is of another database.
    explicit operator bool() const { return group_ != nullptr; }
    // Whoever gets true has to see to it that Run is called, once: nobody else does.
    [[nodiscard]] bool Add(const model::Batch* batch, Done done);

   private:
    WriteGroup* group_;
  };
  [[nodiscard]] Place TakePlace(std::string_view database);

  // Writes what waits until nothing does. `may_run` false: refuses it in place of that, since no thread is free.
  void Run(bool may_run);

 private:
  struct Entry {
    const model::Batch* batch = nullptr;
    Done done;
  };
  void WriteGroupOf(std::string_view database, std::vector<Entry>* group);

  const Write write_;
  Mutex mutex_;
  std::string database_ TM_GUARDED_BY(mutex_);  // of those that have a place and are not being written
  std::vector<Entry> waiting_ TM_GUARDED_BY(mutex_);
  // Those that wait, and those that are yet to be added; and kMaxPlaces more while no others are to be taken.
  size_t places_ TM_GUARDED_BY(mutex_) = 0;
  bool running_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::server
