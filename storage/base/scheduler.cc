#include "storage/base/scheduler.h"

namespace tidemark {

std::string_view Name(TaskKind kind) {
  switch (kind) {
    case TaskKind::kQuery: return "query";
    case TaskKind::kFlush: return "flush";
    case TaskKind::kRule: return "rule";
    case TaskKind::kBackground: return "background";
  }
  return "unknown";
}

}  // namespace tidemark
