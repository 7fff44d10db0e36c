// Which live sets are frozen when rows take more memory than they may.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tidemark::storage {

// `bytes`: of each live set. Returns the places of those to freeze, the largest first: all that are worth a slab (an
// eighth of `budget_bytes` and more), and further ones until what stays takes at most half of `budget_bytes`. So the
// budget is kept however many databases share it, and each time so much is made room for that small sets are not
// frozen again with every write. Sets without bytes stay.
std::vector<size_t> ChooseToFreeze(std::span<const uint64_t> bytes, uint64_t budget_bytes);

}  // namespace tidemark::storage
