#include "tools/server/admin/type_conflicts.h"

#include <fmt/core.h>

#include "storage/base/text/json_string.h"

namespace tidemark::server {
namespace {

struct Row {
  std::string_view name;
  model::TypeConflicts value;
};
constexpr Row kRows[] = {{"widen", model::TypeConflicts::kWiden}, {"refuse", model::TypeConflicts::kRefuse}};

}  // namespace

std::string_view NameOf(model::TypeConflicts value) {
  for (const Row& row : kRows) {
    if (row.value == value) return row.name;
  }
  return {};
}

Result<model::TypeConflicts> ParseTypeConflicts(std::string_view text) {
  for (const Row& row : kRows) {
    if (row.name == text) return row.value;
  }
  return InvalidArgument(fmt::format("parameter \"conflicts\" is \"{}\"; widen or refuse are known", text));
}

std::string TypesJson(std::string_view database, model::TypeConflicts value) {
  std::string out = R"({"database":)";
  text::AppendJsonString(&out, database);
  return out + fmt::format(R"(,"typeConflicts":"{}"}})", NameOf(value));
}

}  // namespace tidemark::server
