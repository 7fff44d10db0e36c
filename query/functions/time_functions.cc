// Functions of time and of dates. Dates are those of the proleptic Gregorian calendar in UTC.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

#include "query/frame/time_math.h"
#include "query/functions/kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;
using frame::MsToSeconds;
using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

// Seconds that Go's time.Unix, and so Prometheus, makes of a value: cut towards zero; the least int64 for NaN and
// whatever does not fit.
int64_t ToSeconds(double value) {
  constexpr double kLimit = 9223372036854775808.0;
  if (std::isnan(value) || value >= kLimit || value < -kLimit) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The date of a value. std::chrono's years end at 32767; the calendar repeats every 400 years, so days are brought into
// range and the years put back.
struct Date {
  year_month_day ymd;
  int64_t whole_years = 0;  // to add to ymd's
  int64_t day_number = 0;   // since 1970-01-01
};

Date DateOf(double value) {
  constexpr int64_t kDaysPerCycle = 146'097;
  const int64_t number = FloorDiv(ToSeconds(value), 86'400);
  const int64_t cycles = FloorDiv(number, kDaysPerCycle);
  const auto within = static_cast<int>(number - cycles * kDaysPerCycle);
  return {.ymd = year_month_day(sys_days(days(within))), .whole_years = cycles * 400, .day_number = number};
}

void Fill(int64_t ms, std::span<double> out) { std::ranges::fill(out, MsToSeconds(ms)); }

}  // namespace

double DayOfMonth(double seconds) { return static_cast<unsigned>(DateOf(seconds).ymd.day()); }

double DayOfWeek(double seconds) {
  // 1970-01-01 was a Thursday; Sunday is 0.
  const int64_t number = DateOf(seconds).day_number + 4;
  return static_cast<double>(number - FloorDiv(number, 7) * 7);
}

double DayOfYear(double seconds) {
  const year_month_day ymd = DateOf(seconds).ymd;
  return static_cast<double>((sys_days(ymd) - sys_days(ymd.year() / month(1) / day(1))).count() + 1);
}

double DaysInMonth(double seconds) {
  const year_month_day ymd = DateOf(seconds).ymd;
  return static_cast<unsigned>((ymd.year() / ymd.month() / std::chrono::last).day());
}

double Hour(double seconds) {
  const int64_t s = ToSeconds(seconds);
  return static_cast<double>((s - FloorDiv(s, 86'400) * 86'400) / 3600);
}

double Minute(double seconds) {
  const int64_t s = ToSeconds(seconds);
  return static_cast<double>((s - FloorDiv(s, 3600) * 3600) / 60);
}

double Month(double seconds) { return static_cast<unsigned>(DateOf(seconds).ymd.month()); }

double Year(double seconds) {
  const Date date = DateOf(seconds);
  return static_cast<double>(static_cast<int>(date.ymd.year()) + date.whole_years);
}

void MapTimestamp(const CallArguments& call, std::span<double> values, std::span<uint8_t>) {
  for (size_t step = 0; step < values.size(); ++step) values[step] = MsToSeconds(call.grid.TimeMs(step));
}

void ScalarTime(const CallArguments& call, const Frame&, std::span<double> out) {
  for (size_t step = 0; step < out.size(); ++step) out[step] = MsToSeconds(call.grid.TimeMs(step));
}

void ScalarStart(const CallArguments& call, const Frame&, std::span<double> out) { Fill(call.query.start_ms, out); }

void ScalarEnd(const CallArguments& call, const Frame&, std::span<double> out) { Fill(call.query.end_ms, out); }

void ScalarRange(const CallArguments& call, const Frame&, std::span<double> out) {
  Fill(call.query.end_ms - call.query.start_ms, out);
}

void ScalarStep(const CallArguments& call, const Frame&, std::span<double> out) { Fill(call.query.step_ms, out); }

}  // namespace tidemark::query::functions
