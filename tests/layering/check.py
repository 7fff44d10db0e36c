#!/usr/bin/env python3
"""Holds the architecture: who may include whom, which library may be used where, and what may not be written.

Prints one line per breach, `file:line: reason`, and exits with 1 when there is any. Run by ctest and tools/dev/check.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders of ours that it may include besides itself. The longest prefix that fits a file is its folder.
BASE = {"storage/base", "storage/model"}
PUBLIC = BASE | {"storage/storage.h", "storage/verify.h"}
QUERY_PARSERS = {"query/promql", "query/influxql"}
MAY_INCLUDE = {
    "storage/base": set(),
    "storage/model": {"storage/base"},
    "storage/codec": BASE,
    "storage/page": BASE | {"storage/codec"},
    "storage/rollup": BASE | {"storage/codec", "storage/page"},
    "storage/journal": BASE,
    "storage/head": BASE,
    "storage/index": BASE,
    "storage/rocks": PUBLIC | {"storage/journal"},
    "storage/meta": PUBLIC | {"storage/rocks"},
    "storage/retention": PUBLIC | {"storage/index", "storage/rocks", "storage/meta"},
    "storage/partition": PUBLIC | {"storage/codec", "storage/page", "storage/rollup", "storage/head", "storage/index",
                                   "storage/rocks", "storage/meta", "storage/retention"},
    "storage/database": PUBLIC | {"storage/journal", "storage/head", "storage/index", "storage/rocks", "storage/meta",
                                  "storage/retention", "storage/partition"},
    "storage/view": PUBLIC | {"storage/codec", "storage/page", "storage/rollup", "storage/head", "storage/index",
                              "storage/rocks", "storage/meta", "storage/retention", "storage/partition",
                              "storage/database"},
    "storage/check": PUBLIC | {"storage/page", "storage/rollup", "storage/journal", "storage/index", "storage/rocks",
                               "storage/meta", "storage/partition", "storage/database"},
    "storage/engine": PUBLIC | {"storage/codec", "storage/journal", "storage/head", "storage/index", "storage/rocks",
                                "storage/meta", "storage/retention", "storage/partition", "storage/database",
                                "storage/view"},
    "storage": BASE,
    "executor/pool": {"storage/base"},
    "executor/agent/pipeline": BASE | {"executor/telemetry"},
    "executor/agent/process": BASE | {"executor/agent/pipeline", "executor/telemetry"},
    "executor/agent": BASE | {"executor/pool", "executor/telemetry"},
    "executor/telemetry": BASE,
    "executor": BASE | {"executor/pool", "executor/agent", "executor/telemetry"},
    "ingest": BASE,
    "ingest/lineprotocol": BASE | {"ingest/decoder.h"},
    "ingest/remotewrite": BASE | {"ingest/decoder.h"},
    "ingest/write_path": PUBLIC,
    "query/promql": BASE,
    "query/influxql": BASE,
    "query/plan": PUBLIC | QUERY_PARSERS,
    "query/trend": {"storage/base"},
    "query/frame": BASE | {"query/promql"},
    "query/run": PUBLIC | {"query/promql", "query/plan", "query/frame"},
    "query/scan": PUBLIC | {"query/promql", "query/plan", "query/frame", "query/run"},
    "query/functions": PUBLIC | {"query/promql", "query/plan", "query/trend", "query/frame", "query/run", "query/scan"},
    "query/operators": PUBLIC | {"query/promql", "query/plan", "query/frame", "query/run", "query/scan"},
    "query/cache": PUBLIC | {"query/promql", "query/frame", "query/run"},
    "query/engine": PUBLIC | {"query/promql", "query/plan", "query/frame", "query/run", "query/scan", "query/functions",
                              "query/operators", "query/cache"},
    "query/rules": PUBLIC | QUERY_PARSERS | {"query/frame", "query/run", "query/engine"},
    "query/api": PUBLIC | QUERY_PARSERS | {"query/plan", "query/frame", "query/run", "query/cache", "query/engine",
                                           "query/rules"},
    "clients": set(),
    "clients/sink": BASE | {"clients/cpp"},
    "tools/admin": set(),
    # The rooms of the server, bottom up. http knows nothing of Tidemark.
    "tools/server/http": {"storage/base"},
    "tools/server/influx": PUBLIC | {"ingest/decoder.h", "query/api/json.h", "query/influxql", "tools/server/http"},
    "tools/server/write": PUBLIC | {"ingest", "query/api/metadata_book.h", "tools/server/http",
                                    "tools/server/influx/influx_reply.h"},
    "tools/server/admin": PUBLIC | {"ingest/write_path", "query/api", "query/promql", "query/rules", "tools/admin",
                                    "tools/server/http"},
    "tools/server/dashboard": set(),
    "tools/server/watch": PUBLIC | {"executor/pool", "ingest/write_path", "query/api", "query/rules", "tools/server/http",
                                    "tools/server/write"},
    "tools/server/routes": PUBLIC | {"query/api", "tools/admin", "tools/server/http", "tools/server/influx",
                                     "tools/server/write", "tools/server/admin", "tools/server/dashboard"},
    "tools/server/config": PUBLIC | {"executor/agent/pipeline", "ingest", "query", "tools/server/http",
                                     "tools/server/influx", "tools/server/write", "tools/server/routes"},
    "tools/server": PUBLIC | {"executor", "ingest/write_path", "query"},
    "tools/demo": BASE | {"clients/cpp", "query/promql"},
    "tools/bench": BASE | {"tools/cli/http_client.h"},
    "tools/cli/dry_run": BASE | {"ingest/lineprotocol"},
    "tools/cli/admin": PUBLIC | {"tools/admin", "tools/cli/command.h", "tools/cli/http_client.h", "tools/cli/time_text.h"},
    "tools/cli/exec": PUBLIC | {"executor", "clients/sink", "query/api", "query/engine", "tools/cli/answer.h",
                                "tools/cli/command.h", "tools/cli/http_client.h", "tools/cli/time_text.h"},
    "tools/cli": BASE | {"ingest/lineprotocol", "executor/agent", "clients/cpp", "tools/bench", "tools/demo"},
    "tools": set(),
    "tests": {"storage", "ingest", "query", "executor", "tools", "tests", "clients"},
}

# What an include line may not name outside of the folders behind it, and why.
FENCES = [
    (r"<rocksdb/", ("storage/rocks", "storage/journal", "storage/check", "storage/engine", "tests"), "RocksDB stays in storage"),
    (r"<boost/(beast|asio)", ("tools/server", "tools/cli", "tools/bench", "clients/cpp", "executor/pool/asio_pool.h", "tests"),
     "sockets stay in tools and clients/cpp"),
    (r"<simdjson", ("ingest", "executor/agent", "tools", "tests"), "simdjson is for parsers"),
    (r"<spdlog/", ("storage/base",), "log through storage/base/log.h"),
    (r"<re2/", ("storage/index", "query", "executor", "tests"), "RE2 is for matchers and queries"),
    (r"<absl/", ("query/trend", "tests"), "time zones stay in query/trend"),
    (r"<yaml-cpp/", ("storage/base/yaml_reader.h", "executor/agent", "query/rules", "tools", "tests"), "YAML is for configuration"),
]

# What may not stand in a line of our C++, and what to write instead.
BANS = [
    (r"\bstd::(mutex|shared_mutex|condition_variable|lock_guard|unique_lock)\b", ("storage/base/mutex.h", "clients", "tests"),
     "use Mutex of storage/base/mutex.h, which the thread-safety analysis understands"),
    (r"\bstd::regex\b", (), "use RE2, whose time is linear in its input"),
    (r"\bco_await\s+[\w:]+\((\w+\{|\[)", (), "g++ 12 destroys a temporary inside co_await twice: name it first"),
    (r"\bassert\(", (), "use TM_CHECK, which holds in every build"),
    (r"\bstd::atomic<std::shared_ptr", (), "share a snapshot under a mutex"),
    (r"\b(TODO|FIXME|XXX)\b", (), "finish it or name it in the README"),
]

BAD_NAMES = re.compile(r"(^|/|_)(util|utils|common|helper|helpers|misc)(\.|_|/|$)")
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "CHANGELOG.md", "README.md", "storage", "ingest", "query",
             "executor", "clients", "tools", "tests"}
MAX_LINES = 800


def files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(set(out.stdout.split()))


def folder_of(path):
    best = ""
    for folder in MAY_INCLUDE:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def allowed(path, target):
    folder = folder_of(path)
    if not folder or target.startswith(folder + "/"):
        return True
    return any(target == edge or target.startswith(edge + "/") for edge in MAY_INCLUDE[folder])


def within(path, places):
    return any(path == place or path.startswith(place + "/") for place in places)


def check_source(path, text, report):
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        report(path, len(lines), f"longer than {MAX_LINES} lines: look for the second idea in it")
    if path.endswith(".h") and "#pragma once" not in text:
        report(path, 1, "a header begins with #pragma once")
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
        if include:
            target = include.group(1)
            if line.lstrip().startswith("#include \"") and re.match(r"(storage|ingest|query|executor|tools|tests|clients)/", target):
                if not allowed(path, target):
                    report(path, number, f"{folder_of(path)} may not include {target}")
            for pattern, places, why in FENCES:
                if re.search(pattern, line) and not within(path, places):
                    report(path, number, why)
            continue
        code = line.split("//")[0] if "http" not in line else line
        for pattern, places, why in BANS:
            if re.search(pattern, line if "TODO" in pattern else code) and not within(path, places):
                report(path, number, why)


def main():
    breaches = []

    def report(path, number, why):
        breaches.append(f"{path}:{number}: {why}")

    for path in files():
        top = path.split("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            report(path, 1, "the top level is fixed")
        if BAD_NAMES.search(path):
            report(path, 1, "a name that says nothing: name the thing that it does")
        full = ROOT / path
        if path.endswith((".h", ".cc")) and full.is_file():
            check_source(path, full.read_text(encoding="utf-8"), report)
    print("\n".join(breaches) if breaches else "layering holds")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
