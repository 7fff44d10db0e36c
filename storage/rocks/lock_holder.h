// LockHolder: which process has a file locked, as the system says it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemark::storage::rocks {

// The process that has `path` (a file or a directory) locked, by flock(2) or fcntl(2), as `locks` says, which is the
// text of /proc/locks; nullopt: none that can be seen from here. Those of other machines, and of containers with
// processes of their own, cannot. Changes nothing, and opens nothing: a process that closes a file lets go of its own
// fcntl locks on it.
[[nodiscard]] std::optional<int> LockHolder(const std::string& path, std::string_view locks);
// The same of the system as it is now.
[[nodiscard]] std::optional<int> LockHolder(const std::string& path);

}  // namespace tidemark::storage::rocks
