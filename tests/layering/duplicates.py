#!/usr/bin/env python3
"""No two files share a run of 12 lines. Blank lines, comments, includes, imports and indentation do not count; neither do lines
without a letter or digit, but they do not end a run. Pairs that share more stand in duplicates.txt with the lines they share."""
import collections
import re
import sys

import ratchet
import source_text

RUN = 12
PASSED_OVER = re.compile(r"//|#|import |from |using |namespace |[^A-Za-z0-9]*$")


def normal_lines(text):
    out = []
    for line in text.splitlines():
        line = line.strip()
        if not PASSED_OVER.match(line):
            out.append("".join(line.split()))
    return out


def over(root=source_text.ROOT):
    numbers, files = {}, []
    places = collections.defaultdict(list)
    for path in source_text.names(root):
        if not path.endswith(source_text.SOURCE):
            continue
        lines = [numbers.setdefault(line, len(numbers)) for line in normal_lines(source_text.read(root, path))]
        for at in range(len(lines) - RUN + 1):
            places[tuple(lines[at:at + RUN])].append((len(files), at))
        files.append(path)
    shared = collections.defaultdict(set)
    for where in places.values():
        if len(where) > 1:
            for one, at in where:
                for other, _ in where:
                    if one < other:
                        shared[one, other].update(range(at, at + RUN))
    for (one, other), lines in sorted(shared.items()):
        # Files of one name are told apart by their folders.
        names = [files[one].split("/")[-1], files[other].split("/")[-1]]
        if names[0] == names[1]:
            names = [files[one], files[other]]
        yield " ".join(sorted(names)), len(lines), f"{files[one]}: shared with {files[other]}", RUN - 1


if __name__ == "__main__":
    sys.exit(ratchet.run(__file__, over(), "lines in common"))
