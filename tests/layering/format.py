#!/usr/bin/env python3
"""Checks that every C++ file is formatted as .clang-format says. Prints the files that are not."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"], cwd=ROOT, capture_output=True,
                           text=True, check=True).stdout.split()
    names = [name for name in names if (ROOT / name).is_file()]
    run = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *names], cwd=ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        print(f"{len(names)} files are formatted")
        return 0
    bad = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "clang-format-violations" in line})
    print("not formatted (tools/dev/check --fix mends it):\n" + "\n".join(bad or [run.stderr]))
    return 1


if __name__ == "__main__":
    sys.exit(main())
