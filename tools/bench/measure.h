// What benchmarks read off the machine and say of samples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::bench {

// CPU seconds (user and system, all threads) that a process has used, from /proc/PID/stat; 0 for pid 0 or when it
// cannot be read. The fair figure on a machine that others use too.
double CpuSeconds(int pid);

// Resident memory of a process in bytes now, from /proc/PID/status; 0 as above.
uint64_t ResidentBytes(int pid);

// Is told how much is done: "sent", "points", so many, of so many. Called by one thread at a time, often: whoever
// prints thins it out.
using Told = std::function<void(std::string_view verb, std::string_view noun, uint64_t done, uint64_t all)>;

// The value below which `share` (0 to 1) of the samples lie; 0 without samples.
double Percentile(std::vector<double> samples, double share);

}  // namespace tidemark::bench
