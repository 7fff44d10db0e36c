// A data directory that is damaged, and what a test knows of the store that is left: which series is which, told by its
// rows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <random>
#include <string>

#include "row_model.h"

namespace tidemark::fault {

// Damages a file below `data`: "removed", "cut" or "flipped" (one bit of what is written). Says which, and how.
std::string Damage(const std::filesystem::path& data, const std::string& victim, const std::string& how,
                   std::mt19937_64& random);

// `found` under the names of `wanted`. A database that lost its name has one of its number (1 is "default", 2 "other").
// A series that lost its own, or its labels, is told by its rows, all of which must be of one; where they are not it
// keeps the name that was made up.
RowModel WithNames(const RowModel& wanted, const RowModel& found);

// Of all columns that are not documents.
size_t RowsOf(const RowModel& model);

// Whether a file is a table of names, of records.
bool HoldsNames(const std::filesystem::path& path);
bool HoldsRecords(const std::filesystem::path& path);

}  // namespace tidemark::fault
