#include "tools/server/access/session_document.h"

#include <fmt/core.h>
#include <simdjson.h>

#include "storage/base/text/json_string.h"
#include "tools/server/access/stored_object.h"

namespace tidemark::server::access {

std::string PrintSession(const SessionDocument& session) {
  using text::AppendJsonString;
  const SessionInfo& info = session.info;
  std::string out = R"({"id":)";
  AppendJsonString(&out, info.id);
  out += R"(,"token":)";
  AppendJsonString(&out, info.token);
  out += R"(,"peer":)";
  AppendJsonString(&out, info.peer);
  out += R"(,"agent":)";
  AppendJsonString(&out, info.agent);
  out += fmt::format(
      R"(,"created_ns":{},"expires_ns":{},"kiosk":{},"sha256":"{}","token_sha256":"{}","forgery_value":)",
      info.created_ns, info.expires_ns, info.kiosk, PrintHash(session.sha256), PrintHash(session.token_sha256));
  AppendJsonString(&out, session.forgery_value);
  return out + '}';
}

Result<SessionDocument> ReadSession(std::string_view text) {
  simdjson::dom::parser parser;
  TM_TRY_ASSIGN(const StoredObject object, StoredObject::Parse(&parser, text, "session"));
  SessionDocument session;
  SessionInfo& info = session.info;
  TM_TRY_ASSIGN(info.id, object.Text("id"));
  TM_TRY_ASSIGN(info.token, object.Text("token"));
  TM_TRY_ASSIGN(info.peer, object.Text("peer"));
  TM_TRY_ASSIGN(info.agent, object.Text("agent"));
  TM_TRY_ASSIGN(info.created_ns, object.Get<int64_t>("created_ns"));
  TM_TRY_ASSIGN(info.expires_ns, object.Get<int64_t>("expires_ns"));
  TM_TRY_ASSIGN(info.kiosk, object.Get<bool>("kiosk"));
  TM_TRY_ASSIGN(session.sha256, object.Hash("sha256"));
  TM_TRY_ASSIGN(session.token_sha256, object.Hash("token_sha256"));
  TM_TRY_ASSIGN(session.forgery_value, object.Text("forgery_value"));
  return session;
}

}  // namespace tidemark::server::access
