"""What `compact` costs of a store of many partitions with two rows each, written in two checkpoints.

  compact_many.py BIN_FOLDER PARTITIONS
"""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402

T0 = 1_500_000_000
HOUR = 3600
ARGUMENTS = ("--host-metrics", "off", "--rules-self", "off", "--storage-partition", "1h", "--storage-checkpoint-interval", "1h")


def written(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/io").read_text()
    return int(re.search(r"^write_bytes: (\d+)", text, re.M)[1])


def main(partitions):
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        for half in range(2):
            for begin in range(0, partitions, 2000):
                # Every second hour, so that no two rows of one checkpoint share a partition.
                lines = "".join(f"m,s=1 v={i * 7 % 1000} {(T0 + i * 2 * HOUR + half * 10) * 10**9}\n"
                                for i in range(begin, min(partitions, begin + 2000)))
                expect_equal(server.write(lines).status, 204, "a write")
            expect_equal(server.request("POST", "/api/v1/admin/checkpoint", timeout=600).status, 200, "a checkpoint")
        began, cpu, bytes_before = time.monotonic(), server.cpu_seconds(), written(server)
        expect_equal(server.request("POST", "/api/v1/admin/compact", timeout=600).status, 200, "the compaction")
        print(f"{partitions} partitions: {time.monotonic() - began:.2f} s, {server.cpu_seconds() - cpu:.2f} s of CPU, "
              f"{(written(server) - bytes_before) / 1e6:.1f} MB written")


if __name__ == "__main__":
    main(int(sys.argv[2]))
