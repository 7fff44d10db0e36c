#!/usr/bin/env python3
"""Holds the architecture: who may include whom, which library may be used where, and what may not be written.

Prints one line per breach, `file:line: reason`, and exits with 1 when there is any. Run by ctest and tools/dev/check.
"""
import re
import sys

import source_text

# folder -> folders of ours that it may include besides itself. A folder with C++ source has a row of its own: a row says nothing
# about the folders inside of it, neither does an edge. An edge is a folder, or one header of it. `tests/**` is for all of that tree.
BASE = {"storage/base", "storage/base/memory", "storage/base/text", "storage/model"}
PUBLIC = BASE | {"storage/backup.h", "storage/database_options.h", "storage/documents.h", "storage/series_filter.h", "storage/scrub.h", "storage/storage.h", "storage/store_stats.h", "storage/verify.h"}
MAY_INCLUDE = {
    "storage/base": set(),
    "storage/base/text": {"storage/base"},
    "storage/base/memory": {"storage/base", "storage/base/text"},
    "storage/model": {"storage/base", "storage/base/text"},
    "storage/codec": BASE,
    "storage/codec/doubles": BASE | {"storage/codec"},
    "storage/page": BASE | {"storage/codec", "storage/codec/doubles"},
    "storage/rollup": BASE | {"storage/codec", "storage/page"},
    "storage/journal": BASE,
    "storage/head": BASE,
    "storage/index": BASE,
    "storage/disk": BASE,
    "storage/rocks": PUBLIC | {"storage/journal"},
    "storage/watermark": PUBLIC | {"storage/journal", "storage/rocks"},
    "storage/meta": PUBLIC | {"storage/rocks"},
    "storage/documents": PUBLIC | {"storage/meta", "storage/rocks"},
    "storage/retention": PUBLIC | {"storage/index", "storage/meta"},
    "storage/partition": PUBLIC | {"storage/codec", "storage/head", "storage/meta",
                                   "storage/page", "storage/retention", "storage/rocks", "storage/rollup"},
    "storage/database": PUBLIC | {"storage/head", "storage/index", "storage/journal",
                                  "storage/partition", "storage/retention"},
    "storage/view": PUBLIC | {"storage/database",
                              "storage/partition", "storage/rollup"},
    "storage/filter": PUBLIC | {"storage/index"},
    "storage/backup": PUBLIC | {"storage/rocks"},
    "storage/copy": PUBLIC | {"storage/rocks"},
    "storage/rescue": PUBLIC | {"storage/copy", "storage/database", "storage/documents", "storage/index", "storage/journal", "storage/meta",
                                "storage/page", "storage/partition", "storage/rocks"},
    "storage/check": PUBLIC | {"storage/copy", "storage/database", "storage/documents", "storage/journal", "storage/meta",
                               "storage/partition", "storage/rescue", "storage/rocks", "storage/watermark"},
    "storage/engine": PUBLIC | {"storage/backup", "storage/copy", "storage/database", "storage/disk", "storage/documents", "storage/index",
                                "storage/journal", "storage/meta", "storage/partition", "storage/rescue", "storage/retention", "storage/rocks",
                                "storage/view", "storage/watermark"},
    "storage": BASE,
    "executor/pool": {"storage/base"},
    "executor/agent/pipeline": BASE | {"executor/telemetry"},
    "executor/agent/process": BASE | {"executor/agent/pipeline", "executor/telemetry"},
    "executor/agent": BASE | {"executor/agent/pipeline", "executor/agent/process", "executor/telemetry"},
    "executor/telemetry": BASE,
    "executor": BASE | {"executor/agent", "executor/agent/pipeline"},
    "ingest": BASE,
    "ingest/lineprotocol": BASE | {"ingest/decoder.h"},
    "ingest/native": BASE | {"ingest/decoder.h"},
    "ingest/remotewrite": BASE | {"ingest/decoder.h"},
    "ingest/write_path": PUBLIC,
    "query/promql": BASE,
    "query/influxql": BASE,
    "query/filter": PUBLIC | {"query/promql"},
    "query/plan": PUBLIC | {"query/promql"},
    "query/trend": {"storage/base"},
    "query/frame": BASE | {"query/promql"},
    "query/run": PUBLIC | {"query/frame", "query/plan", "query/promql"},
    "query/names": PUBLIC,
    "query/scan": PUBLIC | {"query/frame", "query/plan", "query/promql", "query/run"},
    "query/functions": PUBLIC | {"query/frame", "query/plan", "query/promql", "query/run", "query/scan", "query/trend"},
    "query/operators": PUBLIC | {"query/frame", "query/plan", "query/promql", "query/run", "query/scan"},
    "query/cache": PUBLIC | {"query/frame", "query/promql", "query/run"},
    "query/engine": PUBLIC | {"query/cache", "query/frame", "query/functions", "query/operators",
                              "query/plan", "query/promql", "query/run", "query/scan"},
    "query/rules": PUBLIC | {"query/promql", "query/engine", "query/frame"},
    "query/ruletest": PUBLIC | {"query/promql", "query/engine", "query/frame", "query/rules"},
    "query/notify": BASE | {"query/promql", "query/trend"},
    "query/api": PUBLIC | {"query/promql", "query/cache", "query/engine", "query/frame", "query/names", "query/plan",
                                           "query/rules", "query/run"},
    "clients/cpp": set(),
    "clients/sink": BASE | {"clients/cpp"},
    "tools/help": set(),
    "tools/admin": set(),
    "tools/transfer": PUBLIC,
    "tools/cardinality": PUBLIC,
    "tools/tls": {"storage/base", "storage/base/text"},
    "tools/service": {"storage/base"},
    "tools/server/http": {"storage/base", "storage/base/memory", "storage/base/text", "tools/tls"},
    "tools/server/quota": PUBLIC | {"query/api/envelope.h", "query/run/memory_total.h", "tools/admin", "tools/server/http"},
    "tools/server/access": PUBLIC | {"query/api/envelope.h", "query/filter", "tools/admin", "tools/server/http", "tools/server/quota"},
    "tools/server/audit": PUBLIC | {"query/api/envelope.h", "tools/admin", "tools/server/access", "tools/server/http"},
    "tools/server/influx": PUBLIC | {"ingest/decoder.h", "query/api/json.h", "query/names", "query/influxql", "tools/server/http"},
    "tools/server/write": PUBLIC | {"tools/server/quota", "ingest", "ingest/lineprotocol", "ingest/native", "ingest/remotewrite", "ingest/write_path",
                                    "query/api/metadata_book.h", "tools/server/http", "tools/server/influx/influx_reply.h", "tools/tls"},
    "tools/server/notify": PUBLIC | {"executor/agent/process", "query/notify", "tools/server/http"},
    "tools/server/admin": PUBLIC | {"ingest/write_path", "query/api", "query/promql", "query/rules",
                                    "tools/admin", "tools/cardinality", "tools/disk_use", "tools/server/http", "tools/transfer"},
    "tools/server/backup": PUBLIC | {"query/api/envelope.h", "tools/admin", "tools/server/http", "tools/server/jobs"},
    "tools/disk_use": BASE,
    "tools/server/jobs": PUBLIC | {"query/api/envelope.h", "tools/admin", "tools/server/http"},
    "tools/server/scrub": PUBLIC | {"tools/server/jobs"},
    "tools/server/lifecycle": PUBLIC | {"executor/agent/process", "query/api/envelope.h", "tools/admin", "tools/server/http", "tools/service"},
    "tools/server/batch": PUBLIC | {"tools/server/quota", "query/api", "tools/server/http"},
    "tools/server/dashboard": PUBLIC | {"query/api/envelope.h", "tools/server/http"},
    "tools/server/watch": PUBLIC | {"tools/server/scrub", "tools/server/audit", "tools/server/backup", "executor/pool", "ingest/write_path", "query/api", "query/notify", "query/rules",
                                    "tools/server/http", "tools/server/notify", "tools/server/write"},
    "tools/server/rules": PUBLIC | {"query/filter", "tools/server/jobs", "query/api/envelope.h", "query/api/json.h", "query/api/values.h", "query/rules", "tools/server/http"},
    "tools/server/routes": PUBLIC | {"tools/server/quota", "query/api", "tools/admin", "tools/server/access", "tools/server/admin", "tools/server/audit", "tools/server/backup", "tools/server/batch", "tools/server/dashboard",
                                     "tools/server/http", "tools/server/influx", "tools/server/lifecycle", "tools/server/jobs", "tools/server/notify", "tools/server/rules", "tools/server/write"},
    "tools/server/config": PUBLIC | {"tools/tls", "executor/agent/pipeline", "ingest/lineprotocol", "ingest/native", "ingest/remotewrite",
                                     "ingest/write_path", "query/api", "query/notify", "query/promql/chain_limit.h", "query/rules", "tools/server/backup", "tools/server/batch",
                                     "tools/server/dashboard", "tools/server/http", "tools/server/influx", "tools/server/notify", "tools/server/routes", "tools/server/rules",
                                     "tools/server/scrub", "tools/server/write"},
    "tools/server": PUBLIC | {"tools/server/quota", "tools/help", "tools/service", "tools/tls", "executor/pool", "executor/telemetry", "ingest/write_path", "query/api",
                              "query/engine", "query/notify", "query/rules", "tools/server/access", "tools/server/admin", "tools/server/audit", "tools/server/backup", "tools/server/batch",
                              "tools/server/config", "tools/server/dashboard", "tools/server/http",
                              "tools/server/influx", "tools/server/lifecycle", "tools/server/jobs", "tools/server/notify", "tools/server/routes", "tools/server/rules", "tools/server/scrub", "tools/server/watch", "tools/server/write"},
    "tools/demo": BASE | {"clients/cpp", "query/promql"},
    "tools/bench": BASE | {"tools/cli/http_client.h"},
    "tools/cli/dry_run": BASE | {"ingest/lineprotocol"},
    "tools/cli/query": PUBLIC | {"query/promql", "tools/cli/answer.h", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/http_client.h", "tools/help/suggest.h",
                                 "tools/cli/time_text.h"},
    "tools/cli/write": BASE | {"ingest/lineprotocol", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/dry_run", "tools/cli/http_client.h",
                               "tools/cli/line_chunks.h", "tools/cli/transfer/files.h"},
    "tools/cli/shell": {"tools/cli/command.h"},
    "tools/cli/support": PUBLIC | {"tools/cli/command.h", "tools/cli/http_client.h", "tools/cli/transfer/files.h"},
    "tools/cli/transfer": PUBLIC | {"executor/agent/process", "executor/pool", "ingest/lineprotocol", "query/api/name_cursor.h", "query/promql", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/scratch_folder.h",
                                    "tools/cli/http_client.h", "tools/cli/line_chunks.h", "tools/cli/progress_line.h", "tools/cli/transfer/prometheus/tsdb_reader.h", "tools/transfer"},
    "tools/cli/transfer/prometheus": PUBLIC | {"tools/cli/transfer", "tools/transfer"},
    "tools/cli/admin": PUBLIC | {"ingest/write_path/rejection_log.h", "tools/server/admin", "tools/server/jobs", "tools/admin", "tools/cardinality", "tools/cli/support", "tools/cli/transfer", "tools/tls/self_signed.h", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/scratch_folder.h", "tools/cli/http_client.h", "tools/cli/progress_line.h", "tools/cli/time_text.h",
                                 "tools/server/access/token_book.h"},
    "tools/cli/exec": PUBLIC | {"clients/sink", "executor/agent", "executor/agent/pipeline",
                                "executor/agent/process", "executor/pool", "executor/telemetry", "query/api", "query/engine",
                                "tools/cli/answer.h", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/http_client.h", "tools/cli/time_text.h"},
    "tools/cli/alert": PUBLIC | {"query/frame", "query/promql/quote.h", "query/rules", "query/ruletest", "tools/cli/answer.h", "tools/cli/command.h", "tools/cli/say.h", "tools/cli/scratch_folder.h",
                                 "tools/cli/http_client.h", "tools/cli/level_word.h", "tools/cli/time_text.h"},
    "tools/cli/monitor": BASE | {"tools/cli/command.h", "tools/cli/http_client.h", "tools/cli/level_word.h", "tools/demo"},
    "tools/cli": BASE | {"tools/cli/monitor/monitor_command.h", "clients/cpp", "executor/agent/process", "ingest/lineprotocol", "tools/bench",
                         "tools/demo", "tools/help"},
    "tests/**": {"**"},
}

# What an include line may not name outside of the folders behind it, and why.
FENCES = [
    (r"<rocksdb/", ("storage/rocks", "storage/journal", "storage/rescue", "storage/backup", "storage/copy", "storage/watermark", "storage/check", "storage/engine", "tests"), "RocksDB stays in storage"),
    (r"<boost/(beast|asio)", ("tools/server", "tools/cli", "tools/bench", "clients/cpp", "executor/pool/asio_pool.h", "tests"),
     "sockets stay in tools and clients/cpp"),
    (r"<simdjson", ("ingest", "executor/agent", "tools", "tests"), "simdjson is for parsers"),
    (r"<spdlog/", ("storage/base",), "log through storage/base/log.h"),
    (r"<re2/", ("storage/index", "query", "executor", "tests"), "RE2 is for matchers and queries"),
    (r"<absl/", ("query/trend", "tests"), "time zones stay in query/trend"),
    (r"<curl/", ("tools/server/notify",), "libcurl is for telling people of alerts"),
    (r"<yaml-cpp/", ("storage/base/yaml_reader.h", "executor/agent", "query/notify", "query/rules", "query/ruletest", "tools", "tests"), "YAML is for configuration"),
]

# What may not stand in a line of our C++, and what to write instead.
BANS = [
    (r"\bstd::(mutex|shared_mutex|condition_variable|lock_guard|unique_lock)\b", ("storage/base/mutex.h", "clients", "tests"),
     "use Mutex of storage/base/mutex.h, which the thread-safety analysis understands"),
    (r"\bstd::regex\b", (), "use RE2, whose time is linear in its input"),
    (r"\bco_await\s+[\w:]+\((\w+\{|\[)", (), "g++ 12 destroys a temporary inside co_await twice: name it first"),
    (r"\bthrow\s+[\w:]+\(", ("storage/base/allocation_failure.cc", "tests"),
     "fail by Result; storage/base/FAILURE.md has what ends a process"),
    (r"\bfilesystem::(?!path\b|directory_)\w+\((?!.*\b(error|ignored|gone_already)\b)", ("tests",),
     "it throws: take the overload with an error_code (FAILURE.md)"),
    (r"\bview(\(\))?\.Scan\(", ("query/scan/row_reader.cc", "tests"),
     "read rows with scan::RowReader, which says what is missing where rows are gone"),
    (r"(store\w*|\))(->|\.)OpenView\([^,]*\)", ("storage", "query/rules/backfill.cc", "tools/cli", "tools/cardinality", "tools/server/admin/fields.cc", "tests"),
     "a view for somebody is opened with his filter: OpenView(database, filter)"),
    (r"\bassert\(", (), "use TM_CHECK, which holds in every build"),
    (r"\bstd::atomic<std::shared_ptr", (), "share a snapshot under a mutex"),
    (r"\b(TODO|FIXME|XXX)\b", (), "finish it or name it in the README"),
]

BAD_NAMES = re.compile(r"(^|/|_)(util|utils|common|helper|helpers|misc)(\.|_|/|$)")
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "CHANGELOG.md", "README.md", "storage", "ingest", "query",
             "executor", "clients", "tools", "tests"}
