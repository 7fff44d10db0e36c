#!/usr/bin/env python3
"""No file of source has more than 500 lines: there is a second idea in it. What is longer stands in file_length.txt."""
import sys

import ratchet
import source_text

LIMIT = 500


def over(root=source_text.ROOT):
    for path in source_text.names(root):
        if path.endswith(source_text.SOURCE):
            lines = source_text.read(root, path).count("\n")
            if lines > LIMIT:
                yield path.split("/")[-1], lines, path, LIMIT


if __name__ == "__main__":
    sys.exit(ratchet.run(__file__, over(), "lines"))
