// KindIndex: which documents of one kind there are, in which versions, and which versions are kept: the truth about
// them in memory, without their bytes.
//
// A version that is not kept any more is *spent*: it is out of the index at once, and its records go with the next
// commit. What is spent follows from what is there alone, so that a start finds by itself what a crash left of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/documents.h"
#include "storage/documents/document_record.h"

namespace tidemark::storage::documents {

// Names the records of one version.
struct SpentVersion {
  std::string name;
  uint64_t version = 0;
};

// Not thread-safe.
class KindIndex {
 public:
  // What a version is, but for its kind and name.
  struct Version {
    uint64_t version = 0;
    uint64_t change = 0;
    int64_t time_ns = 0;
    std::string author;
    bool deleted = false;
    uint64_t bytes = 0;
    uint64_t hash = 0;
  };
  using Versions = std::vector<Version>;  // ascending, never empty
  using Names = std::map<std::string, Versions, std::less<>>;

  explicit KindIndex(DocumentKind kind) : kind_(std::move(kind)) {}

  // Adds the newest version of its document. kCorruption when it is not newer than what is there.
  Result<void> Add(const DocumentRecord& record);
  void RaiseForgotten(uint64_t version);
  // Takes out what is kept no more of one document, or, with the empty name, of all.
  [[nodiscard]] std::vector<SpentVersion> TakeSpent(std::string_view name);

  // Null when the name is unknown.
  [[nodiscard]] const Versions* Find(std::string_view name) const;
  // The newest version of a document that is there; null when it is unknown or deleted.
  [[nodiscard]] const Version* Current(std::string_view name) const;
  // What the next change of `name` makes.
  [[nodiscard]] uint64_t NextVersion(std::string_view name) const;

  [[nodiscard]] const DocumentKind& kind() const { return kind_; }
  [[nodiscard]] const Names& names() const { return names_; }
  [[nodiscard]] uint64_t documents() const { return names_.size() - deleted_.size(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }            // of documents that are there
  [[nodiscard]] uint64_t kept_bytes() const { return kept_bytes_; }  // of all versions
  [[nodiscard]] uint64_t last_change() const { return last_change_; }
  [[nodiscard]] uint64_t forgotten_through() const { return forgotten_through_; }

 private:
  void TrimHistory(const std::string& name, Versions* versions, std::vector<SpentVersion>* spent);
  void ForgetDeleted(std::vector<SpentVersion>* spent);
  // While all versions together take more bytes than the kind may have: old ones go, the earliest change first.
  void MakeRoom(std::vector<SpentVersion>* spent);
  void Spend(const std::string& name, Versions* versions, size_t count, std::vector<SpentVersion>* spent);

  const DocumentKind kind_;
  Names names_;
  std::map<uint64_t, std::string> deleted_;  // names of deleted documents by the change that deleted them
  uint64_t bytes_ = 0;
  uint64_t kept_bytes_ = 0;
  uint64_t last_change_ = 0;
  uint64_t forgotten_through_ = 0;
};

}  // namespace tidemark::storage::documents
