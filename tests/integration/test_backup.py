"""Backups of a server at work, and servers on what was restored: everything that was acknowledged before is there, damage is
found, the schedule makes them by itself.
"""
import json
import subprocess
import threading

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000
QUIET = ("--host-metrics", "off")


def tidemark(*arguments):
    return subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, text=True, timeout=300)


def backing_up(folder, *more):
    return Server(folder / "data", *QUIET, "--backup-directory", str(folder / "backups"), *more)


def create(server):
    done = tidemark("admin", "backup", "create", "--json", "--server", server.url)
    expect_equal(done.returncode, 0, done.stderr)
    last = json.loads(done.stdout.splitlines()[-1])
    expect(last.get("done") is True, f"the last line is {last}")
    return last


def restore(folder, name, *more):
    data = folder / name
    done = tidemark("admin", "backup", "restore", "--from", folder / "backups", "--data", data, *more)
    expect_equal(done.returncode, 0, done.stderr)
    return data


class Load(threading.Thread):
    """Writes one row after the other, and knows how many were acknowledged."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.acknowledged = 0
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            row = self.acknowledged
            reply = self.server.write("".join(f"load,host=h{i % 5} v={row} {T0 + row}{i:09}\n" for i in range(20)))
            if reply.status != 204:
                return
            self.acknowledged += 1


def test_a_backup_under_load_has_what_was_acknowledged_before():
    with temporary_folder() as folder:
        rounds = []
        with backing_up(folder) as server:
            load = Load(server)
            load.start()
            for _ in range(3):
                before = load.acknowledged
                wait_until(lambda: load.acknowledged > before + 20, what="the load")
                rounds.append((load.acknowledged, create(server)["id"]))
            load.ending.set()
            load.join()
            total = load.acknowledged
        for acknowledged, number in rounds:
            data = restore(folder, f"restored-{number}", "--id", number)
            verified = tidemark("admin", "verify", "--data", data)
            expect_equal(verified.returncode, 0, verified.stdout + verified.stderr)
            with Server(data, *QUIET) as server:
                jobs = [one for one in server.request("GET", "/api/v1/admin/jobs").json()["data"] if one["kind"] == "backup"]
                expect(jobs and {one["state"] for one in jobs} <= {"done", "cancelled"}, f"jobs of the store that was copied: {jobs}")
                expect_equal(sum(one["state"] == "cancelled" for one in jobs), 1, "the job that made the backup")
                count = float(server.query("sum(count_over_time(load_v[10d]))", time=T0 + 100_000)[0]["value"][1])
                expect(acknowledged * 20 <= count <= total * 20, f"{count} of {acknowledged * 20} to {total * 20} rows")
                expect_equal(server.write(f"load,host=h0 v=1 {T0 + 90_000}000000000").status, 204, "a write")
                expect_equal(server.stop(), 0, "exit code")


def test_the_list_verify_and_damage():
    with temporary_folder() as folder:
        with backing_up(folder, "--backup-keep", "2") as server:
            for i in range(3):
                server.write(f"m,s=a v={i} {T0 + i}000000000")
                create(server)
            listed = server.request("GET", "/api/v1/admin/backups").json()
            expect_equal([one["id"] for one in listed["data"]], [2, 3], "those that are kept")
            expect_equal(sorted(listed["data"][0]), ["bytes", "files", "id", "store", "time"], "what is said of one")
            metrics = server.request("GET", "/metrics").body.decode()
            expect("tidemark_backups_total 3" in metrics, "the counter of backups")
        done = tidemark("admin", "backup", "verify", "--from", folder / "backups")
        expect_equal(done.returncode, 0, done.stderr)
        expect("backup 3 of " in done.stdout and "whole" in done.stdout, done.stdout)
        victim = max((path for path in (folder / "backups").rglob("*.sst")), key=lambda path: path.stat().st_size)
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 4
        victim.write_bytes(content)
        done = tidemark("admin", "backup", "verify", "--from", folder / "backups")
        expect_equal(done.returncode, 1, done.stdout)
        expect(victim.name in done.stderr, done.stderr)
        done = tidemark("admin", "backup", "restore", "--from", folder / "backups", "--data", folder / "restored")
        expect_equal(done.returncode, 1, done.stdout)
        expect(not (folder / "restored").exists(), "a damaged backup was restored")


def test_one_that_is_cut_short_is_told_and_costs_nothing():
    """The server is killed, or told to end, while it copies: the command says that it was not done, the next backup is whole."""
    with temporary_folder() as folder:
        server = backing_up(folder)
        server.start()
        for end in (server.kill, server.stop):
            server.write("".join(f"m,host=h{i % 50} v={i * 0.37} {T0 + i}000000000\n" for i in range(50_000)))
            copying = subprocess.Popen([str(BIN / "tidemark"), "admin", "backup", "create", "--json", "--server", server.url],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wait_until(lambda: copying.poll() is not None or (folder / "backups" / "private").is_dir(), what="the copying")
            end()
            out, err = copying.communicate(timeout=120)
            expect((copying.returncode == 0) == ('"done":true' in out), f"{copying.returncode}: {out} {err}")
            server.start()
        create(server)
        expect_equal(server.stop(), 0, "exit code")
        expect_equal(tidemark("admin", "backup", "verify", "--from", folder / "backups").returncode, 0, "verify")
        expect_equal(tidemark("admin", "verify", "--data", restore(folder, "restored")).returncode, 0, "the restored store")


def test_mistakes_are_told():
    with temporary_folder() as folder:
        with Server(folder / "data", *QUIET) as server:
            done = tidemark("admin", "backup", "create", "--server", server.url)
            expect(done.returncode == 1 and "backup.directory" in done.stderr, done.stdout + done.stderr)
            expect_equal(server.request("GET", "/api/v1/admin/backups").json()["data"], [], "no backups")
        refused = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "127.0.0.1:0",
                                  "--backup-directory", str(folder / "data" / "backups")],
                                 capture_output=True, text=True, timeout=60)
        expect(refused.returncode != 0 and "lies in the data directory" in refused.stderr + refused.stdout, refused.stderr)
        for arguments in (("verify", "--from", folder / "none"),
                          ("restore", "--from", folder / "none", "--data", folder / "x")):
            done = tidemark("admin", "backup", *arguments)
            expect_equal(done.returncode, 2, done.stdout)
            expect("there are no backups in" in done.stderr, done.stderr)


def test_the_schedule_makes_them():
    with temporary_folder() as folder:
        with backing_up(folder, "--backup-interval", "1s") as server:
            server.write(f"m,s=a v=1 {T0}000000000")
            wait_until(lambda: len(server.request("GET", "/api/v1/admin/backups").json()["data"]) >= 1, what="a backup")
            expect_equal(server.stop(), 0, "exit code")


if __name__ == "__main__":
    run_tests(globals())
