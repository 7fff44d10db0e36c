"""An upgrade: the data directories that earlier releases have left (tests/conformance/formats) under this program. Every row is there
before and after, by the logical hash of each database; they take writes, compactions, a kill and a start; verify finds nothing.

  test_upgrade.py BIN_FOLDER
"""
import json
import pathlib
import shutil
import subprocess

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "conformance" / "formats"
T0 = 1_700_000_000


def admin(*words, codes=(0,)):
    done = subprocess.run([str(BIN / "tidemark"), "admin", *map(str, words)], capture_output=True, text=True, timeout=120)
    expect(done.returncode in codes, f"admin {words} ended with {done.returncode}: {done.stdout} {done.stderr}")
    return done.stdout


def hashes(*where):
    # 1: rows are gone of which tiers are left.
    lines = [json.loads(line) for line in admin("hash", "--json", *where, codes=(0, 1)).splitlines()]
    return {line["database"]: line for line in lines if line["database"] != "written"}


def upgrade(name):
    with temporary_folder() as folder:
        data = folder / name
        shutil.copytree(GOLDEN / name, data)
        for path in [data, *data.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        # Of one that has no watermark it is not known how far its journal went.
        found = admin("verify", "--data", data, codes=(0, 1))
        expect("whole" in found or ("watermark" in found and "1 damaged" in found), found)
        before = hashes("--data", data)
        expect(before, f"{name} has no database")
        with Server(data, "--host-metrics", "off") as server:
            expect_equal(hashes("--server", server.url), before, f"{name} under the new program")
            expect_equal(server.write(f"m v=1 {T0}000000000", db="written").status, 204, "a write")
            for database in before:
                admin("compact", database, "--server", server.url)
            expect_equal(hashes("--server", server.url), before, f"{name} after a compaction")
            server.kill()
        with Server(data, "--host-metrics", "off") as server:
            expect_equal(hashes("--server", server.url), before, f"{name} after a kill")
            expect_equal(server.query("m_v", db="written", time=T0)[0]["value"][1], "1", "what was written")
            expect_equal(server.stop(), 0, "the end")
        admin("verify", "--data", data)
        expect_equal(hashes("--data", data), before, f"{name} in the end")


def test_first_release():
    upgrade("v1")


def test_partitions_of_which_tiers_are_left():
    upgrade("v1-reduced")


def test_fields_with_several_types():
    upgrade("v2-types")


if __name__ == "__main__":
    run_tests(globals())
