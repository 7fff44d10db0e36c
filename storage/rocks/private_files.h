// What the operating system lets whom do with a data directory. MakePrivate: what lies in a data directory is its
// owner's alone.
#pragma once

#include <string>

namespace tidemark::storage::rocks {

// Takes from everybody but the owner the right to enter `directory` and the folders of a store in it, and to read the
// files of one that others could enter so far (of an older version). New files are made so
// (PrivateFileSystem). What cannot be
// changed, as on a medium without owners, stays.
void MakePrivate(const std::string& directory);

// Why this process cannot write in `directory`: "" when it can. Changes nothing.
[[nodiscard]] std::string WhyUnwritable(const std::string& directory);

}  // namespace tidemark::storage::rocks
