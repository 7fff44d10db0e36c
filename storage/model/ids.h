// Ids: dense numbers that the store gives to names, each a type of its own. All are local to one database except
// DatabaseId. 0 is never given out, so it can mean "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tidemark::model {

enum class DatabaseId : uint32_t {};
enum class MeasurementId : uint32_t {};
// One field of one measurement.
enum class FieldId : uint32_t {};
// One measurement + tag set (a row's series). Given out in order of creation.
enum class SeriesId : uint32_t {};

template <typename Id>
constexpr uint32_t Number(Id id) {
  return static_cast<uint32_t>(id);
}

// What Prometheus calls a series: one field of one tag set. Sorted by field first, because a query reads the fields
// it names one after the other.
struct SeriesRef {
  FieldId field{};
  SeriesId series{};
  friend constexpr auto operator<=>(const SeriesRef&, const SeriesRef&) = default;
};

}  // namespace tidemark::model
