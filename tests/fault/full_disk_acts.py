"""What gives space back works on a disk that has none: at zero bytes and at zero inodes, while the server runs and after
kill -9 and a start there, `delete`, a shorter retention, `compact` and DROP are done and space comes back at once; reads are
served all the while; the reserve's use is told; and when there is room again writes come back by themselves and the reserve
is whole. Without a reserve a start on a full disk serves reads.

  full_disk_acts.py BIN_FOLDER

Needs the right to mount a tmpfs; without it the test is skipped (exit code 77).
"""
import errno
import os
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402

SKIPPED = 77
T0 = 1_700_000_000
DAY = 86_400
DISK, INODES = 192 << 20, 400
RESERVE = DISK // 16
ARGUMENTS = ("--host-metrics", "off", "--storage-checkpoint-interval", "1h", "--storage-cache-bytes", "8MiB",
             "--storage-journal-segment-bytes", "1MiB")
DAYS, POINTS = 6, 10_000


class SmallDisk:
    """The folder of a server, with its own file system, and ways to take all that is left of it."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.data.mkdir()
        options = f"size={DISK},nr_inodes={INODES}"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.data)]).returncode != 0:
            print("skipped: mounting a tmpfs was refused")
            sys.exit(SKIPPED)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        subprocess.run(["umount", "-l", str(self.data)], check=True)

    def room(self):
        disk = os.statvfs(self.data)
        return disk.f_bavail * disk.f_frsize, disk.f_favail

    def to_give(self):
        """Bytes that are free, and those of the reserve: it is made again as soon as there is room for it."""
        space = self.data / "reserve" / "space"
        try:
            return self.room()[0] + space.stat().st_blocks * 512
        except FileNotFoundError:
            return self.room()[0]

    def take_bytes(self):
        # One file for all rounds: an inode is taken only once.
        with open(self.data / "ballast", "ab", buffering=0) as file:
            for block in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"\xff" * block)
                except OSError as error:
                    expect_equal(error.errno, errno.ENOSPC, "why the disk could not be filled")
        expect_equal(self.room()[0], 0, "bytes that are free")

    def take_inodes(self):
        folder = self.data / "many"
        folder.mkdir(exist_ok=True)
        number = len(list(folder.iterdir()))
        try:
            while True:
                (folder / str(number)).touch()
                number += 1
        except OSError as error:
            expect_equal(error.errno, errno.ENOSPC, "why no more files could be made")
        expect_equal(self.room()[1], 0, "inodes that are free")

    def give_back(self):
        (self.data / "ballast").unlink(missing_ok=True)
        if (self.data / "many").is_dir():
            for path in (self.data / "many").iterdir():
                path.unlink()
            (self.data / "many").rmdir()


def fill(server, db):
    """Days of noise, each with a file of its own; half of it written twice, so that there is something to compact."""
    noise = random.Random(db)
    for points in (POINTS, POINTS // 2):
        for day in range(DAYS):
            lines = "".join(f'm,day={day} v={i},t="{noise.randbytes(60).hex()}" {(T0 + day * DAY + i) * 10**9}\n'
                            for i in range(points))
            expect_equal(server.write(lines, db=db).status, 204, "a write")
        expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "a checkpoint")


def metric(server, name):
    return float(re.search(rf"^{name} (\S+)$", server.request("GET", "/metrics").body.decode(), re.M)[1])


def check_reads(server, db="default"):
    result = server.query("sum(count_over_time(m_v[1d]))", db=db, time=T0 + DAYS * DAY - 1)
    expect_equal(float(result[0]["value"][1]), float(POINTS), f"the last day of {db}")


def post(server, path, **parameters):
    return server.request("POST", f"{path}?{urllib.parse.urlencode(parameters)}")


# What gives space back, and how the answer says that it was done.
ACTS = {
    "delete": lambda server: post(server, "/api/v1/admin/delete", db="other", **{"match[]": '{day=~"[0-4]"}'}),
    "retention": lambda server: post(server, "/api/v1/admin/retention", db="other", keep="1d"),
    "compact": lambda server: post(server, "/api/v1/admin/compact", db="other"),
    "drop": lambda server: post(server, "/query", q='DROP DATABASE "other"'),
}


def try_act(act, take, restart):
    with temporary_folder() as folder, SmallDisk(folder) as disk, Server(disk.data, *ARGUMENTS) as server:
        fill(server, "default")
        fill(server, "other")
        wait_until(lambda: metric(server, "tidemark_reserve_bytes") == RESERVE, what="the reserve")
        take(disk)
        if restart:
            server.kill()
            take(disk)
            server.start()
            check_reads(server)
            check_reads(server, "other")
            expect_equal(server.write("m v=1").status, 503, "a write on a full disk")
        check_reads(server)
        before = disk.to_give()
        reply = ACTS[act](server)
        expect_equal(reply.status, 200, f"{act} on a full disk: {reply.body[:500]}")
        expect("the reserve is in use" in server.log_text(), f"nobody is told: {server.log_text()}")
        health = server.request("GET", "/health").json()
        if health["reserve"]["in_use"]:
            expect("the reserve is in use" in health["message"], health)
        else:
            expect_equal(health["reserve"]["bytes"], RESERVE, "the reserve, when there was room for it at once")
        wait_until(lambda: disk.to_give() > before + (1 << 19), seconds=30, what=f"space that comes back by {act}")
        check_reads(server)
        disk.give_back()
        wait_until(lambda: server.write(f"n v=1 {T0}000000000").status == 204, what="writes to be taken again")
        expect_equal(metric(server, "tidemark_reserve_bytes"), RESERVE, "the reserve when there is room again")
        expect_equal(metric(server, "tidemark_reserve_in_use"), 0, "the reserve when there is room again")
        expect_equal(server.stop(), 0, "the exit code")
        with server:
            check_reads(server)
            expect_equal(len(server.query("n_v", time=T0)), 1, "what was written then")


def test_acts_at_zero_bytes():
    for act in ACTS:
        for restart in (False, True):
            try_act(act, SmallDisk.take_bytes, restart)
            print(f"  {act}, {'after a start' if restart else 'running'}", flush=True)


def test_acts_at_zero_inodes():
    for act in ACTS:
        for restart in (False, True):
            try_act(act, SmallDisk.take_inodes, restart)
            print(f"  {act}, {'after a start' if restart else 'running'}", flush=True)


def test_a_start_without_a_reserve_serves_reads():
    for take in (SmallDisk.take_bytes, SmallDisk.take_inodes):
        with temporary_folder() as folder, SmallDisk(folder) as disk, Server(disk.data, *ARGUMENTS) as server:
            fill(server, "default")
            server.kill()
            for path in (disk.data / "reserve").glob("*"):
                path.unlink()
            take(disk)
            server.start()
            check_reads(server)
            health = server.request("GET", "/health")
            expect(health.status == 503 and "the disk is full" in health.json()["message"], health.body)
            expect(server.write("m v=1").status in (503, 507), "a write")
            expect_equal(server.stop(), 0, "the exit code")
            disk.give_back()
            with server:
                check_reads(server)
                expect_equal(server.write("m v=1").status, 204, "a write when there is room")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: only root can mount the small disks of this test")
        sys.exit(SKIPPED)
    run_tests(globals())
