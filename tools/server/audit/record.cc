#include "tools/server/audit/record.h"

#include <fmt/core.h>
#include <simdjson.h>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::audit {
namespace {

constexpr std::string_view kHashKey = R"(,"hash":")";
constexpr size_t kHashDigits = 64;

access::SecretHash HashBehind(const access::SecretHash& before, std::string_view content) {
  std::string both = access::PrintHash(before);
  both += content;
  return access::HashOf(both);
}

Error NotALine(std::string_view why) { return Corruption(fmt::format("not a line of the audit log: {}", why)); }

}  // namespace

Link PrintRecord(const Record& record, const access::SecretHash& before) {
  std::string line = fmt::format(R"({{"sequence":{},"time":")", record.sequence);
  text::AppendRfc3339(&line, record.time_ns);
  const auto member = [&line](std::string_view key, std::string_view value) {
    line += fmt::format(R"(,"{}":)", key);
    text::AppendJsonString(&line, value);
  };
  line += '"';
  member("who", record.who);
  member("from", record.from);
  member("act", record.act);
  member("target", record.target);
  line += fmt::format(R"(,"status":{},"count":{})", record.status, record.count);
  if (!record.why.empty()) member("why", record.why);
  const access::SecretHash hash = HashBehind(before, line);
  line += fmt::format(R"({}{}"}})", kHashKey, access::PrintHash(hash));
  return {std::move(line), hash};
}

Result<ReadLink> ReadRecord(std::string_view line, const access::SecretHash& before) {
  const size_t at = line.rfind(kHashKey);
  if (at == std::string_view::npos || line.size() != at + kHashKey.size() + kHashDigits + 2) return NotALine("no hash");
  ReadLink out;
  TM_TRY_ASSIGN(out.hash, access::ParseHash(line.substr(at + kHashKey.size(), kHashDigits)));
  out.follows = out.hash == HashBehind(before, line.substr(0, at));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(line)).get(root) != simdjson::SUCCESS) return NotALine("no JSON");
  std::string_view time, who, from, act, target;
  uint64_t status = 0;
  const bool whole =
      root["sequence"].get(out.record.sequence) == simdjson::SUCCESS && root["time"].get(time) == simdjson::SUCCESS &&
      root["who"].get(who) == simdjson::SUCCESS && root["from"].get(from) == simdjson::SUCCESS &&
      root["act"].get(act) == simdjson::SUCCESS && root["target"].get(target) == simdjson::SUCCESS &&
      root["status"].get(status) == simdjson::SUCCESS && root["count"].get(out.record.count) == simdjson::SUCCESS;
  if (!whole) return NotALine("something is missing");
  std::string_view why;
  if (root["why"].get(why) == simdjson::SUCCESS) out.record.why = why;
  const auto instant = text::ParseRfc3339(time, text::Rfc3339Form::kGo);
  if (!instant) return NotALine("no time");
  out.record.time_ns = instant->seconds * 1'000'000'000 + instant->nanos;
  out.record.who = who;
  out.record.from = from;
  out.record.act = act;
  out.record.target = target;
  out.record.status = static_cast<int>(status);
  return out;
}

}  // namespace tidemark::server::audit
