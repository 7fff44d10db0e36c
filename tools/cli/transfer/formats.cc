#include "tools/cli/transfer/formats.h"

#include <fmt/core.h>

#include <utility>

namespace tidemark::cli {
namespace {

constexpr Format kFormats[] = {
    {"jsonl", ".jsonl", &MakeJsonWriter, &MakeJsonReader},
    {"csv", ".csv", &MakeCsvWriter, &MakeCsvReader},
    {"lp", ".lp", &MakeLineProtocolWriter, &MakeLineProtocolReader},
};

class JsonWriter final : public PieceWriter {
 public:
  void Write(const transfer::Piece& piece, std::string* out) override { transfer::AppendLines(piece, out); }
  void End(const transfer::ExportEnd& end, std::string* out) override { transfer::AppendEnd(end, out); }
};

// Without its last line an export is a part of one.
class JsonReader final : public PieceReader {
 public:
  explicit JsonReader(std::unique_ptr<InFile> file) : lines_(std::move(file)) {}

  Result<bool> Next(transfer::Piece* piece) override {
    using Kind = transfer::LineReader::Kind;
    for (std::string_view line;;) {
      TM_TRY_ASSIGN(const bool more, lines_.Next(&line));
      if (!more && !ended_) {
        return InvalidArgument(
            "the last line, {\"end\":...}, is missing: this is a part of an export; append one to take it so");
      }
      if (!more) return false;
      if (line.empty()) continue;
      transfer::ExportEnd end;
      const Result<Kind> kind = reader_.Read(line, piece, &end);
      if (!kind.ok()) return lines_.At(kind.error());
      ended_ = *kind == Kind::kEnd;
      if (!ended_) {
        rows_ += piece->size();
        return true;
      }
      if (end.rows != rows_ && end.rows != 0) {
        return lines_.At(InvalidArgument(fmt::format("{} rows stand before it, and it says {}", rows_, end.rows)));
      }
      rows_ = 0;
    }
  }
  [[nodiscard]] Progress progress() const override { return lines_.progress(); }

 private:
  FileLines lines_;
  transfer::LineReader reader_;
  uint64_t rows_ = 0;
  bool ended_ = false;
};

}  // namespace

std::span<const Format> Formats() { return kFormats; }

Result<const Format*> FormatOf(std::string_view name, std::string_view path) {
  std::string names;
  for (const Format& format : kFormats) {
    if (name.empty() ? WithoutPacking(path).ends_with(format.suffix) : name == format.name) return &format;
    names += names.empty() ? "" : ", ";
    names += format.name;
  }
  if (name.empty()) {
    return InvalidArgument(fmt::format("the name \"{}\" says no format: name one with --format: {}", path, names));
  }
  return InvalidArgument(fmt::format("\"{}\" is no format: there are {}", name, names));
}

std::unique_ptr<PieceWriter> MakeJsonWriter() { return std::make_unique<JsonWriter>(); }
std::unique_ptr<PieceReader> MakeJsonReader(std::unique_ptr<InFile> file) {
  return std::make_unique<JsonReader>(std::move(file));
}

}  // namespace tidemark::cli
