// EmptyView: a database that nobody has written to yet. Questions to it are answered, not refused, so that a
// dashboard may be there before its data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/storage.h"

namespace tidemark::query::engine {

// `warnings`: for every answer.
std::shared_ptr<const storage::View> EmptyView(std::vector<std::string> warnings = {});

}  // namespace tidemark::query::engine
