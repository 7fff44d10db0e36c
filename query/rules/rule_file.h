// Rule files in Prometheus' format: groups of recording and alerting rules.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and alerting_rules/
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/promql/ast.h"
#include "query/promql/parser.h"
#include "query/rules/flapping.h"
#include "query/rules/no_data.h"
#include "query/rules/template.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "storage/series_filter.h"

namespace YAML {
class Node;
}

namespace tidemark {
class YamlReader;
}

namespace tidemark::query::rules {

struct TemplatedText {
  std::string name;
  std::string text;  // as written
  Template expand;
};

struct Rule {
  bool alerting = false;
  std::string name;  // the alert, or the metric that is recorded
  std::string expr_text;
  std::shared_ptr<const promql::Expr> expr;
  // What it reads and what it writes into; "": the database of the rules.
  std::string database;
  std::string into;
  NoData no_data = NoData::kResolve;
  // What has to hold of the series of an alert that fires for it to end, and not only `expr` no longer; null: nothing.
  std::string recover_text;
  std::shared_ptr<const promql::Expr> recover;
  // What `expr` compares (DataOf), where no_data is not kResolve or there is `recover`.
  std::vector<std::shared_ptr<const promql::Expr>> data;
  FlapLimit flapping;
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  std::vector<TemplatedText> labels;       // sorted by name
  std::vector<TemplatedText> annotations;  // sorted by name
  // The series that it reads, and that it may write: those of whoever made it.
  storage::SeriesFilter filter = storage::SeriesFilter::Everything();
};

struct Group {
  std::string file;
  std::string name;
  int64_t interval_ms = 0;  // 0: the default
  int64_t query_offset_ms = 0;
  uint64_t limit = 0;  // alerts or series of one rule; 0: no limit
  std::vector<Rule> rules;
};

// Each is shared by what is in force and what looks at it.
using GroupList = std::vector<std::shared_ptr<const Group>>;

// The groups of one file. Errors, kInvalidArgument: `FILE:LINE:COLUMN: reason`, with every fault that was found, one
// a line: wrong YAML, unknown keys, expressions that do not parse, bad durations, names and templates.
Result<std::vector<Group>> ParseRuleFile(std::string_view text, const std::string& file,
                                         const promql::ParseOptions& options = {});

// One group that stands alone, as a request brings it; `file` is what its groups have in common, a namespace.
Result<Group> ParseRuleGroup(std::string_view text, const std::string& file, const promql::ParseOptions& options = {});

inline constexpr size_t kRuleFileBytesMax = size_t{16} << 20;

// The same, read from disk. kNotFound, kIo, kLimitExceeded.
Result<std::vector<Group>> LoadRuleFile(const std::string& path, const promql::ParseOptions& options = {});

// The files that a pattern with `*`, `?` or `[` stands for, sorted, none where there is no such file; any other path is
// itself.
std::vector<std::string> FilesOf(const std::string& pattern);

// The duration under `key` in milliseconds; 0 where there is none. Another text, an empty one too, is a fault.
int64_t ReadDurationMs(YamlReader& yaml, const YAML::Node& map, const char* key);

// Milliseconds of a duration such as 5m or 1h30m; kInvalidArgument in Prometheus' words.
Result<int64_t> ParseRuleDurationMs(std::string_view text);

}  // namespace tidemark::query::rules
