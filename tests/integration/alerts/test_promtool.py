"""Prometheus' and VictoriaMetrics' own tools against the server: promtool asks, vmalert evaluates rules and writes back."""
import contextlib
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402

T0 = 1_700_000_000


def promtool(*arguments, stdin=None):
    run = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, timeout=60)
    expect_equal(run.returncode, 0, f"promtool {' '.join(arguments)}: {run.stderr.decode()[:2000]}")
    return run.stdout.decode()


@contextlib.contextmanager
def filled():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        lines = "".join(f"up,job={job} value={value} {T0 + i * 15}000000000\n"
                        for i in range(5) for job, value in (("a", i), ("b", 10)))
        expect_equal(server.write(lines, db="tools").status, 204, "write")
        yield server, f"{server.url}/db/tools"


def test_promtool_queries():
    with filled() as (_, url):
        out = promtool("query", "instant", "--time", str(T0 + 60), url, "up")
        expect_equal(sorted(out.split("\n")[:2]), [f'up{{job="a"}} => 4 @[{T0 + 60}]', f'up{{job="b"}} => 10 @[{T0 + 60}]'],
                     "instant")
        out = promtool("query", "range", "--start", str(T0), "--end", str(T0 + 60), "--step", "15s", url, "sum(up)")
        expect_equal(out.strip().split("\n"), ["{} =>"] + [f"{10 + i} @[{T0 + i * 15}]" for i in range(5)], "range")
        span = ["--start", str(T0), "--end", str(T0 + 60)]
        out = promtool("query", "series", "--match", 'up{job="a"}', *span, url)
        expect_equal(out.strip(), '{__name__="up", job="a"}', "series")
        expect_equal(promtool("query", "labels", *span, url, "job").split(), ["a", "b"], "labels")
        out = promtool("query", "-o", "json", "instant", "--time", str(T0 + 60), url, "vector(1)")
        expect('"1"' in out, out)


def test_promtool_accepts_our_metrics():
    with filled() as (server, _):
        text = server.request("GET", "/metrics").body
        promtool("check", "metrics", stdin=text)
        # Federated samples carry their own times; the text as such must be one that it reads.
        now = int(time.time())
        server.write(f'odd,path=a\\ b value=1 {now}000000000', db="tools")
        page = server.request("GET", "/db/tools/federate?match[]=odd")
        expect(page.body.startswith(b"# TYPE odd untyped\nodd{path="), page.body)
        run = subprocess.run(["promtool", "check", "metrics"], input=page.body, capture_output=True, timeout=60)
        expect(b"error while linting" not in run.stderr and b"parsing" not in run.stderr, run.stderr)
        # No series twice, neither of two spellings nor of names that are escaped to one, and no TYPE line twice.
        server.write(f"cpu,h=a user=1 {now}000000000\ncpu_user,h=a value=2 {now}000000000\n"
                     f"a.b,h=a value=1 {now}000000000\na_b,h=a value=2 {now}000000000", db="tools")
        page = server.request("GET", "/db/tools/federate?match[]={h=\"a\"}".replace("{", "%7B").replace("}", "%7D")
                              .replace('"', "%22"))
        expect(page.body.count(b"cpu_user{") == 1 and page.body.count(b"a_b{") == 1, page.body)
        run = subprocess.run(["promtool", "check", "metrics"], input=page.body, capture_output=True, timeout=60)
        expect(b"error while linting" not in run.stderr and b"parsing" not in run.stderr, run.stderr)


def test_vmalert_evaluates_rules_on_us():
    expect(shutil.which("vmalert"), "vmalert is missing: tools/dev/setup test")
    with filled() as (server, url), temporary_folder() as folder:
        (folder / "rules.yml").write_text("""groups:
  - name: g
    interval: 1s
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {from: vmalert}
      - alert: High
        expr: up > 5
        labels: {severity: page}
""")
        with open(folder / "vmalert.log", "wb") as log:
            vmalert = subprocess.Popen(
                ["vmalert", f"-rule={folder}/rules.yml", f"-datasource.url={url}", f"-remoteWrite.url={url}",
                 f"-remoteRead.url={url}", "-remoteWrite.flushInterval=200ms", "-evaluationInterval=1s",
                 "-datasource.queryTimeAlignment=false", "-notifier.url=http://127.0.0.1:1",
                 f"-httpListenAddr=127.0.0.1:{free_port()}"], stdout=log, stderr=log)
        try:
            def written(query):
                now = int(time.time())
                server.write(f"up,job=a value=1 {now}000000000\nup,job=b value=10 {now}000000000", db="tools")
                expect(vmalert.poll() is None, (folder / "vmalert.log").read_text()[-2000:])
                return server.query(query, db="tools")

            recorded = wait_until(lambda: written('job:up:sum{job="b"}'), what="a recorded series")
            expect_equal(recorded[0]["value"][1], "10", "its value")
            expect_equal(recorded[0]["metric"]["from"], "vmalert", "its label")
            alert = wait_until(lambda: written('ALERTS{alertname="High", alertstate="firing"}'), what="a firing alert")
            expect_equal({k: alert[0]["metric"][k] for k in ("job", "severity")}, {"job": "b", "severity": "page"},
                         "its labels")
            expect_equal(alert[0]["value"][1], "1", "its value")
        finally:
            vmalert.terminate()
            vmalert.wait(30)


run_tests(globals())
