"""The figures of the dashboard card: every query of executor/CARD.md after real runs, against what the runs did.

The ledger is written by the tasks themselves: a line per execution, with times taken by the tasks.
"""
import pathlib
import re
import subprocess
import urllib.parse

from harness import BIN, HERE, Server, expect, expect_equal, run_tests, temporary_folder, wait_until

CARD = HERE.parents[1] / "executor" / "CARD.md"
PIPELINE = """
name: card
environment: {LEDGER: %s}
tasks:
  - {name: build, kind: build, command: &work 'echo $$ >> "$LEDGER"; sleep 0.25; head -c 20000000 /dev/zero | tail -c 1 > /dev/null'}
  - {name: unit, kind: test, command: *work, needs: [build]}
  - {name: fuzz, kind: test, command: *work, needs: [build]}
  - {name: lint, kind: lint, command: 'echo $$ >> "$LEDGER"; echo 0 issues', gate: {regex: '([0-9]+) issues', unit: issues, fail: '> 0'}}
  - {name: coverage, kind: coverage, command: 'echo $$ >> "$LEDGER"; echo "progress: 78%%"; echo "{\\"lines\\": 84.2}" > "$LEDGER.json"',
     gate: {json: lines, file: %s, unit: '%%', warn: '< 85', fail: '< 70'}}
"""
TASKS = 5


def queries():
    """name -> (database, kind, query), from the tables."""
    rows = {}
    for line in CARD.read_text().splitlines():
        match = re.fullmatch(r"\| (\w+) \| [^|]+ \| (\w+) \| (promql|events) \| `([^`]+)` \|", line)
        if match:
            name, database, kind, query = match.groups()
            expect(name not in rows, f"{name} stands in two rows")
            expect("$" not in query, f"{name} cannot be pasted: {query}")
            rows[name] = (database, kind, query.replace('pipeline="hello"', 'pipeline="card"'))
        expect(match or not re.search(r"\| (promql|events) \|", line), f"not understood: {line}")
    return rows


