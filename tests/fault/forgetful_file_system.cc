#include "forgetful_file_system.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace tidemark::fault {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr uint64_t kSector = 512;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Paths come with doubled and trailing slashes.
std::string Clean(const std::string& path) {
  std::string out = std::filesystem::path(path).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

std::string DirectoryOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

}  // namespace

class ForgetfulWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ForgetfulWritableFile(ForgetfulFileSystem* system, ForgetfulFileSystem::NodePtr node,
                        std::unique_ptr<rocksdb::FSWritableFile> target)
      : FSWritableFileOwnerWrapper(std::move(target)), system_(system), node_(std::move(node)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = system_->Spend();
    if (status.ok()) status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) system_->Append(node_, data);
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice&, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("direct writes");
  }
  IOStatus PositionedAppend(const Slice&, uint64_t, const IOOptions&, const rocksdb::DataVerificationInfo&,
                            IODebugContext*) override {
    return IOStatus::NotSupported("direct writes");
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = system_->Spend();
    if (status.ok()) status = FSWritableFileOwnerWrapper::Truncate(size, options, debug);
    if (status.ok()) system_->Resize(node_, size);
    return status;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    IOStatus status = system_->Spend();
    // The real file need not be synced: the power of this machine stays on.
    if (status.ok()) system_->Sync(node_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override { return Sync(options, debug); }
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  // Allocating would change the size of the real file behind our back.
  IOStatus Allocate(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}

 private:
  ForgetfulFileSystem* const system_;
  const ForgetfulFileSystem::NodePtr node_;
};

class ForgetfulRandomFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  ForgetfulRandomFile(ForgetfulFileSystem* system, ForgetfulFileSystem::NodePtr node,
                      std::unique_ptr<rocksdb::FSRandomRWFile> target)
      : FSRandomRWFileOwnerWrapper(std::move(target)), system_(system), node_(std::move(node)) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = system_->Spend();
    if (status.ok()) status = FSRandomRWFileOwnerWrapper::Write(offset, data, options, debug);
    if (status.ok()) system_->Write(node_, offset, data);
    return status;
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    IOStatus status = system_->Spend();
    if (status.ok()) system_->Sync(node_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override { return Sync(options, debug); }

 private:
  ForgetfulFileSystem* const system_;
  const ForgetfulFileSystem::NodePtr node_;
};

class ForgetfulDirectory final : public rocksdb::FSDirectory {
 public:
  ForgetfulDirectory(ForgetfulFileSystem* system, std::string path) : system_(system), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    IOStatus status = system_->Spend();
    if (status.ok()) system_->SyncDirectory(path_);
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  ForgetfulFileSystem* const system_;
  const std::string path_;
};

ForgetfulFileSystem::ForgetfulFileSystem(std::string root)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), root_(Clean(root)) {
  if (!std::filesystem::exists(root_)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    if (!entry.is_regular_file()) continue;
    auto node = std::make_shared<Node>();
    node->durable = ReadAll(entry.path());
    node->size = node->durable.size();
    names_[entry.path().string()] = node;
  }
  durable_names_ = names_;
}

ForgetfulFileSystem::~ForgetfulFileSystem() = default;

void ForgetfulFileSystem::PowerOffAfter(uint64_t calls) {
  const std::lock_guard lock(mutex_);
  off_at_ = calls_ + calls;
}

void ForgetfulFileSystem::FailCalls(uint64_t call, uint64_t count) {
  const std::lock_guard lock(mutex_);
  fail_from_ = call;
  fail_to_ = call + count;
}

uint64_t ForgetfulFileSystem::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

bool ForgetfulFileSystem::off() const {
  const std::lock_guard lock(mutex_);
  return off_;
}

IOStatus ForgetfulFileSystem::Spend() {
  const std::lock_guard lock(mutex_);
  ++calls_;
  if (calls_ >= off_at_) off_ = true;
  if (off_) return IOStatus::IOError("the power is off");
  if (calls_ >= fail_from_ && calls_ < fail_to_) return IOStatus::IOError("EIO, injected");
  return IOStatus::OK();
}

