"""A store where this process may not write: on a file system that is mounted read-only, and in a folder of somebody else's.
Reads are served with a warning, nothing is changed, and whoever comes second is told who has it. Beside that: what a server
makes is its owner's alone, whichever umask it was given.

  read_only_media.py BIN_FOLDER

Needs the right to mount a tmpfs; without it the test is skipped (exit code 77).
"""
import contextlib
import hashlib
import os
import pathlib
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder  # noqa: E402

T0 = 1_700_000_000
SKIPPED = 77
NOBODY = 65534
ARGUMENTS = ("--host-metrics", "off")


@contextlib.contextmanager
def disk():
    """A folder with a file system of its own in it, "data"; logs lie beside it."""
    with temporary_folder() as folder:
        folder.chmod(0o755)
        where = folder / "data"
        where.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(where)]).returncode != 0:
            print("skipped: mounting a tmpfs was refused")
            sys.exit(SKIPPED)
        try:
            yield where
        finally:
            subprocess.run(["umount", "-l", str(where)], check=True)


def fill(data):
    """A store with a row in a table, one in the journal, and a kill behind them."""
    with Server(data, *ARGUMENTS) as server:
        expect_equal(server.write(f"m v=1 {T0}000000000").status, 204, "a write")
        expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "a checkpoint")
        expect_equal(server.write(f"m v=2 {T0 + 1}000000000").status, 204, "another write")
        server.kill()


def picture(data):
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns,
                        hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
            for path in sorted(data.rglob("*"))}


def second(data, prefix=()):
    done = subprocess.run([*prefix, str(BIN / "tidemarkd"), "--data", str(data), "--http", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60)
    expect_equal(done.returncode, 1, f"a second server: {done.stderr}")
    return done.stderr


def admin(*arguments):
    return subprocess.run([str(BIN / "tidemark"), "admin", *arguments]).returncode


def check_served(data, why, prefix=()):
    before = picture(data)
    with Server(data, *ARGUMENTS, prefix=prefix) as server:
        values = server.query("m_v[2s]", time=T0 + 1)[0]["values"]
        expect_equal([value for _, value in values], ["1", "2"], "both rows, of the table and of the journal")
        for reply in (server.write("m v=3"), server.request("POST", "/api/v1/admin/checkpoint")):
            expect_equal(reply.status, 503, "an act")
            expect(why in reply.body.decode(), f"the refusal: {reply.body}")
        health = server.request("GET", "/health").json()
        expect_equal((health["status"], health["checks"][0]["name"]), ("fail", "medium"), "/health")
        expect(why in health["checks"][0]["message"], health)
        log = server.log_text()
        expect(f" W reads are served, writes are refused: the store is read-only: {data}: " in log and why in log, log)
        expect("damage" not in log, f"a medium that takes no writes is not damaged: {log}")
        text = second(data, prefix)
        # It could not note itself in LOCK; the process that could, and is gone, is not blamed.
        expect(f"{data} is in use by process {server.process.pid}: stop it first" in text, text)
        expect_equal(server.stop(), 0, "the exit code")
    expect_equal(picture(data), before, "what lies there")


def test_a_medium_that_is_read_only():
    with disk() as data:
        fill(data)
        subprocess.run(["mount", "-o", "remount,ro", str(data)], check=True)
        check_served(data, "it lies on a medium that is read-only")
        subprocess.run(["mount", "-o", "remount,rw", str(data)], check=True)
        with Server(data, *ARGUMENTS) as server:
            expect_equal(server.write("m v=3").status, 204, "a write when it may be written")


def test_a_folder_in_which_it_may_not_write():
    with disk() as data:
        fill(data)
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0o500 if path.is_dir() else 0o400)
        check_served(data, f"this process may not write in {data}",
                     ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"))


def test_who_has_it():
    with disk() as data, Server(data, *ARGUMENTS) as server:
        text = second(data)
        expect(f"{data} is in use by process {server.process.pid} ({server.url}): stop it first" in text, text)


def test_files_are_their_owners():
    before = os.umask(0)
    try:
        with disk() as data:
            os.chmod(data, 0o777)
            fill(data)
            with Server(data, *ARGUMENTS) as server:
                expect_equal(server.write("m v=4", db="other").status, 204, "a write")
                expect_equal(server.request("POST", "/api/v1/admin/compact").status, 200, "a compaction")
                for path in (data, *data.rglob("*")):
                    expect_equal(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, str(path))
                expect_equal(server.stop(), 0, "the exit code")
            backup, restored = data.parent / "backup", data.parent / "restored"
            with Server(data, *ARGUMENTS, "--backup-directory", str(backup)) as server:
                expect_equal(admin("backup", "create", "--server", server.url), 0, "a backup")
                expect_equal(server.stop(), 0, "the exit code")
            expect_equal(admin("backup", "restore", "--from", str(backup), "--data", str(restored)), 0, "restored")
            expect_equal(admin("repair", "--data", str(restored)), 0, "nothing to repair")
            for folder in (backup, restored):
                for path in (folder, *folder.rglob("*")):
                    expect_equal(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, str(path))
    finally:
        os.umask(before)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: only root can mount the file systems of this test")
        sys.exit(SKIPPED)
    run_tests(globals())
