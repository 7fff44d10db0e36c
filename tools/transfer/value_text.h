// Values as text, exact: what is written is read back as the same bits.
//
//   float    the shortest decimal that reads back the same: 0.1, 1e+22, -0; "+Inf", "-Inf", "NaN" (the quiet NaN of
//   IEEE
//            754 without payload), "stale" (Prometheus' marker), "NaN:7ff8000000000001" for every other NaN, by its
//            bits
//   integer, unsigned   digits
//   boolean  true, false
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/field.h"

namespace tidemark::transfer {

// Of every type but string. `bits` as in Piece.
void AppendValue(std::string* out, model::FieldType type, uint64_t bits);
// Nothing when the text is no value of the type. Of floats every decimal is taken, and "Inf" and "nan" in any case.
std::optional<uint64_t> ParseValue(model::FieldType type, std::string_view text);

// model::Name and back.
std::optional<model::FieldType> ParseType(std::string_view name);

// Whether a float has no decimal: NaNs and infinities.
bool IsSpecial(uint64_t bits);

// Digits of `value`.
void AppendDigits(std::string* out, int64_t value);

}  // namespace tidemark::transfer
