#include "storage/codec/doubles/quotients.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/doubles/patches.h"
#include "storage/codec/doubles/quotient_kernels.h"
#include "storage/codec/doubles/quotient_search.h"
#include "storage/codec/doubles/sample.h"
#include "storage/codec/ints.h"

namespace tidemark::codec {
namespace {

constexpr uint8_t kRoundingBits = 0x03;
constexpr uint8_t kPatches = 0x04;
constexpr uint8_t kResiduals = 0x08;
constexpr uint8_t kOwnDenominators = 0x10;
constexpr uint8_t kKnownBits = 0x1F;

struct Parts {
  Patches patches;
  std::vector<int64_t> denominators;
  std::vector<int64_t> residuals;
  std::vector<int64_t> numerators;
};

// False when there would be too many patches to be worth it.
bool Divide(std::span<const double> values, const QuotientForm& form, Parts* parts) {
  const size_t most_patches = MostPatches(values.size());
  parts->numerators.resize(values.size());
  parts->residuals.resize(values.size());
  parts->denominators.resize(form.denominator == 0 ? values.size() : 0);
  Fraction fraction;
  int64_t steps = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!form.Divide(values[i], &fraction, &steps)) {
      if (parts->patches.rows.size() == most_patches) return false;
      parts->patches.Add(i, values[i]);
      // Of no use there, and cheapest as what the row before has.
      if (i > 0) fraction = {parts->numerators[i - 1], form.denominator == 0 ? parts->denominators[i - 1] : 1};
    }
    parts->numerators[i] = fraction.numerator;
    parts->residuals[i] = static_cast<int64_t>(ZigZag(steps));
    if (form.denominator == 0) parts->denominators[i] = fraction.denominator;
  }
  return true;
}

struct Head {
  uint8_t form = 0;
  Rounding rounding;
  double denominator = 1;
  size_t bytes = 0;
};

Result<Head> ParseHead(std::string_view bytes) {
  ByteReader reader(bytes);
  Head head;
  head.form = reader.Little<uint8_t>();
  const uint8_t kind = head.form & kRoundingBits;
  if ((head.form & ~kKnownBits) != 0 || kind > static_cast<uint8_t>(Rounding::Kind::kMultiples)) {
    return Corruption("quotients frame: unknown form " + std::to_string(head.form));
  }
  head.rounding.kind = Rounding::Kind{kind};
  int64_t exponent = 0;
  if (head.rounding.kind == Rounding::Kind::kMultiples) exponent = reader.SignedVarint();
  const uint64_t denominator = (head.form & kOwnDenominators) == 0 ? reader.Varint() : 1;
  if (!reader.ok()) return Corruption("quotients frame: cut short");
  if (denominator == 0 || denominator >= static_cast<uint64_t>(kNumeratorEnd)) {
    return Corruption("quotients frame: denominator " + std::to_string(denominator));
  }
  if (exponent > Rounding::kMaxExponent || exponent < -Rounding::kMaxExponent) {
    return Corruption("quotients frame: exponent " + std::to_string(exponent));
  }
  head.rounding.exponent = static_cast<int>(exponent);
  head.denominator = static_cast<double>(denominator);
  head.bytes = bytes.size() - reader.remaining();
  return head;
}

// Moves quotients in out[0, size) by their residuals, in zigzag form.
void Round(const Rounding& rounding, const int64_t* residuals, size_t size, double* out) {
  const QuotientKernels& kernels = BestQuotientKernels();
  switch (rounding.kind) {
    case Rounding::Kind::kDoubles: kernels.step(residuals, size, out); return;
    case Rounding::Kind::kSingles: kernels.step_singles(residuals, size, out); return;
    case Rounding::Kind::kMultiples: {
      const double up = std::ldexp(1.0, -rounding.exponent);
      kernels.step_multiples(residuals, size, up, std::ldexp(1.0, rounding.exponent), out);
      return;
    }
  }
}

}  // namespace

bool EncodeQuotients(std::span<const double> values, size_t limit, std::string* out) {
  const auto form = FindQuotients(SampleOf(values));
  Parts parts;
  if (!form || !Divide(values, *form, &parts)) return false;
  const bool own = form->denominator == 0;
  const bool residuals =
      std::any_of(parts.residuals.begin(), parts.residuals.end(), [](int64_t steps) { return steps != 0; });
  const size_t start = out->size();
  out->push_back(static_cast<char>(static_cast<uint8_t>(form->rounding.kind) |
                                   (parts.patches.rows.empty() ? 0 : kPatches) | (residuals ? kResiduals : 0) |
                                   (own ? kOwnDenominators : 0)));
  if (form->rounding.kind == Rounding::Kind::kMultiples) PutSignedVarint(out, form->rounding.exponent);
  if (!own) PutVarint(out, static_cast<uint64_t>(form->denominator));
  if (!parts.patches.rows.empty()) AppendPatches(parts.patches, out, Effort::kNewest);
  if (own) EncodeInts(parts.denominators, out, Effort::kPart);
  if (residuals) EncodeInts(parts.residuals, out, Effort::kPart);
  EncodeInts(parts.numerators, out, Effort::kPart);
  if (out->size() - start < limit) return true;
  out->resize(start);
  return false;
}

Result<size_t> DecodeQuotients(std::string_view bytes, size_t count, RowRange rows, double* out) {
  TM_TRY_ASSIGN(const Head head, ParseHead(bytes));
  size_t used = head.bytes;
  Patches patches;
  if ((head.form & kPatches) != 0) {
    TM_TRY_ASSIGN(patches, DecodePatches(bytes.substr(used), count));
    used += patches.bytes;
  }
  const size_t size = rows.end - rows.begin;
  const auto integers = [&](std::unique_ptr<int64_t[]>* to) -> Result<void> {
    *to = std::make_unique_for_overwrite<int64_t[]>(size);
    TM_TRY_ASSIGN(const size_t part, DecodeInts(bytes.substr(used), count, rows, to->get()));
    used += part;
    return {};
  };
  std::unique_ptr<int64_t[]> denominators;
  std::unique_ptr<int64_t[]> residuals;
  std::unique_ptr<int64_t[]> numerators;
  if ((head.form & kOwnDenominators) != 0) TM_RETURN_IF_ERROR(integers(&denominators));
  if ((head.form & kResiduals) != 0) {
    TM_RETURN_IF_ERROR(integers(&residuals));
  } else if (head.rounding.kind != Rounding::Kind::kDoubles) {
    residuals = std::make_unique<int64_t[]>(size);
  }
  TM_RETURN_IF_ERROR(integers(&numerators));
  if (denominators == nullptr) {
    BestQuotientKernels().divide(numerators.get(), size, head.denominator, out);
  } else {
    BestQuotientKernels().divide_each(numerators.get(), denominators.get(), size, out);
  }
  if (residuals != nullptr) Round(head.rounding, residuals.get(), size, out);
  patches.Apply(rows, out);
  return used;
}

}  // namespace tidemark::codec
