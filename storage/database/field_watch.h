// FieldWatch: whether rows of fields get places in line while somebody finds out that they have none left.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::storage::database {

// Fields that one writer looks at, and those of them that got rows since.
struct WatchedFields {
  std::set<model::FieldId> fields;
  std::set<model::FieldId> touched;
};

// All of it, what it points to as well, under the lock of engine/line.h.
class FieldWatch {
 public:
  void Add(std::shared_ptr<WatchedFields> watched) { all_.push_back(std::move(watched)); }
  void Remove(const std::shared_ptr<WatchedFields>& watched) { std::erase(all_, watched); }
  // A batch of these shapes gets its place. Costs nothing while nobody looks.
  void Note(std::span<const model::ResolvedShape> shapes) {
    for (const std::shared_ptr<WatchedFields>& watched : all_) {
      for (const model::ResolvedShape& shape : shapes) {
        for (const model::ResolvedField& field : shape.fields) {
          if (watched->fields.contains(field.id)) watched->touched.insert(field.id);
        }
      }
    }
  }

 private:
  std::vector<std::shared_ptr<WatchedFields>> all_;
};

}  // namespace tidemark::storage::database
