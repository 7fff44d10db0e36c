// Record: one line of the audit log: who did what, from where, and what came of it.
//
//   {"sequence":7,"time":"2026-01-31T12:00:00.000Z","who":"ada","from":"192.0.2.1:4711","act":"POST
//   /api/v1/admin/delete",
//    "target":"db=metrics&match[]=cpu","status":200,"count":1,"hash":"..."}
//
// A refusal has `"why":"..."` behind the count.
//
// `hash` is the SHA-256 of the hash before it (64 hexadecimal digits, zeros before the first) and the line up to and
// without `,"hash"`: whoever changes, removes or inserts a line must change all that follow, and the head that is kept
// elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/access/secret.h"

namespace tidemark::server::audit {

// Longer texts are cut there, and say so by an ellipsis.
inline constexpr size_t kMaxTargetBytes = 1'000;

struct Record {
  uint64_t sequence = 0;  // from 1 on, without gaps
  int64_t time_ns = 0;    // since 1970; of the last one when count > 1
  std::string who = {};
  std::string from = {};
  std::string act = {};
  std::string target = {};
  int status = 0;  // of HTTP
  // Refusals of one kind from one address within a second are one record.
  uint64_t count = 1;
  std::string why = {};  // of a refusal: what the sender was told; "" for an act

  friend bool operator==(const Record&, const Record&) = default;
};

struct Link {
  std::string line;  // without a line end
  access::SecretHash hash;
};

// The line of `record` behind one whose hash is `before`.
Link PrintRecord(const Record& record, const access::SecretHash& before);

struct ReadLink {
  Record record;
  access::SecretHash hash;  // what the line says
  bool follows = false;     // whether that is the hash of the line behind `before`
};
// kCorruption: not a line that PrintRecord writes.
Result<ReadLink> ReadRecord(std::string_view line, const access::SecretHash& before);

}  // namespace tidemark::server::audit
