#!/usr/bin/env python3
"""Runs a corpus of line-protocol cases through `BINARY write --dry-run --json` and lists the cases that differ.

    run_corpus.py BINARY CORPUS.json [--min-accepted PERCENT] [--min-rejected PERCENT]

The corpus has the shape of https://github.com/influxdata/line-protocol-corpus: {"decode": {KEY: {"input": {"text",
"defaultTime", "precision"}, "output": {"result": [point...]} or {"error": "..."}}}}. Text that is not UTF-8 is
{"binary": base64}. A case agrees when both accept it, with the same points, or both reject it; a case of several lines
is rejected when one of them is. The exit code is 0 when enough of both kinds agree (default: all).
"""
import argparse
import base64
import collections
import concurrent.futures
import json
import re
import subprocess
import sys


def bytes_of(text):
    return base64.b64decode(text["binary"]) if isinstance(text, dict) else text.encode()


def expected_points(points):
    """Points as comparable tuples. Of a field given twice the last value counts."""
    return [(bytes_of(p["name"]), p["time"],
             sorted((bytes_of(t["key"]), bytes_of(t["value"])) for t in p["tags"]),
             sorted({bytes_of(f["key"]): expected_value(f["value"]) for f in p["fields"]}.items()))
            for p in points]


def expected_value(value):
    (kind, v), = value.items()
    return kind, bytes_of(v) if kind == "string" else float(v) if kind == "float" else v


def actual_points(lines):
    return [(p["measurement"].encode(), p["time"],
             sorted((k.encode(), v.encode()) for k, v in p["tags"].items()),
             sorted((k.encode(), actual_value(v)) for k, v in p["fields"].items()))
            for p in lines]


def actual_value(value):
    (kind, v), = value.items()
    return kind, v.encode() if kind == "string" else float(v) if kind == "float" else v if kind == "bool" else int(v)


def run(binary, case):
    """(agrees, what differs) of one case."""
    given, output = case["input"], case["output"]
    command = [binary, "write", "--dry-run", "--json", "--precision", given["precision"].removeprefix("1"),
               "--default-time=%d" % given["defaultTime"]]
    done = subprocess.run(command, input=bytes_of(given["text"]), capture_output=True, timeout=60)
    if done.returncode not in (0, 1) or done.stderr:
        return False, "exit code %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[:200])
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    errors = [line for line in lines if "error" in line]
    if bool(errors) != (done.returncode == 1):
        return False, "exit code %d with %d errors" % (done.returncode, len(errors))
    if "error" in output:
        if not errors:
            return False, "accepted, should be: " + re.sub(r"\d+", "N", output["error"])
        # Cases of this project also say where and why.
        wanted = {k: output[k] for k in ("line", "column", "reason") if k in output}
        found = {"line": errors[0]["line"], "column": errors[0]["column"], "reason": errors[0]["error"]}
        if any(found[k] != v for k, v in wanted.items()):
            return False, "rejected with %s, should be %s" % (found, wanted)
        return True, ""
    if errors:
        return False, "rejected: " + errors[0]["error"]
    if actual_points(lines) != expected_points(output["result"]):
        return False, "other points"
    return True, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("corpus")
    parser.add_argument("--min-accepted", type=float, default=100)
    parser.add_argument("--min-rejected", type=float, default=100)
    args = parser.parse_args()
    with open(args.corpus, encoding="utf-8") as file:
        cases = json.load(file)["decode"]
    total, good = collections.Counter(), collections.Counter()
    differing = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        results = pool.map(lambda key: run(args.binary, cases[key]), cases)
        for key, (agrees, why) in zip(cases, results):
            kind = "rejected" if "error" in cases[key]["output"] else "accepted"
            total[kind] += 1
            good[kind] += agrees
            if not agrees:
                differing[why].append(key)
    for why in sorted(differing, key=lambda w: -len(differing[w])):
        print("%d x %s" % (len(differing[why]), why))
        for key in differing[why][:5]:
            print("    %s %r" % (key, bytes_of(cases[key]["input"]["text"])[:120]))
    enough = bool(cases)
    for kind, minimum in (("accepted", args.min_accepted), ("rejected", args.min_rejected)):
        percent = 100 * good[kind] / total[kind] if total[kind] else 100
        print("%s: %d of %d agree (%.2f %%)" % (kind, good[kind], total[kind], percent))
        enough = enough and percent >= minimum
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