void ForgetfulFileSystem::Apply(const Change& change, std::string* content) {
  if (change.truncate) {
    content->resize(change.offset, '\0');
    return;
  }
  if (content->size() < change.offset + change.bytes.size()) content->resize(change.offset + change.bytes.size(), '\0');
  content->replace(change.offset, change.bytes.size(), change.bytes);
}

void ForgetfulFileSystem::Write(const NodePtr& node, uint64_t offset, const Slice& data) {
  const std::lock_guard lock(mutex_);
  node->pending.push_back({offset, data.ToString(), false, false});
  node->size = std::max<uint64_t>(node->size, offset + data.size());
}

void ForgetfulFileSystem::Append(const NodePtr& node, const Slice& data) {
  const std::lock_guard lock(mutex_);
  node->pending.push_back({node->size, data.ToString(), false, false});
  node->size += data.size();
}

void ForgetfulFileSystem::Resize(const NodePtr& node, uint64_t size) {
  const std::lock_guard lock(mutex_);
  node->pending.push_back({size, {}, true, size > node->size});
  node->size = size;
}

void ForgetfulFileSystem::Sync(const NodePtr& node) {
  const std::lock_guard lock(mutex_);
  for (const Change& change : node->pending) Apply(change, &node->durable);
  node->pending.clear();
}

void ForgetfulFileSystem::ChangeNames(NameChange change) {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, node] : change) {
    if (node == nullptr) {
      names_.erase(path);
    } else {
      names_[path] = node;
    }
  }
  log_.push_back(std::move(change));
}

void ForgetfulFileSystem::SyncDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (NameChange& change : log_) {
    for (const auto& [name, node] : change) {
      if (DirectoryOf(name) != path) continue;
      if (node == nullptr) {
        durable_names_.erase(name);
      } else {
        durable_names_[name] = node;
      }
    }
    std::erase_if(change, [&](const auto& entry) { return DirectoryOf(entry.first) == path; });
  }
  std::erase_if(log_, [](const NameChange& change) { return change.empty(); });
}

ForgetfulFileSystem::NodePtr ForgetfulFileSystem::Find(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

IOStatus ForgetfulFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = Spend();
  std::unique_ptr<rocksdb::FSWritableFile> target;
  if (status.ok()) status = FileSystemWrapper::NewWritableFile(path, options, &target, debug);
  if (!status.ok()) return status;
  auto node = std::make_shared<Node>();
  ChangeNames({{Clean(path), node}});
  *result = std::make_unique<ForgetfulWritableFile>(this, std::move(node), std::move(target));
  return status;
}

IOStatus ForgetfulFileSystem::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                                 std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                 IODebugContext* debug) {
  IOStatus status = Spend();
  std::unique_ptr<rocksdb::FSWritableFile> target;
  if (status.ok()) status = FileSystemWrapper::ReopenWritableFile(path, options, &target, debug);
  if (!status.ok()) return status;
  NodePtr node = Find(Clean(path));
  if (node == nullptr) {
    node = std::make_shared<Node>();
    ChangeNames({{Clean(path), node}});
  }
  *result = std::make_unique<ForgetfulWritableFile>(this, std::move(node), std::move(target));
  return status;
}

IOStatus ForgetfulFileSystem::ReuseWritableFile(const std::string& path, const std::string& old_path,
                                                const FileOptions& options,
                                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                IODebugContext* debug) {
  const IOStatus status = RenameFile(old_path, path, options.io_options, debug);
  return status.ok() ? NewWritableFile(path, options, result, debug) : status;
}

IOStatus ForgetfulFileSystem::NewRandomRWFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSRandomRWFile> target;
  const IOStatus status = FileSystemWrapper::NewRandomRWFile(path, options, &target, debug);
  if (!status.ok()) return status;
  NodePtr node = Find(Clean(path));
  if (node == nullptr) return IOStatus::PathNotFound(path);
  *result = std::make_unique<ForgetfulRandomFile>(this, std::move(node), std::move(target));
  return status;
}

