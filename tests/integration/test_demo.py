"""tidemark demo: the simulated backend feeds a real server, and every query of tools/demo/README.md has its answer. Nothing here depends
on the minute in which it runs, nor on how fast: figures are asked for at the time of the newest sample, and those that an incident
changes over a day."""
import re
import signal
import subprocess
import time

from harness import BIN, HERE, Server, expect, expect_equal, run_tests, temporary_folder, wait_until

ROOT = HERE.parents[1]


def demo(*arguments, timeout=500):
    return subprocess.run([str(BIN / "tidemark"), "demo", *arguments], capture_output=True, text=True, timeout=timeout)


def queries():
    """(figure, database, query) of each row of the table in tools/demo/README.md."""
    text = (ROOT / "tools/demo/README.md").read_text().split("## The card's figures")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (dce|_exec) \| `(.+?)` \|", text, re.M)
    expect(len(rows) >= 30, f"only {len(rows)} queries found in tools/demo/README.md")
    return [(figure, db, query.replace("\\|", "|")) for figure, db, query in rows]


def number(result):
    return float(result[0]["value"][1])


def newest(server, metric, db):
    """The time of the newest sample."""
    return number(server.query(f"max(timestamp(last_over_time({metric}[1h])))", db=db, time=time.time()))


def test_the_story_is_as_documented():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        done = demo("backend", "--server", server.url, "--history", "6w", "--history-step", "4m", "--history-only")
        expect_equal(done.returncode, 0, done.stderr[-2000:])
        expect(re.search(r"\d+ rows delivered, 0 refused, 0 lost, 0 in the spool", done.stderr), done.stderr[-500:])
        answers = {}
        now = newest(server, "dce_component_status", "dce")
        for figure, db, query in queries():
            # Samples of the past are four minutes apart here, so that a rate needs more than five.
            answers[figure] = server.query(query.replace("[5m]", "[15m]"), db=db, time=now)
            expect(answers[figure], f"{figure} has no answer: {query}")
            for series in answers[figure]:
                expect(series["value"][1] not in ("NaN", "+Inf", "-Inf"), f"{figure}: {series}")
        # Incidents, which may be going on now, are minutes of a day.
        routing = dict((figure, query) for figure, _, query in queries())["Call routing, P50"].replace("[5m]", "[15m]")
        usual = number(server.query(f"quantile_over_time(0.5, ({routing})[1d:5m])", db="dce", time=now))
        expect(0.35 < usual < 0.45, f"usually {usual} ms, now {answers['Call routing, P50']}")
        eras = {s["metric"]["era"]: float(s["value"][1]) for s in answers["Trend: average run"]}
        for era, seconds in {"sequential": 12.4, "v1": 4.4, "v2": 2.4, "v3": 1.7, "v4": 1.4}.items():
            expect(abs(eras[era] / seconds - 1) < 0.03, f"{era}: {eras[era]}")
        expect_equal(len(answers["Components: status"]), 7, "components")
        expect_equal(len(answers["API response by method, P99"]), 4, "methods")
        expect_equal(number(answers["Coverage"]), 84.2, "coverage")
        events = server.request("GET", "/api/v1/events?db=dce&match[]=dce_event_text&limit=1000").json()["data"]
        expect(any("RESOLVED" in event["text"] for event in events), "no incident ended in six weeks")


def test_a_live_backend_and_its_goals():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        done = demo("backend", "--server", server.url, "--rate", "20", "--for", "3s", "--db", "live")
        expect_equal(done.returncode, 0, done.stderr)
        now = newest(server, "dce_component_status", "live")
        samples = server.query('count_over_time(dce_component_cpu_percent{component="fraud"}[1m])', db="live", time=now)
        expect_equal(number(samples), 60, "samples")
        goals = folder / "goals.yaml"
        goals.write_text("""
database: live
goals:
  - {name: up, query: 'count(dce_component_status)', target: 6.5, direction: above}
  - {name: near, query: 'sum(dce_connections_capacity)', target: 210000, direction: above, tolerance: 10%}
values: [{name: capacity, query: 'dce_connections_capacity'}]
prices: {each: 0.5}
savings: [{name: half, formula: capacity * each - 1, unit: USD}]
""")
        done = demo("goals", str(goals), "--server", server.url)
        expect_equal(done.returncode, 0, done.stderr)
        for part in ("up", "OK", "WARN", "half: 99999 USD", "= capacity * each - 1", "= 200000 * 0.5 - 1", "status: GOOD"):
            expect(part in done.stdout, f"{part!r} is not in\n{done.stdout}")
        # Later there is no data, and before there was none.
        done = demo("goals", str(goals), "--server", server.url, "--time", "-1d")
        expect_equal(done.returncode, 1, "exit code without data")
        expect("NO DATA" in done.stdout and "status: UNKNOWN" in done.stdout, done.stdout)
        goals.write_text("goals: [{name: a, query: 'sum(', target: 1, direction: below}]")
        done = demo("goals", str(goals), "--server", server.url)
        expect(done.returncode == 1 and "goals.yaml:1:26:" in done.stderr, done.stderr)


