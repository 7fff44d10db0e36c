// NotifyStore: keeps what a Notifier has to know after a restart in documents, and gives it back.
//
//   TM_RETURN_IF_ERROR(NotifyStore(documents).Load(&notifier, now_ns));
//   ... notifier.Put(...) ...
//   TM_RETURN_IF_ERROR(store.Save(notifier.TakeChanges(), notifier, "rules"));
#pragma once

#include <string_view>
#include <vector>

#include "query/notify/notifier.h"
#include "storage/base/result.h"
#include "storage/documents.h"

namespace tidemark::server::notify {

// The kinds of documents, with how many there may be.
std::vector<storage::DocumentKind> NotifyDocumentKinds();

// Not thread-safe; the store is.
class NotifyStore {
 public:
  // Outlives it.
  explicit NotifyStore(storage::DocumentStore* documents) : documents_(documents) {}

  // Gives an empty notifier all that was stored. A document that is damaged is told in the log and left out.
  Status Load(query::notify::Notifier* notifier, int64_t now_ns);
  // Durable when it returns. After an error the changes are kept, and stored with the next ones.
  Status Save(query::notify::Changes changes, query::notify::Notifier& notifier, std::string_view author);

 private:
  storage::DocumentStore* const documents_;
  query::notify::Changes unsaved_;
};

}  // namespace tidemark::server::notify