def tidemark(*arguments, code=0):
    done = subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    expect_equal(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def test_every_figure_of_the_card():
    with temporary_folder() as folder, Server(folder / "data") as server:
        ledger = folder / "ledger"
        file = folder / "card.yaml"
        file.write_text(PIPELINE % (ledger, str(ledger) + ".json"))
        common = ["--server", server.url, "--state-dir", folder / "state"]
        tidemark("exec", "run", file, "--sequential", *common)
        expect_equal(len(ledger.read_text().split()), TASKS, "executions of the sequential run")
        table = tidemark("exec", "compare", file, "--agents", 2, *common)
        expect(re.search(r"^2 agents\s+[0-9.]+\s+[0-9.]+x", table, re.M), table)
        tidemark("exec", "compare", file, "--vary", "CACHE=on,off", "--agents", 2, *common)
        # Last, so that its baseline is the newest sequential run: that of the comparison.
        said = tidemark("exec", "run", file, "--agents", 2, "--memory-budget", "2GB", *common)
        expect("gate of coverage: WARN (84.2% < 85%)" in said, said)
        expect("reports were not written" not in said, said)
        expect_equal(len(ledger.read_text().split()), TASKS * 7, "executions of all runs")
        wait_until(lambda: server.query("disk_used_percent", db="_host"), what="a sample of the host")
        wait_until(lambda: server.query("rate(net_bytes_recv[1m])", db="_host"), what="two samples of the host")

        answers = {}
        rows = queries()
        expect(len(rows) > 50, f"only {len(rows)} queries in {CARD}")
        for name, (database, kind, query) in rows.items():
            if kind == "promql":
                answers[name] = server.query(query, db=database)
            else:
                target = "/api/v1/events?" + urllib.parse.urlencode({"db": database, "match[]": query})
                answers[name] = server.request("GET", target).json()["data"]
            expect(answers[name], f"{name}: nothing answers {query}")

        def number(name):
            expect_equal(len(answers[name]), 1, f"series of {name}")
            return float(answers[name][0]["value"][1])

        def by(name, *labels):
            return {"/".join(s["metric"][label] for label in labels): float(s["value"][1]) for s in answers[name]}

        # Tasks: what ran is what was written down.
        expect_equal(sum(by("agent_tasks", "agent").values()), TASKS, "tasks of all agents")
        matrix = by("matrix", "agent", "kind")
        kinds = {}
        for place, count in matrix.items():
            kinds[place.split("/")[1]] = kinds.get(place.split("/")[1], 0) + count
        expect_equal(kinds, {"build": 1, "test": 2, "lint": 1, "coverage": 1}, "tasks by kind")
        expect_equal((number("running"), number("queued"), number("complete")), (0, 0, TASKS), "running, queued, complete")
        # Times: three tasks sleep for 0.25 s each, in parallel two of them at once.
        times = by("times", "pipeline", "mode")
        sequential, parallel = times["card/sequential"], times["card/parallel"]
        expect(sequential >= 0.75 and parallel >= 0.5, times)
        expect_equal(number("baseline"), sequential, "the baseline")
        expect(abs(number("speedup") - sequential / parallel) < 0.01, f"speedup {number('speedup')}")
        expect(abs(number("efficiency") - sequential / parallel / 2) < 0.01, "efficiency")
        expect(abs(number("improvement") - (sequential / parallel - 1) * 100) < 1, "improvement")
        expect(abs(number("throughput") - TASKS / parallel) < 0.01 * TASKS / parallel, "throughput")
        expect(abs(number("throughput_sequential") - TASKS / sequential) < 0.01 * TASKS / sequential, "sequential throughput")
        expect(abs(number("ci_time") - (parallel / sequential - 1)) < 0.01, "ci time")
        for name in ("kind_sequential", "kind_parallel"):
            means = by(name, "kind")
            expect(means["build"] >= 0.25 and means["test"] >= 0.25 and means["lint"] < means["build"], means)
        expect(0 < number("serial_share") <= 1, "serial share")
        expect(number("serial_share") >= 0.25 / parallel * 0.5, "the build runs with little beside it")
        for name in ("io_wait", "lock_contention"):
            expect(0 <= number(name) < 1, f"{name} {number(name)}")
        expect(0 < number("agent_init") < number("first_task") < 5, "agent init")
        expect(0 <= number("channel_setup") < number("first_task"), "channel set-up")
        expect_equal(set(by("scalability", "agents")), {"1", "2"}, "points of the curve")
        # Resources.
        expect_equal(number("memory_budget"), 2 * 1000 ** 3, "budget")
        expect(number("memory_total") > 0, "memory of the agents")
        expect_equal(set(by("agent_memory", "agent")), {"Agent-1", "Agent-2"}, "agents with memory")
        expect(all(0 <= busy <= 100 for busy in by("cores", "cpu").values()), "cores")
        after = [float(v) for _, v in answers["pattern_after"][0]["values"]]
        expect(after == sorted(after) and after[-1] <= parallel + 1, after)
        expect(len(after) >= 3, f"samples every 100 ms of {parallel} s: {after}")
        expect(number("pressure") in (0, 1, 2), "pressure")
        # Gates.
        expect_equal(by("gates", "kind"), {"build": 0, "test": 0, "lint": 0, "coverage": 1}, "gates")
        expect_equal(by("gate_numbers", "kind"), {"lint": 0, "coverage": 84.2}, "numbers of gates")
        expect_equal(sorted(e["text"] for e in answers["gate_reasons"]), ["0 issues", "84.2% < 85%"], "reasons of gates")
        # The stream.
        texts = [e["text"] for e in answers["stream"]]
        for pattern in (r"Agent-\d: starting build", r"Agent-\d: build completed in \d+ ms",
                        r"Agent-\d: lint completed in \d+ \w+, 0 issues", r"Agent-\d: coverage in progress\.\.\. 78%",
                        r"System: quality gate PASSED: 4 passed, 1 warned, 0 failed"):
            expect(any(re.fullmatch(pattern, text) for text in texts), f"{pattern} is not in {texts}")
        expect_equal(number("week_failures"), 0, "failures")
        expect_equal(number("uptime"), 1, "uptime of a server that was never away")
        expect_equal(number("error_rate"), 0, "change of the error rate")
        expect(abs(number("week_avg") - parallel) < 1e-6, "one run is the week's average")

        history = tidemark("exec", "history", "--server", server.url, "--pipeline", "card").splitlines()
        expect_equal(len(history), 7, f"runs in {history}")
        expect("sequential" in history[-1], history)


def test_the_tasks_of_one_run():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        file = folder / "two.yaml"
        file.write_text("name: two\ntasks:\n  - {name: a, kind: build, command: sleep 0.2}\n"
                        "  - {name: b, kind: test, command: sleep 0.2, needs: [a]}\n")
        common = ["--server", server.url, "--state-dir", folder / "state"]
        for _ in range(2):
            tidemark("exec", "run", file, "--agents", 1, *common)
        lines = tidemark("exec", "history", *common).splitlines()
        expect_equal(len(lines), 2, lines)
        expect(all("~" in line for line in lines), f"speedups that are estimates: {lines}")
        for line in lines:
            run = re.search(r"\b[0-9a-f]{16}-[0-9a-f]{8}\b", line).group(0)
            shown = tidemark("exec", "history", "--run", run, *common)
            seconds = [float(row.split()[-1]) for row in shown.splitlines() if "succeeded" in row]
            expect(len(seconds) == 2 and all(0.2 <= s < 5 for s in seconds), shown)
            expect(re.search(r"^build +1$", shown, re.M) and re.search(r"^test +1$", shown, re.M), shown)
        tidemark("exec", "history", "--run", "nosuch", *common, code=1)


def test_failures_and_interrupted_runs_are_told():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        file = folder / "bad.yaml"
        file.write_text("""
name: bad
tasks:
  - {name: low, kind: coverage, command: echo 60, gate: {regex: '[0-9]+', unit: '%', fail: '< 70'}}
  - {name: fine, kind: test, command: 'true'}
""")
        common = ["--server", server.url, "--state-dir", folder / "state"]
        tidemark("exec", "run", file, *common, code=1)
        levels = {s["metric"]["kind"]: s["value"][1] for s in server.query("last_over_time(exec_gate_level[1d])", db="_exec")}
        expect_equal(levels, {"coverage": "2", "test": "0"}, "levels of gates")

        hang = folder / "hang.yaml"
        hang.write_text(f"name: hang\ntasks:\n  - {{name: stuck, command: 'echo $$ > {folder}/pid; exec sleep 1000'}}\n")
        executor = subprocess.Popen([str(BIN / "tidemark"), "exec", "run", str(hang), *map(str, common)],
                                    stdout=subprocess.DEVNULL)
        pid = int(wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip(), what="the task"))
        executor.kill()
        executor.wait()
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}/environ").exists() or
                   "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0],
                   what="the guard to end the task")
        said = tidemark("exec", "run", file, *common, code=1)
        expect("of hang was interrupted after 0 of 1 tasks; running: stuck" in said, said)
        target = "/api/v1/events?" + urllib.parse.urlencode({"db": "_exec", "match[]": 'exec_run_outcome{pipeline="hang"}'})
        expect_equal([e["text"] for e in server.request("GET", target).json()["data"]], ["interrupted"], "outcome")


