#include "tools/cli/transfer/oldest_types_first.h"

#include <utility>

#include "tools/transfer/mixed_types.h"

namespace tidemark::cli {
namespace {

using transfer::MixedTypes;
using transfer::Piece;

// What the names of the last piece are of.
std::string ScopeOf(const PieceReader& reader) { return reader.database() + '\n' + reader.policy(); }

class OldestTypesFirst final : public PieceReader {
 public:
  OldestTypesFirst(Reopen open, MixedTypes types, std::unique_ptr<PieceReader> source)
      : open_(std::move(open)), types_(std::move(types)), source_(std::move(source)) {}

  Result<bool> Next(Piece* piece) override {
    for (;;) {
      TM_TRY_ASSIGN(const bool more, source_->Next(piece));
      if (more) {
        if (types_.GoesFirst(ScopeOf(*source_), *piece) == first_) return true;
        continue;
      }
      if (!first_) return false;
      first_ = false;
      source_ = nullptr;
      TM_TRY_ASSIGN(source_, open_());
    }
  }
  [[nodiscard]] std::string database() const override { return source_->database(); }
  [[nodiscard]] std::string policy() const override { return source_->policy(); }
  [[nodiscard]] bool apart() const override { return first_; }
  [[nodiscard]] Progress progress() const override {
    const Progress now = source_->progress();
    return {.done = first_ ? now.done : now.all + now.done, .all = now.all * 2};
  }
  // Of the second reading, which is a whole one as the first is.
  [[nodiscard]] std::vector<Skipped> skipped() const override { return source_->skipped(); }
  [[nodiscard]] std::vector<std::string> conflicts() const override { return source_->conflicts(); }
  [[nodiscard]] std::vector<std::string> remarks() const override { return source_->remarks(); }

 private:
  const Reopen open_;
  const MixedTypes types_;
  std::unique_ptr<PieceReader> source_;
  bool first_ = true;  // it is read for the pieces that go first
};

}  // namespace

Result<std::unique_ptr<PieceReader>> OpenOldestTypesFirst(const Reopen& open) {
  MixedTypes types;
  {
    TM_TRY_ASSIGN(const std::unique_ptr<PieceReader> reader, open());
    for (Piece piece;;) {
      TM_TRY_ASSIGN(const bool more, reader->Next(&piece));
      if (!more) break;
      types.Add(ScopeOf(*reader), piece);
    }
  }
  TM_TRY_ASSIGN(std::unique_ptr<PieceReader> source, open());
  if (!types.any()) return source;
  return std::make_unique<OldestTypesFirst>(open, std::move(types), std::move(source));
}

}  // namespace tidemark::cli
