// EmptyView: a database that nobody has written to yet. The default database answers with it, so that a new server
// takes a dashboard's first questions.
#pragma once

#include <memory>

#include "storage/storage.h"

namespace tidemark::query::api {

std::shared_ptr<const storage::View> EmptyView();

}  // namespace tidemark::query::api
