#!/usr/bin/env python3
"""Instructions of three fixed benches, of one build or of two side by side, by valgrind's callgrind.

    tests/bench/instructions.py BIN [BIN_BEFORE]      folders with lineprotocol_bench, page_bench, query_engine_bench

A bench is run once with its inputs, which are seeded, on one thread; what counts is the whole program, with the making of its
inputs and the first, cold round. So a figure says something beside that of another build only, and does so to a thousandth
whatever else the machine does. Ends with 1 when one is more than 2 % above the build before. A bench that is not in a folder is left
out and named. How to see where instructions went: callgrind_annotate on the file that is named.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

# program, the name of the bench for --benchmark_filter
BENCHES = [
    ("lineprotocol_bench", "^BM_DevopsInts$"),
    ("page_bench", "^BM_Write/int_2160_sealed$"),
    ("query_engine_bench", "^Run/avg_by_host_1h$"),
]
WORSE_MAX = 0.02


def instructions(program, name, out):
    """Of the program with one round of the bench."""
    run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program),
                          f"--benchmark_filter={name}", "--benchmark_min_time=0.000001"], capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found or int(found[1]) == 0:
        raise SystemExit(f"{program} {name}: nothing was counted\n{run.stdout}{run.stderr}")
    return int(found[1])


def main():
    folders = [pathlib.Path(argument) for argument in sys.argv[1:]]
    if len(folders) not in (1, 2):
        print(__doc__)
        return 2
    keep = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-instructions-"))
    worse = False
    for program, name in BENCHES:
        missing = [str(folder / program) for folder in folders if not (folder / program).is_file()]
        if missing:
            print(f"{program}: left out, {', '.join(missing)} is not there")
            continue
        counts = [instructions(folder / program, name, keep / f"{program}.{i}") for i, folder in enumerate(folders)]
        line = f"{program} {name.strip('^$')}: {counts[0]:,}"
        if len(counts) == 2:
            change = counts[0] / counts[1] - 1
            worse |= change > WORSE_MAX
            line += f", before {counts[1]:,}, {change:+.2%}"
        print(line, flush=True)
    print(f"callgrind's files are in {keep}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
