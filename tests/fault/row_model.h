// RowModel: what a store holds, or should hold, as a plain map; and the rows of the fault scenarios, which go into a
// store and into the model alike.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::fault {

// Times and values, as text, of one field of one series.
using ModelColumn = std::map<int64_t, std::string>;
// By "database/metric/host".
using RowModel = std::map<std::string, ModelColumn>;

// `count` rows of a host from `first_ns` on, `step_ns` apart: an integer `v` that begins with `value` and walks, and a
// string `s`.
struct RowRun {
  std::string database = "default";
  std::string host = "a";
  int64_t first_ns = 0;
  int count = 100;
  int64_t step_ns = 1'000'000'000;
  int64_t value = 0;
};
Result<void> WriteRun(storage::Store& store, const RowRun& run);
void AddRun(const RowRun& run, RowModel* model);

// A document is a column "documents/kind/name" with a text at the number of each version that is kept.
void AddDocument(RowModel* model, const std::string& name, int64_t version, const std::string& text);
// The text of a version that is a deletion.
inline constexpr std::string_view kDeletedDocument = "deleted";

// Takes out what lies in the range (both ends included); of one host, or of all where `host` is empty.
void Erase(RowModel* model, std::string_view database, std::string_view host, int64_t first_ns, int64_t last_ns);

// Everything that the store has, documents too, databases without rows left out. Errors also when a reply comes with a
// warning, and when a bucket of a rollup tier that is trusted says something else than the rows.
Result<RowModel> ReadAll(const storage::Store& store);
// The same of one view.
Result<void> ReadView(const storage::View& view, std::string_view database, RowModel* found);

// What can be read of a store that is damaged, and what is said of the rest: by views, by cursors, or instead of a
// view.
RowModel ReadPart(const storage::Store& store, std::vector<std::string>* said);
// {} when all that was found is wanted, otherwise the first that is not in words.
std::string Untrue(const RowModel& wanted, const RowModel& found);

// {} when they are the same, otherwise the first difference in words.
std::string Difference(const RowModel& wanted, const RowModel& found);

}  // namespace tidemark::fault
