// UsableCpus: how many threads of this process can run at once.
#pragma once

#include <cstddef>

namespace tidemark::executor {

// CPUs in the process's affinity mask; at least 1.
size_t UsableCpus();

}  // namespace tidemark::executor
