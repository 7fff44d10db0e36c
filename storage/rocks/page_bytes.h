// Bytes of a page, and what keeps them alive.
#pragma once

#include <memory>
#include <string_view>

namespace tidemark::storage::rocks {

// Moving does not move the bytes.
struct PageBytes {
  std::string_view bytes;
  std::shared_ptr<const void> owner;
};

}  // namespace tidemark::storage::rocks