CPP = source_text.CPP + (".cc.in",)


OURS = re.compile(r"(storage|ingest|query|executor|tools|tests|clients)/")
# C++ under names that no check here reads.
OTHER_CPP = (".c", ".cc.inc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".inc", ".inl", ".ipp", ".tcc")


def row_of(path, rows):
    """The row of the file's folder, or None."""
    folder = path.rpartition("/")[0]
    if folder in rows:
        return folder
    return next((row for row in rows if row.endswith("/**") and (folder + "/").startswith(row[:-2])), None)


def allowed(path, target, rows):
    """Whether the file may include `target`, a header of ours. `path` has a row."""
    edges = rows[row_of(path, rows)]
    folder = target.rpartition("/")[0]
    return folder == path.rpartition("/")[0] or "**" in edges or folder in edges or target in edges


def check_rows(rows, names, report):
    """Rows and edges that name nothing would let something in unseen that is called so later."""
    folders = {name.rpartition("/")[0] for name in names if name.endswith(CPP)}
    for row, edges in rows.items():
        if not row.endswith("/**") and row not in folders:
            report("tests/layering/check.py", 1, f"the row {row} is of a folder without C++ source")
        for edge in edges - {"**"}:
            if edge not in folders and edge not in names:
                report("tests/layering/check.py", 1, f"{row} may include {edge}, which is not there")


def edges_without_includes(root, rows):
    """Edges that no include takes: an arrow that nothing needs would let the next one in unseen. Those that all have are let be."""
    taken = {row: set() for row in rows}
    for path in source_text.names(root):
        row = row_of(path, rows) if path.endswith(CPP) else None
        for target in re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', source_text.read(root, path), re.MULTILINE) if row else ():
            taken[row] |= {target, target.rpartition("/")[0]}
    return [f"tests/layering/check.py:1: {row} may include {edge}, and does not"
            for row, edges in rows.items() for edge in sorted(edges - taken[row] - PUBLIC - {"**"})]


def within(path, places):
    return any(path == place or path.startswith(place + "/") for place in places)


def check_source(root, path, rows, report):
    text = source_text.read(root, path)
    lines = text.splitlines()
    if path.endswith(".h") and "#pragma once" not in text:
        report(path, 1, "a header begins with #pragma once")
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if include:
            target = include.group(2)
            if OURS.match(target):
                if row_of(path, rows) and not allowed(path, target, rows):
                    report(path, number, f"{path.rpartition('/')[0]} may not include {target}")
            elif include.group(1) == '"' and ("/" in target or not (root / path).with_name(target).is_file()):
                report(path, number, f"{target} is neither named from the root nor beside the file")
            for pattern, places, why in FENCES:
                if re.search(pattern, line) and not within(path, places):
                    report(path, number, why)
            continue
        code = line.split("//")[0] if "http" not in line else line
        for pattern, places, why in BANS:
            if re.search(pattern, line if "TODO" in pattern else code) and not within(path, places):
                report(path, number, why)


def breaches_of(root, rows):
    breaches = []

    def report(path, number, why):
        breaches.append(f"{path}:{number}: {why}")

    names = source_text.names(root)
    check_rows(rows, set(names), report)
    rowless = set()
    for path in names:
        top = path.split("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            report(path, 1, "the top level is fixed")
        if BAD_NAMES.search(path):
            report(path, 1, "a name that says nothing: name the thing that it does")
        if path.endswith(OTHER_CPP):
            report(path, 1, "C++ is in .h and .cc, which the checks read")
        if path.endswith(CPP):
            if row_of(path, rows) is None:
                rowless.add(path.rpartition("/")[0])
            check_source(root, path, rows, report)
    for folder in sorted(rowless):
        report(folder or ".", 1, "a folder with C++ source and without a row in MAY_INCLUDE")
    return breaches


def main():
    breaches = breaches_of(source_text.ROOT, MAY_INCLUDE) + edges_without_includes(source_text.ROOT, MAY_INCLUDE)
    print("\n".join(breaches) if breaches else "layering holds")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