def test_a_data_directory_without_a_server():
    with temporary_folder() as folder:
        ledger = folder / "ledger"
        file = folder / "card.yaml"
        file.write_text(PIPELINE % (ledger, str(ledger) + ".json"))
        data = folder / "data"
        common = ["--data", data, "--state-dir", folder / "state"]
        first = tidemark("exec", "run", file, "--sequential", "--label", "era=v1", *common)
        second = tidemark("exec", "run", file, "--agents", 2, "--label", "era=v2", *common)
        history = tidemark("exec", "history", "--data", data, "--pipeline", "card").splitlines()
        expect_equal(len(history), 2, history)
        expect('era="v2"' in history[0] and "parallel" in history[0] and "succeeded" in history[0], history)
        expect('era="v1"' in history[1] and "sequential" in history[1], history)
        both = subprocess.run([str(BIN / "tidemark"), "exec", "run", str(file), "--data", str(data), "--server", "http://127.0.0.1:1"],
                              capture_output=True, text=True)
        expect_equal(both.returncode, 2, both.stderr)
        rows = sum(int(re.search(r"(\d+) rows of reports", said).group(1)) for said in (first, second))
        with Server(data) as server:
            # The server takes the directory over, and the directory is its own from then on.
            taken = subprocess.run([str(BIN / "tidemark"), "exec", "history", "--data", str(data)], capture_output=True, text=True)
            expect_equal(taken.returncode, 1, taken.stdout)
            expect("--server" in taken.stderr, taken.stderr)
            target = "/api/v1/events?" + urllib.parse.urlencode(
                {"db": "_exec", "match[]": '{__name__=~"exec_.+_run_id",pipeline="card"}', "limit": 100_000})
            # One row, the baseline, is in a database of its own.
            expect_equal(len(server.request("GET", target).json()["data"]), rows - 1, "rows of both runs")
            expect_equal(len(server.query("exec_baseline_seconds", db="_exec_baselines")), 1, "baselines")


run_tests(globals())
