#!/usr/bin/env python3
"""Every folder with source has a README, tests by the kind of test. Those that have none yet stand in readmes.txt."""
import sys

import ratchet
import source_text


def home(path):
    """The folder whose README speaks of the file: its own one, below tests the one that is the kind of test."""
    folder = path.rpartition("/")[0]
    return "/".join(folder.split("/")[:2]) if folder.startswith("tests/") else folder


def over(root=source_text.ROOT):
    names = source_text.names(root)
    there = set(names)
    for folder in sorted({home(path) for path in names if path.endswith(source_text.SOURCE)}):
        if f"{folder}/README.md" not in there:
            yield folder, 1, folder, 0


if __name__ == "__main__":
    sys.exit(ratchet.run(__file__, over(), "folder without README.md"))
