#include "storage/watermark/accepted_losses.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/base/hash.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::watermark {
namespace {

constexpr std::string_view kFormat = "1";
constexpr size_t kFields = 12;

std::string Plain(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return out;
}

template <typename T>
std::string Print(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

std::optional<int64_t> NsOf(const std::optional<model::Timestamp>& at) {
  return at ? std::optional<int64_t>(at->ns) : std::nullopt;
}

std::string LineOf(const model::Finding& finding, model::Timestamp accepted) {
  const model::Loss loss = finding.loss.value_or(model::Loss{});
  std::string line =
      fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", kFormat, accepted.ns,
                  static_cast<int>(finding.area), finding.loss ? (loss.proven ? "proven" : "possible") : "none",
                  Print(loss.records), Print(loss.rows), Print(NsOf(loss.since)), Print(NsOf(loss.until)),
                  Plain(finding.place), Plain(finding.what), Plain(finding.expected), Plain(finding.found));
  return line + fmt::format("\t{:016x}\n", Hash64(line, /*seed=*/0));
}

// nullopt for "-" and for what is no number.
template <typename T>
std::optional<T> Parse(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<model::Timestamp> ParseTime(std::string_view text) {
  const auto ns = Parse<int64_t>(text);
  return ns ? std::optional<model::Timestamp>(model::Timestamp{*ns}) : std::nullopt;
}

std::optional<model::Finding> FindingOf(std::string_view line) {
  const size_t summed = line.rfind('\t');
  if (summed == std::string_view::npos) return std::nullopt;
  if (line.substr(summed + 1) != fmt::format("{:016x}", Hash64(line.substr(0, summed), /*seed=*/0))) {
    return std::nullopt;
  }
  std::vector<std::string_view> fields;
  for (std::string_view rest = line.substr(0, summed);;) {
    const size_t tab = rest.find('\t');
    fields.push_back(rest.substr(0, tab));
    if (tab == std::string_view::npos) break;
    rest.remove_prefix(tab + 1);
  }
  if (fields.size() != kFields || fields[0] != kFormat) return std::nullopt;
  const auto area = Parse<int>(fields[2]);
  if (!area || *area < 0 || *area > static_cast<int>(model::FindingArea::kMedium)) return std::nullopt;
  model::Finding finding;
  finding.accepted = ParseTime(fields[1]);
  finding.area = static_cast<model::FindingArea>(*area);
  if (fields[3] != "none") {
    finding.loss = model::Loss{.records = Parse<uint64_t>(fields[4]),
                               .rows = Parse<uint64_t>(fields[5]),
                               .since = ParseTime(fields[6]),
                               .until = ParseTime(fields[7]),
                               .proven = fields[3] == "proven"};
  }
  finding.place = fields[8];
  finding.what = fields[9];
  finding.expected = fields[10];
  finding.found = fields[11];
  finding.stops_writes = false;
  return finding;
}

Result<std::string> ReadAll(rocksdb::FileSystem* files, const std::string& path) {
  TM_TRY_ASSIGN(const bool there, rocks::Exists(files, path));
  std::string bytes;
  if (there) TM_RETURN_IF_ERROR(rocks::FromRocks(rocksdb::ReadFileToString(files, path, &bytes), "reading " + path));
  return bytes;
}

}  // namespace

std::string AcceptedLossesPath(const std::string& directory) { return directory + "/accepted-losses"; }

Result<std::vector<model::Finding>> ReadAcceptedLosses(rocksdb::FileSystem* files, const std::string& directory) {
  const std::string path = AcceptedLossesPath(directory);
  TM_TRY_ASSIGN(const std::string bytes, ReadAll(files, path));
  std::vector<model::Finding> findings;
  size_t number = 0;
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.starts_with('#')) continue;
    if (auto finding = FindingOf(line)) {
      findings.push_back(std::move(*finding));
    } else {
      findings.push_back(
          {.area = model::FindingArea::kFiles,
           .place = path,
           .what = fmt::format("line {} cannot be read: what a repair accepted once is not known", number),
           .stops_writes = false});
    }
  }
  return findings;
}

Result<void> AcceptLosses(rocksdb::FileSystem* files, const std::string& directory,
                          const std::vector<model::Finding>& findings, model::Timestamp now) {
  const std::string path = AcceptedLossesPath(directory);
  TM_TRY_ASSIGN(std::string bytes, ReadAll(files, path));
  if (bytes.empty()) bytes = "# What repairs of this store have given up. Tidemark shows it; nothing depends on it.\n";
  if (!bytes.ends_with('\n')) bytes += '\n';
  for (const model::Finding& finding : findings) {
    if (!finding.accepted) bytes += LineOf(finding, now);
  }
  return rocks::ReplaceFile(files, path, bytes);
}

}  // namespace tidemark::storage::watermark