IOStatus ForgetfulFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                           std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> target;
  const IOStatus status = FileSystemWrapper::NewDirectory(path, options, &target, debug);
  if (status.ok()) *result = std::make_unique<ForgetfulDirectory>(this, Clean(path));
  return status;
}

IOStatus ForgetfulFileSystem::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  IOStatus status = Spend();
  if (status.ok()) status = FileSystemWrapper::DeleteFile(path, options, debug);
  if (status.ok()) ChangeNames({{Clean(path), nullptr}});
  return status;
}

IOStatus ForgetfulFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                         IODebugContext* debug) {
  IOStatus status = Spend();
  if (status.ok()) status = FileSystemWrapper::RenameFile(from, to, options, debug);
  if (status.ok()) ChangeNames({{Clean(to), Find(Clean(from))}, {Clean(from), nullptr}});
  return status;
}

IOStatus ForgetfulFileSystem::LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                                       IODebugContext* debug) {
  IOStatus status = Spend();
  if (status.ok()) status = FileSystemWrapper::LinkFile(from, to, options, debug);
  if (status.ok()) ChangeNames({{Clean(to), Find(Clean(from))}});
  return status;
}

IOStatus ForgetfulFileSystem::Truncate(const std::string& path, size_t size, const IOOptions& options,
                                       IODebugContext* debug) {
  IOStatus status = Spend();
  if (status.ok()) status = FileSystemWrapper::Truncate(path, size, options, debug);
  if (const NodePtr node = Find(Clean(path)); status.ok() && node != nullptr) Resize(node, size);
  return status;
}

void ForgetfulFileSystem::Survive(Node* node, std::mt19937_64* random) {
  std::vector<Change> pending = std::exchange(node->pending, {});
  switch ((*random)() % 4) {
    case 0: return;
    case 1:
      for (const Change& change : pending) Apply(change, &node->durable);
      return;
    case 2: {
      // The first few, the last of them torn.
      const size_t whole = pending.empty() ? 0 : (*random)() % pending.size();
      for (size_t i = 0; i < whole; ++i) Apply(pending[i], &node->durable);
      if (whole < pending.size() && !pending[whole].bytes.empty()) {
        pending[whole].bytes.resize((*random)() % pending[whole].bytes.size());
        Apply(pending[whole], &node->durable);
      }
      return;
    }
    default: {
      // Any sectors of any of them. Disks write sectors whole, and those lie at multiples of their size. The length is
      // the file system's, which changes it at once; what lies behind it is not there.
      const bool grows = std::any_of(pending.begin(), pending.end(), [](const Change& change) { return change.grow; });
      for (const Change& change : pending) {
        if (change.grow && (*random)() % 2 == 0) Apply(change, &node->durable);
        if (change.truncate) continue;
        const uint64_t end = change.offset + change.bytes.size();
        for (uint64_t at = change.offset; at < end;) {
          const uint64_t next = std::min(end, (at / kSector + 1) * kSector);
          if ((*random)() % 2 == 0 && (!grows || next <= node->durable.size())) {
            Apply({at, change.bytes.substr(at - change.offset, next - at), false, false}, &node->durable);
          }
          at = next;
        }
      }
      return;
    }
  }
}

void ForgetfulFileSystem::RestoreDurable(uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  const size_t survived = log_.empty() ? 0 : random() % (log_.size() + 1);
  for (size_t i = 0; i < survived; ++i) {
    for (const auto& [path, node] : log_[i]) {
      if (node == nullptr) {
        durable_names_.erase(path);
      } else {
        durable_names_[path] = node;
      }
    }
  }
  log_.clear();
  std::set<Node*> nodes;
  for (const auto& [path, node] : durable_names_) nodes.insert(node.get());
  for (Node* node : nodes) Survive(node, &random);

  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  for (const auto& path : files) std::filesystem::remove(path);
  // Files with several names become several files, which is the same to everybody who only appends before linking.
  for (const auto& [path, node] : durable_names_) {
    std::ofstream(path, std::ios::binary) << node->durable;
  }
}

}  // namespace tidemark::fault
