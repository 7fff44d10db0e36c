// Formats: what points are written to files as, and read from. One row each.
//
//   jsonl   exact lines of JSON (tools/transfer/exact_lines.h): everything
//   csv     measurement,field,type,tags,time_ns,value with a header (RFC 4180); tags are a JSON object: everything
//   lp      line protocol, one line a value: all that line protocol can say
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/cli/transfer/piece_reader.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/piece.h"

namespace tidemark::cli {

// What a format could not say.
struct LeftOut {
  uint64_t points = 0;
  std::string first = {};  // why, of the first of them
};

class PieceWriter {
 public:
  virtual ~PieceWriter() = default;
  // What stands in front of everything.
  virtual void Begin(std::string*) {}
  virtual void Write(const transfer::Piece& piece, std::string* out) = 0;
  virtual void End(const transfer::ExportEnd&, std::string*) {}
  [[nodiscard]] const LeftOut& left_out() const { return left_out_; }

 protected:
  LeftOut left_out_;
};

struct Format {
  std::string_view name;
  std::string_view suffix;
  std::unique_ptr<PieceWriter> (*writer)();
  std::unique_ptr<PieceReader> (*reader)(std::unique_ptr<InFile> file);
};

std::span<const Format> Formats();

// By its name; with "", by the suffix of `path`, in front of one of packing. Errors: kInvalidArgument names those that
// there are.
Result<const Format*> FormatOf(std::string_view name, std::string_view path);

// For the table.
std::unique_ptr<PieceWriter> MakeJsonWriter();
std::unique_ptr<PieceReader> MakeJsonReader(std::unique_ptr<InFile> file);
std::unique_ptr<PieceWriter> MakeCsvWriter();
std::unique_ptr<PieceReader> MakeCsvReader(std::unique_ptr<InFile> file);
std::unique_ptr<PieceWriter> MakeLineProtocolWriter();
std::unique_ptr<PieceReader> MakeLineProtocolReader(std::unique_ptr<InFile> file);

}  // namespace tidemark::cli
