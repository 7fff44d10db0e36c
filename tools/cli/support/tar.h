// Tar: an archive of small files, in the ustar form: POSIX.1-2001, pax, "ustar Interchange Format".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark::cli {

// Appends a file of its owner's alone. `name`: at most 100 bytes, with '/' between folders. `time_s`: since 1970.
void AppendTarFile(std::string_view name, std::string_view bytes, int64_t time_s, std::string* out);
// Behind the last file.
void AppendTarEnd(std::string* out);

}  // namespace tidemark::cli
