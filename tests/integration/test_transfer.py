"""Points out of a store and into another: exports in each form, imports of them and of other databases' files, against a server
and in a directory; afterwards the logical hashes are equal, or what is different is named.
"""
import http.client
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

from peers import remote_write
from harness import BIN, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000
QUIET = ("--host-metrics", "off")


def tidemark(*arguments, code=0, **more):
    done = subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, text=True, timeout=300, **more)
    expect(code is None or done.returncode == code,
           f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def hash_of(place, db):
    line = json.loads(tidemark("admin", "hash", db, "--json", *place).stdout)
    return line["points"], line["hash"]


# What is hard about each type, as exact lines.
def hard_lines():
    def line(measurement, field, type_, values, labels=None, times=None):
        return json.dumps({"labels": labels or {"host": "a"}, "measurement": measurement, "field": field, "type": type_,
                           "times_ns": times or [T0 * 10**9 + i for i in range(len(values))], "values": values})
    return "\n".join([
        # json.dumps writes doubles so that they read back.
        line("m", "float", "float", [0.0, -0.0, 0.1, 1e300, 5e-324, 1.7976931348623157e308, 123456789012345680.0, "+Inf", "-Inf",
                                     "NaN", "stale", "NaN:7ff8000000000001", "NaN:fff8000000000000"]),
        line("m", "int", "integer", [-2**63, 2**63 - 1, -1, 0, 2**53 + 1]),
        line("m", "uint", "unsigned", [0, 2**64 - 1, 2**63]),
        line("m", "bool", "boolean", [True, False]),
        line("m", "text", "string", ["", "plain", "\"q\" \\ \\\"", "line\nfeed\r\n\ttab", "\u0000\u0001", "äöü€🌊", "a,b=c d"]),
        line("m e a,s=ure", "f i=e,ld", "float", [1.5], {"a b,c=d": "e f,g=h", "sea": "海阶"}),
        line("m", "newline", "integer", [7], {"line": "two\nlines"}),
        line("m", "ends", "float", [1, 2], None, [-9223372036854775806, 9223372036854775806]),
        # Two spellings of one metric.
        line("m", "a_b", "float", [1]), line("m_a", "b", "float", [2]),
    ]) + "\n" + json.dumps({"end": {"series": 10, "rows": 0, "warnings": []}}) + "\n"


HARD_POINTS = 13 + 5 + 3 + 2 + 7 + 1 + 1 + 2 + 1 + 1


def test_every_form_gives_everything_back_online_and_offline():
    with temporary_folder() as folder:
        (folder / "hard.jsonl").write_text(hard_lines())
        with Server(folder / "one", *QUIET) as server:
            online = ("--server", server.url)
            done = tidemark("admin", "import", "file", "db", folder / "hard.jsonl", *online)
            expect(f"{HARD_POINTS} of {HARD_POINTS} points" in done.stdout, done.stdout)
            want = hash_of(online, "db")
            expect_equal(want[0], HARD_POINTS, "points")
            for name in ("a.jsonl", "a.jsonl.zst", "a.csv.gz", "a.csv"):
                tidemark("admin", "export", "db", "--to", folder / name, *online)
                tidemark("admin", "import", "file", "of_" + name.replace(".", "_"), folder / name, *online)
                expect_equal(hash_of(online, "of_" + name.replace(".", "_")), want, name)
            # Standard output, and standard input.
            text = tidemark("admin", "export", "db", *online).stdout
            tidemark("admin", "import", "file", "piped", "-", "--format", "jsonl", *online, input=text)
            expect_equal(hash_of(online, "piped"), want, "through a pipe")
            expect_equal(server.stop(), 0, "exit code")
        offline = ("--data", folder / "one")
        expect_equal(hash_of(offline, "db"), want, "the directory")
        for name in ("b.jsonl.gz", "b.csv.zst"):
            tidemark("admin", "export", "db", "--to", folder / name, *offline)
            (folder / "two").mkdir(exist_ok=True)
            tidemark("admin", "import", "file", name[2:5], folder / name, "--data", folder / "two")
            expect_equal(hash_of(("--data", folder / "two"), name[2:5]), want, name)
        with Server(folder / "two", *QUIET) as server:
            expect_equal(hash_of(("--server", server.url), "csv"), want, "a server on what was imported")
            done = tidemark("admin", "hash", *offline[:1], folder / "two", code=2)
            expect(str(server.process.pid) in done.stderr or "another process" in done.stderr, done.stderr)


def test_a_field_with_rows_of_two_types_comes_back_as_it_was():
    big = 2**53 + 1
    with temporary_folder() as folder, Server(folder / "one", *QUIET, "--backup-directory", str(folder / "backups")) as server:
        online = ("--server", server.url)
        server.write(f"m,h=a v={big}i {T0}000000001\nm,h=b v={big}i {T0}000000003\nm,h=c v=1i {T0}000000000\n", db="db")
        server.write(f"m,h=a v=1.5 {T0}000000000\nm,h=b v=2.5 {T0}000000001\n", db="db")
        want = hash_of(online, "db")
        expect_equal(want[0], 5, "points")
        for name in ("a.jsonl", "a.csv", "a.lp"):
            tidemark("admin", "export", "db", "--to", folder / name, *online)
            tidemark("admin", "import", "file", name, folder / name, *online)
            expect_equal(hash_of(online, name), want, name)
        tidemark("admin", "backup", "create", *online)
        tidemark("admin", "backup", "database", "db", "--from", folder / "backups", "--as", "restored", *online)
        expect_equal(hash_of(online, "restored"), want, "of a backup")
        # What the API gives it takes back.
        rows = server.request("GET", "/api/v1/rows?db=db&match[]=%7B__name__!=%22%22%7D").body
        expect_equal(server.request("POST", "/api/v1/admin/import?db=api", body=rows).status, 200, "an import")
        expect_equal(hash_of(online, "api"), want, "through the API")
        # A line that is none: what stands in front of it is written, and its number is said.
        lines = rows.decode().splitlines()
        reply = server.request("POST", "/api/v1/admin/import?db=bad", body="\n".join(lines[:-1] + ["broken"]).encode())
        expect_equal(reply.status, 400, "a broken line")
        expect(f"line {len(lines)}: " in reply.body.decode(), reply.body)
        expect_equal(hash_of(online, "bad"), want, "in front of it")
        # A field that is a float already: told from what is lost.
        server.write(f"m,h=z v=0.5 {T0}000000000\n", db="floats")
        done = tidemark("admin", "import", "file", "floats", folder / "a.jsonl", *online, code=1)
        expect("1 are there with the same value as another type" in done.stdout, done.stdout)
        expect(f"no float is equal to the integer {big}" in done.stdout, done.stdout)


def test_line_protocol_says_what_it_leaves_out():
    with temporary_folder() as folder:
        (folder / "hard.jsonl").write_text(hard_lines())
        with Server(folder / "one", *QUIET) as server:
            online = ("--server", server.url)
            tidemark("admin", "import", "file", "db", folder / "hard.jsonl", *online)
            done = tidemark("admin", "export", "db", "--to", folder / "a.lp.gz", *online, code=1)
            expect("7 points are left out" in done.stderr, done.stderr)
            done = tidemark("admin", "import", "file", "back", folder / "a.lp.gz", *online)
            expect_equal(hash_of(online, "back")[0], HARD_POINTS - 7, "points")
            # What line protocol can say comes back alike: the text, the integers, the tags.
            for selector in ('{__name__="m_text"}', '{__name__="m_int"}', '{__name__="m_uint"}', '{"a b,c=d"!=""}'):
                a = json.loads(tidemark("admin", "hash", "db", "--match", selector, "--json", *online).stdout)
                b = json.loads(tidemark("admin", "hash", "back", "--match", selector, "--json", *online).stdout)
                expect(a["points"] > 0 and a["hash"] == b["hash"], f"{selector}: {a} {b}")


def test_selectors_and_times():
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        server.write("".join(f"cpu,host={h} v={i}i {T0 + i}000000000\n" for h in "ab" for i in range(100)), db="db")
        online = ("--server", server.url)
        for place in (online, None):
            if place is None:
                expect_equal(server.stop(), 0, "exit code")
                place = ("--data", folder / "one")
            done = tidemark("admin", "export", "db", "--match", 'cpu_v{host="a"}', "--start", T0 + 10, "--end", T0 + 19,
                            "--format", "csv", *place)
            rows = done.stdout.splitlines()
            done_none = tidemark("admin", "export", "nowhere", *place, code=2)
            expect("nowhere" in done_none.stderr, done_none.stderr)
            expect_equal(rows[0], "measurement,field,type,tags,time_ns,value", "header")
            expect_equal(rows[1:], [f'cpu,v,integer,"{{""host"":""a""}}",{T0 + i}000000000,{i}' for i in range(10, 20)], "rows")


def test_conflicts_are_named():
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        online = ("--server", server.url)
        (folder / "a.lp").write_text(f"m,s=a v=1 {T0}000000000\nm,s=a v=1 {T0}000000000\nm,s=b v=2 {T0}000000000\n"
                                     f"m,s=b v=3 {T0}000000000\nbroken\nm,s=c v=1i {T0}000000000\n")
        # The field is a float: the last line's integer becomes one, or is refused.
        done = tidemark("admin", "import", "file", "db", folder / "a.lp", *online, code=1)
        expect("the source has 2 and then 3" in done.stdout, done.stdout)
        expect("line 5, column" in done.stdout, done.stdout)
        expect("1 come again in the source with the same value" in done.stdout, done.stdout)
        expect("1 come again in the source with another value" in done.stdout, done.stdout)


def test_a_killed_import_goes_on_and_ends_equal():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        online = ("--server", server.url)
        with open(folder / "a.lp", "w") as file:
            for i in range(400_000):
                file.write(f"load,host=h{i % 50} v={rng.random()},n={i}i {T0 + i // 50}000000000\n")
        state = folder / "state"
        rounds = 0
        while True:
            process = subprocess.Popen([str(BIN / "tidemark"), "admin", "import", "file", "db", str(folder / "a.lp"), "--state",
                                        str(state), *online], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if rounds < 3:
                # As soon as some more has been acknowledged.
                before = state.read_text() if state.exists() else ""
                wait_until(lambda: process.poll() is not None or (state.exists() and state.read_text() != before), what="the state")
                process.send_signal(signal.SIGINT if rounds == 0 else signal.SIGKILL)
            out, err = process.communicate(timeout=300)
            rounds += 1
            if process.returncode == 0:
                break
            expect(rounds < 20, f"{out}\n{err}")
        print("rounds", rounds)
        expect(rounds > 1 and "going on behind piece" in err, f"it was never stopped: {err}")
        expect("800,000 of 800,000 points" in out, out)
        expect(not state.exists(), "the state is still there")
        expect_equal(hash_of(online, "db")[0], 800_000, "points")


def test_an_export_that_is_stopped_leaves_nothing():
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        for part in range(10):
            server.write("".join(f"m,s={s} v={i} {T0 + part * 1000 + i}000000000\n" for s in range(20) for i in range(1000)))
        process = subprocess.Popen([str(BIN / "tidemark"), "admin", "export", "default", "--to", str(folder / "a.csv"), "--server",
                                    server.url], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: (folder / "a.csv.part").exists() or process.poll() is not None, what="the file")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        if process.returncode != 0:
            expect_equal(sorted(p.name for p in folder.glob("a.csv*")), [], "what is left")


def test_one_database_of_a_backup_goes_into_a_running_server():
    with temporary_folder() as folder:
        (folder / "hard.jsonl").write_text(hard_lines())
        with Server(folder / "one", *QUIET, "--backup-directory", str(folder / "backups")) as server:
            online = ("--server", server.url)
            tidemark("admin", "import", "file", "db", folder / "hard.jsonl", *online)
            server.write(f"other v=1 {T0}000000000", db="other")
            want = hash_of(online, "db")
            tidemark("admin", "backup", "create", *online)
            server.write(f"m,host=a later=1 {T0}000000000", db="db")
            done = tidemark("admin", "backup", "verify", "--from", folder / "backups", "--hash")
            expect(want[1] in done.stdout, done.stdout)
            done = tidemark("admin", "backup", "database", "db", "--from", folder / "backups", "--as", "as it was", *online)
            expect_equal(hash_of(online, "as it was"), want, "what was restored")
            expect(hash_of(online, "db") != want, "the database itself was changed meanwhile")
            done = tidemark("admin", "backup", "database", "db", "--from", folder / "backups", *online, code=2)
            expect("there already" in done.stderr, done.stderr)
            done = tidemark("admin", "backup", "database", "none", "--from", folder / "backups", *online, code=2)
            expect("it has db, other" in done.stderr, done.stderr)
            # What cannot come whole is not left: points of 1677 and 2262 cannot be where a retention refuses them.
            with Server(folder / "two", *QUIET, "--storage-retention", "1d") as strict:
                done = tidemark("admin", "backup", "database", "db", "--from", folder / "backups", "--server", strict.url, code=1)
                expect("refused:" in done.stdout, done.stdout)
                names = [d["database"] for d in strict.request("GET", "/api/v1/admin/databases").json()["data"]]
                expect("db" not in names, f"{names}")
            expect_equal(sorted(p.name for p in folder.glob("backups*")), ["backups"], "what is left beside the backups")
            expect_equal(server.stop(), 0, "exit code")
        done = tidemark("admin", "verify", "--data", folder / "one", "--hash")
        expect(want[1] in done.stdout, done.stdout)
        tidemark("admin", "backup", "database", "db", "--from", folder / "backups", "--as", "third", "--data", folder / "one")
        expect_equal(hash_of(("--data", folder / "one"), "third"), want, "offline")


class Peer:
    """Another database, with its output in a file."""

    def __init__(self, folder, *command, environment=None):
        self.log = open(folder / (pathlib.Path(command[0]).name + ".log"), "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=folder, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.log.close()


def http_ok(port, path):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
        return body if reply.status // 100 == 2 else None
    except OSError:
        return None


def samples_for(count, now_ms):
    """Series with gaps, stale markers and values of all kinds, in the last two hours."""
    rng = random.Random(count)
    out = []
    for s in range(5):
        values = []
        for i in range(count):
            value = [float(i), rng.random() * 1e9, -0.0, float("inf"), remote_write.STALE if i % 50 == 49 else 1.25][s]
            values.append((now_ms - (count - i) * 5_000, value))
        out.append(({"__name__": f"metric_{s % 2}", "series": str(s), "text": "a\"b\\c\nd é"}, values))
    return out


def test_prometheus_gives_every_sample_of_its_log_and_its_blocks():
    if not shutil.which("prometheus"):
        print("prometheus is not installed")
        return
    with temporary_folder() as folder:
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        port = free_port()
        now_ms = int(time.time() * 1000)
        sent = samples_for(500, now_ms)
        with Peer(folder, "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                  f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--web.enable-admin-api",
                  "--storage.tsdb.wal-compression", "--storage.tsdb.use-lockfile") as peer:
            wait_until(lambda: http_ok(port, "/-/ready"), what="Prometheus")
            for begin in range(0, 500, 100):
                status, body = remote_write.send(port, "/api/v1/write", [(labels, rows[begin:begin + 100]) for labels, rows in sent])[:2]
                expect_equal(status // 100, 2, f"remote write: {body}")
            # While it is at work its folder is refused, and a snapshot, whose head is a block, is not.
            with Server(folder / "two", *QUIET) as server:
                online = ("--server", server.url)
                done = tidemark("admin", "import", "prometheus", "prom", folder / "tsdb", *online, code=2)
                expect("a Prometheus is at work in it" in done.stderr, done.stderr)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", "/api/v1/admin/tsdb/snapshot")
                name = json.loads(connection.getresponse().read())["data"]["name"]
                done = tidemark("admin", "import", "prometheus", "prom", folder / "tsdb" / "snapshots" / name, *online)
                expect("2,500 of 2,500 points" in done.stdout, done.stdout)
        # Older samples as blocks, beside the log.
        old = "# TYPE old gauge\n" + "".join(f"old{{n=\"{n}\"}} {i * 0.1} {T0 + i * 15}\n" for n in range(3) for i in range(2000))
        (folder / "old.txt").write_text(old + "# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "old.txt"), str(folder / "tsdb")],
                       check=True, stdout=subprocess.DEVNULL)
        with Server(folder / "one", *QUIET) as server:
            online = ("--server", server.url)
            done = tidemark("admin", "import", "prometheus", "prom", folder / "tsdb", "--state", folder / "state", *online)
            total = 5 * 500 + 3 * 2000
            expect(f"{total:,} of {total:,} points" in done.stdout, done.stdout)
            stored = {}
            rows = server.request("GET", "/api/v1/rows?db=prom&match[]=%7B__name__!=%22%22%7D", timeout=120).body.decode()
            for line in map(json.loads, rows.splitlines()):
                if "end" in line:
                    continue
                series = stored.setdefault(json.dumps(line["labels"], sort_keys=True), {})
                series.update(zip(line["times_ns"], line["values"]))
            for labels, values in sent:
                want = {ms * 1_000_000: "stale" if remote_write.is_stale(v) else "+Inf" if v == float("inf") else v for ms, v in values}
                expect_equal(stored[json.dumps(labels, sort_keys=True)], want, f"{labels}")
            for n in range(3):
                want = {(T0 + i * 15) * 10**9: i * 0.1 for i in range(2000)}
                got = stored[json.dumps({"__name__": "old", "n": str(n)}, sort_keys=True)]
                expect(set(got) == set(want) and all(abs(got[t] - want[t]) < 1e-9 for t in want), f"old {n}")
            want = hash_of(online, "prom")
            expect_equal(server.stop(), 0, "exit code")
        tidemark("admin", "import", "prometheus", "again", folder / "tsdb", "--data", folder / "one")
        expect_equal(hash_of(("--data", folder / "one"), "again"), want, "offline")


def test_victoriametrics_gives_every_sample():
    if not shutil.which("victoria-metrics"):
        print("victoria-metrics is not installed")
        return
    with temporary_folder() as folder:
        port = free_port()
        with Peer(folder, "victoria-metrics", f"-storageDataPath={folder}/vm", f"-httpListenAddr=127.0.0.1:{port}",
                  "-retentionPeriod=100y", "-search.latencyOffset=0s") as peer:
            wait_until(lambda: http_ok(port, "/health"), what="VictoriaMetrics")
            sent = samples_for(500, int(time.time() * 1000) // 1000 * 1000)
            status, body = remote_write.send(port, "/api/v1/write", sent)[:2]
            expect_equal(status // 100, 2, f"remote write: {body}")
            # What it has taken is found a moment later.
            total = 5 * 500

            def exported():
                http_ok(port, "/internal/force_flush")
                body = http_ok(port, "/api/v1/export?match[]=%7B__name__!=%22%22%7D") or b""
                return body if body.count(b"\n") and sum(line.count(b",") for line in body.splitlines()) else None
            text = wait_until(exported, what="an export")
        (folder / "export.jsonl").write_bytes(text)
        count = text.count(b"\n")
        points = sum(len(line.split(b'"timestamps":[')[1].split(b"]")[0].split(b",")) for line in text.splitlines())
        expect(count >= 5 and points >= total - 60, f"{count} lines, {points} points")
        with Server(folder / "one", *QUIET) as server:
            done = tidemark("admin", "import", "victoriametrics", "vm", folder / "export.jsonl", "--server", server.url)
            expect(f"{points:,} of {points:,} points" in done.stdout, done.stdout)
            expect_equal(hash_of(("--server", server.url), "vm")[0], points, "points")
            # Value by value: its numbers are as it prints them, infinities bare.
            stored = {}
            rows = server.request("GET", "/api/v1/rows?db=vm&match[]=%7B__name__!=%22%22%7D", timeout=120).body.decode()
            for line in map(json.loads, rows.splitlines()):
                if "end" not in line:
                    stored.setdefault(json.dumps(line["labels"], sort_keys=True), {}).update(zip(line["times_ns"], map(float, line["values"])))
            for line in text.decode().splitlines():
                one = json.loads(re.sub(r"\+?Inf\b", "Infinity", line))
                series = stored[json.dumps(one["metric"], sort_keys=True)]
                for ms, value in zip(one["timestamps"], one["values"]):
                    got = series[ms * 1_000_000]
                    expect(got != got if value is None else got == value, f"{one['metric']} at {ms}: {got}, and not {value}")


def test_influxdb_reads_what_is_exported_as_line_protocol():
    if not shutil.which("influxd"):
        print("influxd is not installed")
        return
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        lines = "".join(f"m\\ 1,host=a\\,b\\=c\\ d f={i * 0.1},n={i}i,ok={'true' if i % 2 else 'false'},s=\"x\\\"y\\\\ {i}\" {T0 + i}000000001\n"
                        for i in range(500))
        expect_equal(server.write(lines, db="db").status, 204, "a write")
        tidemark("admin", "export", "db", "--to", folder / "a.lp", "--server", server.url)
        port = free_port()
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "INFLUXDB_DATA_DIR": f"{folder}/i/data", "INFLUXDB_META_DIR": f"{folder}/i/meta",
                       "INFLUXDB_DATA_WAL_DIR": f"{folder}/i/wal", "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
                       "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}", "INFLUXDB_REPORTING_DISABLED": "true"}
        (folder / "influxd.conf").write_text("")
        with Peer(folder, "influxd", "run", "-config", str(folder / "influxd.conf"), environment=environment):
            wait_until(lambda: http_ok(port, "/ping") is not None, what="InfluxDB")

            def post(path, body):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", path, body)
                reply = connection.getresponse()
                return reply.status, reply.read()
            expect_equal(post("/query?q=CREATE+DATABASE+db", "")[0], 200, "a database")
            status, body = post("/write?db=db", (folder / "a.lp").read_bytes())
            expect_equal((status, body), (204, b""), "what InfluxDB says of the export")
            answer = json.loads(http_ok(port, "/query?db=db&epoch=ns&q=SELECT+*+FROM+%22m+1%22"))
            columns, rows = (answer["results"][0]["series"][0][key] for key in ("columns", "values"))
            got = [dict(zip(columns, row)) for row in rows]
            want = [{"time": (T0 + i) * 10**9 + 1, "host": "a,b=c d", "f": float(f"{i * 0.1}"), "n": i, "ok": bool(i % 2), "s": f'x"y\\ {i}'}
                    for i in range(500)]
            expect_equal(got, want, "rows")


def test_an_export_of_influx_inspect_goes_into_its_databases():
    with temporary_folder() as folder, Server(folder / "one", *QUIET) as server:
        (folder / "export").write_text(
            "# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z\n# DDL\nCREATE DATABASE one WITH NAME autogen\n"
            "CREATE DATABASE two WITH NAME autogen\n# DML\n# CONTEXT-DATABASE:one\n# CONTEXT-RETENTION-POLICY:autogen\n"
            "# writing tsm data\n" + "".join(f"cpu,host=a\\ b value={i},n={i}i,s=\"x\\\"y\" {T0 + i}000000000\n" for i in range(1000)) +
            "# CONTEXT-DATABASE:two\n# CONTEXT-RETENTION-POLICY:autogen\nmem value=true 1\n"
            "# CONTEXT-DATABASE:two\n# CONTEXT-RETENTION-POLICY:two_weeks\nmem value=false 1\n")
        done = tidemark("admin", "import", "influxdb", folder / "export", "--server", server.url)
        other = tidemark("admin", "import", "influxdb", folder / "export", "--db", "all", "--server", server.url)
        expect("compared with \"all\": 3,001 of 3,001 points" in other.stdout, other.stdout)
        expect("compared with \"one\": 3,000 of 3,000 points" in done.stdout, done.stdout)
        expect("compared with \"two\": 1 of 1 points" in done.stdout, done.stdout)
        expect("compared with \"two.two_weeks\": 1 of 1 points" in done.stdout, done.stdout)


if __name__ == "__main__":
    run_tests(globals())
