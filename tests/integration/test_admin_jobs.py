"""`tidemark admin` as an operator uses it: jobs that are left and come back to, acts online and in a directory, names that change,
fields, the check of a server that runs, and the repair of damaged pages.

  test_admin_jobs.py BIN_FOLDER
"""
import json
import pathlib
import shutil
import subprocess

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000


def admin(server, *words, code=0):
    where = ["--server", server.url] if hasattr(server, "url") else ["--data", str(server)]
    done = subprocess.run([str(BIN / "tidemark"), "admin", *map(str, words), *where], capture_output=True, text=True, timeout=120)
    if code is not None:
        expect_equal(done.returncode, code, f"the exit code of admin {words}: {done.stdout} {done.stderr}")
    return done.stdout + done.stderr


def data_of(server, *words):
    return json.loads(admin(server, *words, "--json"))["data"]


def fill(server, db="m", hosts=12, rows=3000):
    """Irregular times, so that there are pages of times; noise, so that there are several pages."""
    state = 1
    lines = []
    for host in range(hosts):
        for i in range(rows):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            lines.append(f"cpu,host=h{host} usage={(state >> 20) % 10**9 / 1000},n={state >> 44}i {T0 + i * 10 + (state >> 60) % 3}000000000")
    expect_equal(server.write("\n".join(lines), db=db).status, 204, "the write")
    expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "the checkpoint")


def test_jobs():
    with temporary_folder() as folder, Server(folder / "d", "--host-metrics", "off") as server:
        fill(server)
        text = admin(server, "compact", "m")
        expect("compact of m is done" in text and "before and" in text, text)
        text = admin(server, "verify")
        expect("whole" in text, text)
        listed = data_of(server, "jobs", "list")
        expect({"compact", "verify", "scrub"} <= {job["kind"] for job in listed}, listed)
        expect_equal([job["state"] for job in listed if job["kind"] == "compact"], ["done"], "the compaction")
        detached = admin(server, "compact", "m", "--detach")
        job = detached.split(":")[0].split()[1]
        expect("is done" in admin(server, "jobs", "follow", job), "it is followed to its end")
        expect("no job 99" in admin(server, "jobs", "cancel", "99", code=1), "of none")
        expect("has ended" in admin(server, "jobs", "cancel", job, code=1), "of one that has ended")
        admin(server, "jobs", "pause", "scrub")
        expect("pause it" in admin(server, "jobs", "cancel", "scrub", code=1), "the scrub has no end")
        expect("not found" in admin(server, "compact", "none", code=1), "no such database")
        expect_equal(server.stop(), 0, "the end")
        with Server(folder / "d", "--host-metrics", "off") as again:
            jobs = {job["job"]: job for job in data_of(again, "jobs", "list")}
            expect_equal(jobs["scrub"]["state"], "paused", "the scrub over a restart")
            expect_equal(jobs[job]["state"], "done", "what was done is remembered")
            admin(again, "jobs", "resume", "scrub")


def test_online_and_in_a_directory():
    """The same act says the same of a server and of the directory that it leaves."""
    with temporary_folder() as folder:
        data = folder / "d"
        with Server(data, "--host-metrics", "off") as server:
            fill(server)
            admin(server, "retention", "set", "m", "--max-bytes", "1GB")
            online = {words: data_of(server, *words) for words in (("retention", "show", "m"), ("field", "show", "m"), ("types", "show", "m"))}
            admin(server, "checkpoint")
            partitions = data_of(server, "partitions", "m")
            expect(partitions and all(one["state"] == "open" and one["bytes"] > 0 for one in partitions), partitions)
            expect("database not found" in admin(server, "partitions", "none", code=1), "no such database")
            databases = data_of(server, "databases")
            status = data_of(server, "status")
            server.stop()
        for words, answer in online.items():
            expect_equal(data_of(data, *words), answer, f"{words} in the directory")
        expect_equal(data_of(data, "partitions", "m"), partitions, "the partitions in the directory")
        expect_equal([one["series"] for one in data_of(data, "databases")], [one["series"] for one in databases], "series")
        offline = data_of(data, "status")
        expect_equal((offline["databases"], offline["series"]), (status["databases"], status["series"]), "the status")
        expect(offline["disk"]["tablesBytes"] > 0 and offline["findings"] == 0, offline)
        deleted = data_of(data, "delete", "m", "--match", 'cpu_n{host="h1"}')["deleted"]
        expect_equal(deleted["series"], 1, "a deletion in the directory")
        expect("compact of m is done" in admin(data, "compact", "m"), "a compaction in the directory")
        expect_equal({one["state"] for one in data_of(data, "partitions", "m")}, {"sealed"}, "after it")
        admin(data, "rename", "database", "m", "other")
        expect("no data directory" in admin(folder / "none", "status", code=2), "no store there")
        with Server(data, "--host-metrics", "off") as server:
            expect("in use" in admin(data, "status", code=2), "a directory whose server runs")
            rows = server.query("count({__name__=~'cpu_.*'})", db="other", time=T0 + 100)
            expect_equal(rows[0]["value"][1], "23", "series that are left")


