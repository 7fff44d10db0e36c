// RuleBook: the rule groups that are put through the API: documents of kind `rules`, one a group, with who and when and
// their last versions. A namespace is what a file is for rules in files.
//
//   RuleBook book(store->Documents(), parse);
//   book.Load();
//   TM_RETURN_IF_ERROR(book.Put("team-a", "name: g\nrules: [...]", "ada", SeriesFilter::Everything()));
//   manager->SetGroups(book.Groups());
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/rules/rule_file.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "storage/series_filter.h"

namespace tidemark::server {

// Versions of each group are kept, and there may be so many.
storage::DocumentKind RulesKind();

// Thread-safe.
class RuleBook {
 public:
  // `documents` outlives it.
  RuleBook(storage::DocumentStore* documents, query::promql::ParseOptions parse)
      : documents_(documents), parse_(parse) {}

  // Reads what is stored. A group that cannot be read any more is left out, which the log says; the others are there.
  void Load();

  struct Entry {
    std::string space;
    std::string group;
    std::string text;  // the YAML of the group, as it was put
    // Of who put it: its rules read and write no other series.
    storage::SeriesFilter filter = storage::SeriesFilter::Everything();
  };
  // Who is held to a filter sees and changes the groups only that were put under the same one.
  // By namespace and name; of one namespace where it is given.
  [[nodiscard]] std::vector<Entry> List(
      std::optional<std::string_view> space,
      const storage::SeriesFilter& reader = storage::SeriesFilter::Everything()) const;
  // kNotFound.
  [[nodiscard]] Result<Entry> Find(std::string_view space, std::string_view group,
                                   const storage::SeriesFilter& reader) const;
  // All groups; the file of each is its namespace.
  [[nodiscard]] std::vector<query::rules::Group> Groups() const;

  // Puts a group where the one of its name is or none. kInvalidArgument: NAMESPACE:LINE:COLUMN: reason, a line for each
  // fault, or a name that is too long; kConflict: a group of that name was put under another filter; errors of the
  // documents.
  Status Put(std::string_view space, std::string_view text, std::string_view author,
             const storage::SeriesFilter& maker);
  // kNotFound; errors of the documents.
  Status Delete(std::string_view space, std::string_view group, std::string_view author,
                const storage::SeriesFilter& maker);
  // The same. Of more than kMaxDocumentChanges groups some may be gone when there is an error.
  Status DeleteAll(std::string_view space, std::string_view author, const storage::SeriesFilter& maker);

 private:
  using Key = std::pair<std::string, std::string>;  // namespace and group
  struct Stored {
    std::string text;
    query::rules::Group group;
    storage::SeriesFilter filter;
  };
  static bool MayUse(const storage::SeriesFilter& who, const Stored& stored) {
    return who.everything() || who == stored.filter;
  }
  Status Remove(const std::vector<Key>& keys, std::string_view author) TM_REQUIRES(mutex_);

  storage::DocumentStore* const documents_;
  const query::promql::ParseOptions parse_;
  mutable Mutex mutex_;
  std::map<Key, Stored> groups_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server