def test_rates_do_not_sag_where_the_past_meets_the_present():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        done = demo("backend", "--server", server.url, "--history", "26h", "--for", "2s")
        expect_equal(done.returncode, 0, done.stderr[-2000:])
        # Where no run of errors has changed the load within the window, the counter's rate is the gauge's mean.
        rate = 'rate(dce_component_requests_total[5m])'
        gauge = 'avg_over_time(dce_component_throughput_per_second[5m])'
        end = int(newest(server, "dce_component_status", "dce"))
        series = server.query(f"{rate} / {gauge} and max_over_time(dce_component_status[6m]) < 2", db="dce",
                              start=end - 3600, end=end, step=7)
        values = [float(v) for s in series for _, v in s["values"]]
        expect(len(values) > 1000, f"only {len(values)} values")
        expect(0.96 < min(values) and max(values) < 1.04, f"rate beside gauge from {min(values)} to {max(values)}")
        events = server.request("GET", "/api/v1/events?db=dce&match[]=dce_event_text&limit=1000").json()["data"]
        for words in ("deployed successfully", "Auto-scaling triggered"):
            expect(any(words in event["text"] for event in events), f"no event of a day says {words}")


def test_what_was_held_up_leaves_no_hole():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        running = subprocess.Popen([str(BIN / "tidemark"), "demo", "backend", "--server", server.url, "--rate", "10", "--for", "6s"],
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: server.query("dce_component_status", db="dce"), what="the first sample")
        running.send_signal(signal.SIGSTOP)
        time.sleep(2)
        running.send_signal(signal.SIGCONT)
        _, said = running.communicate(timeout=500)
        expect_equal(running.returncode, 0, said)
        row, = server.query('dce_component_status{component="fraud"}[1h]', db="dce",
                            time=newest(server, "dce_component_status", "dce"))
        times = [at for at, _ in row["values"]]
        widest = max(later - earlier for earlier, later in zip(times, times[1:]))
        expect(len(times) == 60 and widest < 0.2, f"{len(times)} samples, {widest} s between two of them")


def test_the_first_incidents_raise_the_cards_alerts():
    """Incidents and `for` are a twentieth as long as usual, and windows a sixth; the rules are otherwise those that ship."""
    rules = (ROOT / "tools/demo/alerts.yaml").read_text()
    for long, brief in {"for: 30s": "for: 500ms", "for: 1m": "for: 1s", "for: 2m": "for: 2s", "for: 5m": "for: 5s", "interval: 5s": "interval: 250ms",
                        "[30s]": "[2s]", "[1m]": "[3s]"}.items():
        expect(long in rules, f"no {long} in tools/demo/alerts.yaml")
        rules = rules.replace(long, brief)
    with temporary_folder() as folder:
        (folder / "alerts.yaml").write_text(rules)
        with Server(folder / "data", "--host-metrics", "off", "--rules-files", str(folder / "alerts.yaml")) as server:
            done = demo("backend", "--server", server.url, "--rate", "10", "--incidents", "0.05", "--for", "40s")
            expect_equal(done.returncode, 0, done.stderr)
            seen = {}

            def history():
                done = subprocess.run([str(BIN / "tidemark"), "alert", "history", "--server", server.url], capture_output=True, text=True, timeout=100)
                for line in done.stdout.splitlines():
                    match = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?  (\w*) *  (\w+) .*", line)
                    expect(match, line)
                    seen.setdefault(match[2], set()).add(match[1])
                wanted = {"CallRoutingSlow": "WARN", "BidProcessingSlow": "WARN", "ApiResponseSlow": "WARN", "CpuHigh": "WARN", "CpuRaised": "WARN",
                          "AutoScaling": "INFO", "Deployed": "INFO"}
                return all({word, "RESOLVED"} <= seen.get(alert, set()) for alert, word in wanted.items())

            try:
                wait_until(history, seconds=20, what="each alert and its end")
            except Exception as error:
                raise AssertionError(f"seen: {seen}\n{server.log_text()}") from error


def test_a_server_that_is_away():
    with temporary_folder() as folder:
        done = demo("backend", "--server", "http://127.0.0.1:1", "--rate", "20", "--for", "1s", "--spool",
                    str(folder / "spool"), timeout=60)
        expect(re.search(r" 0 delivered|^0 rows delivered, 0 refused, 0 lost, [1-9]\d* in the spool", done.stderr, re.M),
               done.stderr)
        expect(done.returncode == 1 and "in the spool" in done.stderr, done.stderr)


run_tests(globals())
