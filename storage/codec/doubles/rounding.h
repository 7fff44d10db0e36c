// Rounding: the numbers that a quotient may be rounded to, and how far apart two of them are (quotients.h).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace tidemark::codec {

struct Rounding {
  // The numbers are stored on disk: never change or reuse one.
  enum class Kind : uint8_t {
    kDoubles = 0,
    kSingles = 1,
    kMultiples = 2,  // of 2^exponent
  };
  static constexpr int kMaxExponent = 1022;

  Kind kind = Kind::kDoubles;
  int exponent = 0;

  // Steps from the rounded quotient to the value; nothing when it is not to be got to, or is too far away.
  [[nodiscard]] std::optional<int64_t> StepsTo(double value, double quotient) const {
    int64_t steps = 0;
    switch (kind) {
      case Kind::kDoubles: steps = std::bit_cast<int64_t>(value) - std::bit_cast<int64_t>(quotient); break;
      case Kind::kSingles:
        steps = int64_t{std::bit_cast<int32_t>(static_cast<float>(value))} -
                std::bit_cast<int32_t>(static_cast<float>(quotient));
        break;
      case Kind::kMultiples: {
        const double distance = std::ldexp(value, -exponent) - std::rint(std::ldexp(quotient, -exponent));
        if (!(std::fabs(distance) <= static_cast<double>(kMaxSteps))) return std::nullopt;
        steps = static_cast<int64_t>(distance);
        break;
      }
    }
    if (steps > kMaxSteps || steps < -kMaxSteps) return std::nullopt;
    if (std::bit_cast<int64_t>(Step(quotient, steps)) != std::bit_cast<int64_t>(value)) return std::nullopt;
    return steps;
  }

  // The number that lies so many steps from the rounded quotient.
  [[nodiscard]] double Step(double quotient, int64_t steps) const {
    switch (kind) {
      case Kind::kDoubles: return StepDouble(quotient, steps);
      case Kind::kSingles: return StepSingle(quotient, steps);
      case Kind::kMultiples: break;
    }
    return StepMultiple(quotient, steps, std::ldexp(1.0, -exponent), std::ldexp(1.0, exponent));
  }

  static double StepDouble(double quotient, int64_t steps) {
    return std::bit_cast<double>(std::bit_cast<uint64_t>(quotient) + static_cast<uint64_t>(steps));
  }
  static double StepSingle(double quotient, int64_t steps) {
    return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(quotient)) + static_cast<uint32_t>(steps));
  }
  // `up` = 2^-exponent, `down` = 2^exponent.
  static double StepMultiple(double quotient, int64_t steps, double up, double down) {
    return (std::rint(quotient * up) + static_cast<double>(steps)) * down;
  }

  // Of values that are stored as residuals. Larger ones are cheaper as patches, or not for this codec at all.
  static constexpr int64_t kMaxSteps = 4095;
};

}  // namespace tidemark::codec
