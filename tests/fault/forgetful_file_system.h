// ForgetfulFileSystem: a file system that loses power. It works on real files and remembers what of them a disk would
// still have: bytes that were synced, names whose directory was synced. After PowerOff every call fails, and
// RestoreDurable leaves in the directory what a machine would find after the power came back: all that is durable,
// and of the rest some part, chosen at random (writes torn within sectors, later writes without earlier ones, names
// up to some point).
//
// It also fails single calls, as a disk does that is dying: FailCall.
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::fault {

class ForgetfulFileSystem : public rocksdb::FileSystemWrapper {
 public:
  // Everything under `root` counts as durable.
  explicit ForgetfulFileSystem(std::string root);
  ~ForgetfulFileSystem() override;
  [[nodiscard]] const char* Name() const override { return "ForgetfulFileSystem"; }

  // The power goes before the `calls`-th further call that changes anything.
  void PowerOffAfter(uint64_t calls);
  // The call number `call` (from 1, of those that change anything) and the `count` - 1 after it fail with EIO and
  // change nothing.
  void FailCalls(uint64_t call, uint64_t count);
  [[nodiscard]] uint64_t calls() const;
  [[nodiscard]] bool off() const;

  // Puts the durable state into the directory. Nobody may have a file of it open. `seed` chooses what else survived.
  void RestoreDurable(uint64_t seed);

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, size_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;

 private:
  friend class ForgetfulWritableFile;
  friend class ForgetfulRandomFile;
  friend class ForgetfulDirectory;

  // A write that is not synced yet. A truncation has no bytes and `truncate` set.
  struct Change {
    uint64_t offset = 0;
    std::string bytes;
    bool truncate = false;
    bool grow = false;  // a truncation that makes a file longer before something is written there
  };
  // The content of a file, whatever its names.
  struct Node {
    std::string durable;
    std::vector<Change> pending;
    uint64_t size = 0;
  };
  using NodePtr = std::shared_ptr<Node>;
  // One change of names: each path gets a node or, with null, loses it. All or none of them survive.
  using NameChange = std::vector<std::pair<std::string, NodePtr>>;

  // Counts a call; an error when the power is off or the call has to fail.
  rocksdb::IOStatus Spend();
  void Write(const NodePtr& node, uint64_t offset, const rocksdb::Slice& data);
  void Append(const NodePtr& node, const rocksdb::Slice& data);
  void Resize(const NodePtr& node, uint64_t size);
  void Sync(const NodePtr& node);
  void SyncDirectory(const std::string& path);
  void ChangeNames(NameChange change);
  NodePtr Find(const std::string& path);
  static void Apply(const Change& change, std::string* content);
  static void Survive(Node* node, std::mt19937_64* random);

  const std::string root_;
  mutable std::mutex mutex_;
  uint64_t calls_ = 0;
  uint64_t off_at_ = ~uint64_t{0};
  uint64_t fail_from_ = 0;
  uint64_t fail_to_ = 0;  // not included
  bool off_ = false;
  std::map<std::string, NodePtr> names_;
  std::map<std::string, NodePtr> durable_names_;
  std::vector<NameChange> log_;  // since the directories were synced
};

}  // namespace tidemark::fault
