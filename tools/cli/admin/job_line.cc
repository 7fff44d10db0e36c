#include "tools/cli/admin/job_line.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>

#include "storage/base/text/byte_size.h"
#include "storage/base/text/count.h"
#include "storage/base/text/duration.h"

namespace tidemark::cli {
namespace {

constexpr double kShortest = 0.5;  // seconds before a rate is one

std::string SecondsLeft(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return text::PrintDuration(std::max<int64_t>(whole, 1) * 1000, text::DurationStyle::kPrometheus) + " left";
}

}  // namespace

void JobLine::Take(std::string_view line, double seconds) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view id;
  if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || root["job"].get(id) != simdjson::SUCCESS)
    return;
  id_ = id;
  const auto read_text = [&](const char* key, std::string* out) {
    std::string_view value;
    if (root[key].get(value) == simdjson::SUCCESS) *out = value;
  };
  const auto read = [&](const char* key, std::optional<uint64_t>* out) {
    uint64_t value = 0;
    if (root[key].get(value) == simdjson::SUCCESS) *out = value;
  };
  read_text("kind", &kind_);
  read_text("database", &database_);
  read_text("state", &state_);
  std::optional<uint64_t> done;
  std::optional<uint64_t> total;
  read("workDone", &done);
  read("workTotal", &total);
  done_ = done.value_or(0);
  total_ = total.value_or(0);
  read("bytesRead", &bytes_);
  read("bytesCopied", &bytes_);
  read("bytesBefore", &before_);
  read("bytesAfter", &after_);
  read("id", &backup_);
  read("bytes", &backup_bytes_);
  read("files", &backup_files_);
  read("pages", &pages_);
  read("damagedPages", &damaged_pages_);
  read("partitionsLeft", &left_);
  damage_.clear();
  for (const char* key : {"damage", "left"}) {
    simdjson::dom::array damage;
    if (root[key].get(damage) != simdjson::SUCCESS) continue;
    for (const simdjson::dom::element one : damage) {
      std::string_view text;
      if (one.get(text) == simdjson::SUCCESS) damage_.emplace_back(text);
    }
  }
  seconds_ = seconds;
  if (!first_done_) {
    first_done_ = done_;
    first_bytes_ = bytes_.value_or(0);
  }
}

std::string JobLine::Progress() const {
  std::string out = kind_ + (database_.empty() ? "" : " of " + database_) + ": ";
  if (state_ == "waiting") return out + "waits for another job of its kind";
  const bool partitions = kind_ == "compact";
  if (partitions && total_ > 0) {
    out += fmt::format("{} of {}, {:.0f} %", done_, text::Counted(total_, "partition"),
                       100.0 * static_cast<double>(done_) / static_cast<double>(total_));
  }
  if (bytes_) {
    out += fmt::format("{}{} {}", partitions && total_ > 0 ? ", " : "",
                       text::PrintRoughBytes(static_cast<double>(*bytes_)), kind_ == "backup" ? "copied" : "read");
    if (seconds_ > kShortest && *bytes_ > first_bytes_) {
      out += fmt::format(", {}/s", text::PrintRoughBytes(static_cast<double>(*bytes_ - first_bytes_) / seconds_));
    }
  }
  if (seconds_ > kShortest && first_done_ && done_ > *first_done_ && total_ > done_) {
    out +=
        ", " + SecondsLeft(seconds_ * static_cast<double>(total_ - done_) / static_cast<double>(done_ - *first_done_));
  }
  return out;
}

std::string JobLine::Summary() const {
  // One that is done here, and not by a server, has no number.
  std::string out = id_ == "0" ? std::string() : fmt::format("job {}: ", id_);
  const std::string_view verb = state_ == "failed" ? "has" : state_ == "cancelled" ? "was" : "is";
  out += fmt::format("{}{} {} {}", kind_, database_.empty() ? "" : " of " + database_, verb, state_);
  if (kind_ == "backup" && backup_) out += fmt::format(": backup {}", *backup_);
  if (kind_ == "compact" && total_ > 0) {
    out += fmt::format(": {}", state_ == "done" ? text::Counted(total_, "partition")
                                                : fmt::format("{} of {}", done_, text::Counted(total_, "partition")));
  }
  if (left_.value_or(0) > 0) {
    out += fmt::format(", except {} that cannot be read and {}", text::Counted(*left_, "partition"),
                       *left_ == 1 ? "stays as it was" : "stay as they were");
  }
  if (pages_ && bytes_) {
    out += fmt::format(": {} of {}, {}", text::Counted(*pages_, "page"),
                       text::PrintRoughBytes(static_cast<double>(*bytes_)),
                       damaged() ? fmt::format("{} damaged", text::Grouped(*damaged_pages_)) : "whole");
  }
  if (before_ && after_) {
    out += fmt::format(", {} before and {} after", text::PrintRoughBytes(static_cast<double>(*before_)),
                       text::PrintRoughBytes(static_cast<double>(*after_)));
    if (*after_ <= *before_ && *before_ > 0) {
      out += fmt::format(": {} won ({:.0f} %)", text::PrintRoughBytes(static_cast<double>(*before_ - *after_)),
                         100.0 * static_cast<double>(*before_ - *after_) / static_cast<double>(*before_));
    }
  } else if (kind_ == "backup" && backup_bytes_ && backup_files_) {
    // What was copied on the way is told in whole steps only: of a small backup, none.
    out += fmt::format(" of {} in {}", text::PrintRoughBytes(static_cast<double>(*backup_bytes_)),
                       text::Counted(*backup_files_, "file"));
  } else if (kind_ == "backup" && bytes_) {
    out += fmt::format(", {} copied", text::PrintRoughBytes(static_cast<double>(*bytes_)));
  }
  return out;
}

}  // namespace tidemark::cli
