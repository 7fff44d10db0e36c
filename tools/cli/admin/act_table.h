// Answers of acts for people: the JSON that a server sends as aligned lines, with units in place of bare numbers. What
// a key means follows from how it is spelled: ...Seconds are durations, ...Bytes are bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

struct ActAnswer {
  std::string text;                   // whole lines
  std::vector<std::string> warnings;  // beside it
};

// Of {"status":"success","data":...}: an object as a line for each key, with those of objects inside it; a list of
// objects as a table with a column for each key, or, where `width` columns (0: any number) do not hold that, as a block
// of lines for each object. kInternal for what is no such answer.
Result<ActAnswer> ActTable(std::string_view body, size_t width = 0);

// Prints an answer for people: the table on standard output, warnings beside it. Returns the exit code.
int PrintAnswer(std::string_view body);

// One line of progress: `partitions done 1, partitions total 4, bytes read 12.3 MB`. "" for what is no object.
std::string ProgressLine(std::string_view line);

// "partitionsDropped" as "partitions dropped".
std::string WordsOfKey(std::string_view key);

}  // namespace tidemark::cli
