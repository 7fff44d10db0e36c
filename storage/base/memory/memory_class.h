// What memory is used for, in one table: who may have how much of the process' memory, and who yields first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidemark::memory {

// In the order of kClasses.
enum class Class : uint8_t {
  kCaches,    // blocks of table files, results of queries
  kStaged,    // rows that are not in table files yet: heads, slabs
  kWork,      // checkpoints and folds
  kNames,     // series, measurements, fields, databases, head descriptors
  kRequests,  // bodies, parsing, queries, metadata, replies, followers of events
  kReserve,   // health, administration, the end
};

struct ClassRow {
  Class id;
  std::string_view name;  // in metrics and messages
  uint32_t share;         // percent of what is left after kCachesFloorBytes and kReserveBytes; 0: see `yields`
  std::string_view yields;
};

inline constexpr uint64_t kCachesFloorBytes = uint64_t{16} << 20;
inline constexpr uint64_t kReserveBytes = uint64_t{16} << 20;

inline constexpr std::array kClasses = {
    ClassRow{Class::kCaches, "caches", 0, "shrink first, down to 16 MiB; else what is free"},
    ClassRow{Class::kStaged, "staged", 25, "the largest database is frozen, the checkpoint comes sooner"},
    ClassRow{Class::kWork, "work", 10, "is taken beforehand, in pieces, and waits"},
    ClassRow{Class::kNames, "names", 45, "never: new names are refused"},
    ClassRow{Class::kRequests, "requests", 20, "wait in a fair queue until their deadline; may borrow from caches"},
    ClassRow{Class::kReserve, "reserve", 0, "16 MiB"},
};
inline constexpr size_t kClassCount = kClasses.size();

constexpr const ClassRow& RowOf(Class id) { return kClasses[static_cast<size_t>(id)]; }

// How full the process is, and what is done then. A higher one includes the lower ones.
enum class Level : uint8_t {
  kEasy,
  kShrinkCaches,  // from 80 %
  kCheckpoint,    // from 88 %: a checkpoint is taken, long work waits
  kRefuse,        // from 94 %: new names and new requests are refused
  kCancel,        // from 98 %: the request that holds most is ended
};

struct LevelRow {
  Level id;
  std::string_view name;
  uint32_t from;  // percent of the limit
};

inline constexpr std::array kLevels = {
    LevelRow{Level::kEasy, "easy", 0},
    LevelRow{Level::kShrinkCaches, "shrink_caches", 80},
    LevelRow{Level::kCheckpoint, "checkpoint", 88},
    LevelRow{Level::kRefuse, "refuse", 94},
    LevelRow{Level::kCancel, "cancel", 98},
};

constexpr uint32_t PercentOf(Level level) { return kLevels[static_cast<size_t>(level)].from; }

// Why memory was not given.
enum class Refusal : uint8_t {
  kShare,     // its class has all that it may have
  kLevel,     // the process as a whole is too full
  kTooLarge,  // it would not fit if there were nothing else
  kQueue,     // too many wait already
  kDeadline,  // it waited until its deadline
};
inline constexpr std::array<std::string_view, 5> kRefusals = {"share", "level", "too_large", "queue", "deadline"};

}  // namespace tidemark::memory