def test_rename_and_fields():
    with temporary_folder() as folder, Server(folder / "d", "--host-metrics", "off") as server:
        server.write(f"m,h=a v=1i,w=2 {T0}000000000", db="old")
        server.write(f"m v=1 {T0}000000000", db="taken")
        expect("exists already" in admin(server, "rename", "database", "old", "taken", code=1), "a name that is taken")
        expect("is called \"old\" already" in admin(server, "rename", "database", "old", "old", code=1), "its own name")
        expect_equal(data_of(server, "rename", "database", "old", "new", "--dry-run")["dryRun"], True, "a dry run")
        expect({"old", "taken"} <= {one["database"] for one in data_of(server, "databases")}, "nothing has changed")
        admin(server, "rename", "database", "old", "new")
        expect_equal(server.query("m_v", db="new", time=T0)[0]["value"][1], "1", "its rows")
        # A text for an integer is refused until the field has been dropped.
        expect_equal(server.write(f'm,h=a v="text" {T0 + 1}000000000', db="new").status, 400, "another type")
        shown = data_of(server, "field", "show", "new", "--field", "v")
        expect_equal([(one["type"], one["series"]) for one in shown], [("integer", 1)], "the field")
        expect_equal(data_of(server, "field", "drop", "new", "m", "v", "--dry-run")["deleted"]["rows"], 1, "what would go")
        expect_equal(server.write(f'm,h=a v="text" {T0 + 1}000000000', db="new").status, 400, "a dry run drops nothing")
        admin(server, "field", "drop", "new", "m", "v")
        expect_equal(server.write(f'm,h=a v="text" {T0 + 1}000000000', db="new").status, 204, "any type after it")
        expect_equal(data_of(server, "field", "show", "new", "--field", "v")[0]["type"], "string", "the new type")
        expect_equal(server.query("m_w", db="new", time=T0)[0]["value"][1], "2", "the other field")
        expect("has no field" in admin(server, "field", "drop", "new", "m", "none", code=1), "no such field")


def pages_of(directory):
    """The largest table, and where its pages begin."""
    path = max(pathlib.Path(directory).glob("rocksdb/*.sst"), key=lambda file: file.stat().st_size)
    data = path.read_bytes()
    return path, [at for at in range(len(data) - 4) if data[at:at + 4] == b"TMP\x01"]


def points(server):
    found = {}
    for series in server.request("GET", f"/api/v1/query?db=m&query={{__name__=~%22cpu_.*%22}}[2d]&time={T0 + 86400}").json()["data"]["result"]:
        name = (series["metric"]["__name__"], series["metric"]["host"])
        found[name] = dict(map(tuple, series["values"]))
    return found


def test_damaged_pages():
    """A flip in each page, one after the other: it is found online and in the directory; the repair keeps all other rows, names what is
    lost, and leaves a store that is whole."""
    with temporary_folder() as folder:
        whole = folder / "d"
        with Server(whole, "--host-metrics", "off") as server:
            fill(server, hosts=4)
            admin(server, "compact", "m")
            truth = points(server)
            server.stop()
        total = sum(map(len, truth.values()))
        path, pages = pages_of(whole)
        expect(len(pages) >= 4, pages)
        for at in pages:
            victim = folder / "victim"
            shutil.rmtree(victim, ignore_errors=True)
            shutil.copytree(whole, victim)
            table = bytearray((victim / path.relative_to(whole)).read_bytes())
            table[at + 48] ^= 4
            (victim / path.relative_to(whole)).write_bytes(table)
            if at == pages[0]:
                with Server(victim, "--host-metrics", "off") as server:
                    expect("1 damaged" in admin(server, "verify", code=1), "a server finds it")
                    checks = json.loads(server.request("GET", "/health").body)["checks"]
                    expect(any(check["name"] == "pages" for check in checks), checks)
                    wait_until(lambda: server.request("GET", "/metrics").body.find(b'tidemark_findings{area="pages"} 1') > 0, what="the finding")
                    server.stop()
            found = admin(victim, "verify", code=1)
            # The list of pages lies in a block with that of series and with the last pages. It is made anew of the pages
            # themselves, and those in its block may be none that have rows.
            listed = "/255/0/0/0/0" in found
            expect(listed or "1 damaged" in found, f"the page at {at} is found: {found}")
            # Without the list all rows may be there still: then nothing is lost, and the exit code says so.
            spared = listed and "which are all there" in admin(victim, "repair", "--dry-run", code=None)
            planned = admin(victim, "repair", "--dry-run", code=0 if spared else 1)
            expect(spared or "2023-11-14T" in planned and (listed or ("cpu_" in planned and "host=" in planned)), f"what is lost is named: {planned}")
            admin(victim, "repair", code=0 if spared else 1)
            admin(victim, "verify")
            with Server(victim, "--host-metrics", "off") as server:
                left = points(server)
                server.stop()
            for name, rows in left.items():
                for when, value in rows.items():
                    expect_equal(value, truth[name][when], f"the row of {name} at {when}")
            kept = sum(map(len, left.values()))
            # The first page has the times of all rows.
            expect(not spared or kept == total, f"{kept} of {total} rows, and nothing is said to be lost")
            expect((kept < total or listed) and (kept > 0 or listed or at == pages[0]), f"{kept} of {total} rows after a flip at {at}: {planned}")


if __name__ == "__main__":
    run_tests(globals())
