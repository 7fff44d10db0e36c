// EmptyView: a database that nobody has written to yet. Questions to it are answered, not refused, so that a
// dashboard may be there before its data.
#pragma once

#include <memory>

#include "storage/storage.h"

namespace tidemark::query::engine {

std::shared_ptr<const storage::View> EmptyView();

}  // namespace tidemark::query::engine
