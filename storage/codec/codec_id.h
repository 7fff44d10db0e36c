// CodecId: the first byte of every frame of integers and of strings.
#pragma once

#include <cstdint>

namespace tidemark::codec {

// The numbers are stored on disk: never change or reuse one. 0 is never written.
enum class CodecId : uint8_t {
  kConstant = 1,   // constant.h
  kRegular = 2,    // regular.h
  kDelta = 3,      // delta.h
  kReference = 4,  // reference.h
  kRaw = 5,        // raw.h
  kMultiple = 6,   // multiple.h
  kRuns = 7,       // runs.h
  kEntropy = 8,    // entropy.h
  kDistinct = 9,   // distinct.h; since store version 3
  kPairs = 10,     // pairs.h; since store version 3

  kStrings = 16,     // strings.h: one after the other
  kDictionary = 17,  // strings.h: distinct ones and indexes
};

// The store version since which programs read a frame.
enum class Since : uint8_t {
  kStore1 = 1,
  kStore3 = 3,
};

}  // namespace tidemark::codec
