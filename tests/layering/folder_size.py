#!/usr/bin/env python3
"""No folder has more than 40 files of source: it holds two ideas. What has more stands in folder_size.txt."""
import collections
import sys

import ratchet
import source_text

LIMIT = 40


def over(root=source_text.ROOT):
    counts = collections.Counter(path.rpartition("/")[0] for path in source_text.names(root) if path.endswith(source_text.SOURCE))
    for folder, count in sorted(counts.items()):
        if count > LIMIT:
            yield folder, count, folder, LIMIT


if __name__ == "__main__":
    sys.exit(ratchet.run(__file__, over(), "files"))
