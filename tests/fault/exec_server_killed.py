"""The server of a run is killed and restarted while it runs: what the server has in the end is the run's own ledger.

The ledger is written by the tasks (a line per execution, with their names) and by the executor (how many rows it
reported). Each row carries the run's id once, so rows can be counted at the server: fewer are lost rows, more are rows
delivered twice.

  exec_server_killed.py BIN_FOLDER
"""
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import BIN, StableServer, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402

SEED = int(os.environ.get("TIDEMARK_TEST_SEED", random.randrange(1 << 32)))
TASKS = 60


def pipeline(folder, name, tasks=TASKS):
    lines = [f"name: {name}", f"environment: {{LEDGER: {folder}/{name}.ledger}}", "tasks:"]
    for i in range(tasks):
        # The second task of a pair waits for the first, so that no agent idles for long and none is done at once.
        needs = f", needs: [t{i - 1}]" if i % 2 else ""
        lines.append(f"  - {{name: t{i}, kind: k{i % 3}, command: 'echo t{i} >> \"$LEDGER\"; sleep 0.1'{needs}}}")
    file = folder / f"{name}.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def start_run(folder, file, server, *more):
    return subprocess.Popen([str(BIN / "tidemark"), "exec", "run", str(file), "--server", server.fixed_url, "--agents", "2",
                             "--state-dir", str(folder / "state"), *more],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def events(server, selector):
    target = "/api/v1/events?" + urllib.parse.urlencode({"db": "_exec", "match[]": selector, "limit": 100_000})
    reply = server.request("GET", target)
    return reply.json()["data"] if reply.status == 200 else []


def ledger(folder, name):
    path = folder / f"{name}.ledger"
    return sorted(path.read_text().split()) if path.exists() else []


def rows(server, name):
    return events(server, f'{{__name__=~"exec_.+_run_id",pipeline="{name}"}}')


def check(server, folder, name, said, tasks=TASKS, rows_of_others=0):
    reported = int(re.search(r"(\d+) rows of reports", said).group(1))
    expect("reports were not written" not in said, said)
    executed = ledger(folder, name)
    expect_equal(len(executed), tasks, "executions")
    of = f'pipeline="{name}"'
    got = rows(server, name)
    expect_equal(len({e["text"] for e in got}), 1, "run ids")
    expect_equal(len(got) + rows_of_others, reported, "rows at the server")
    names = sorted(e["text"] for e in events(server, f"exec_task_task{{{of}}}"))
    expect_equal(names, executed, "tasks at the server")
    told = collections.Counter(re.sub(r" in .*", "", e["text"]) for e in events(server, f"exec_event_text{{{of}}}"))
    for task in executed:
        done = [n for text, n in told.items() if re.fullmatch(rf"Agent-\d: {task} completed", text)]
        expect_equal(done, [1], f"words about {task}")
    total = server.query(f"sum(sum_over_time(exec_task_last_attempt{{{of}}}[1d]))", db="_exec")
    expect_equal(total[0]["value"][1], str(tasks), "last attempts")
    totals = server.query(f"last_over_time(exec_run_tasks_succeeded{{{of}}}[1d])", db="_exec")
    expect_equal([s["value"][1] for s in totals], [str(tasks)], "succeeded tasks of the run")


def spooled(folder):
    return [p for p in (folder / "state" / "spool").rglob("*.spool")]


def deliver_the_rest(server, folder):
    """The last wait of the back-off may be longer than the end of the run: whoever comes next delivers."""
    def history():
        if spooled(folder):
            subprocess.run([str(BIN / "tidemark"), "exec", "history", "--server", server.fixed_url, "--state-dir",
                            str(folder / "state")], check=True, capture_output=True, timeout=120)
        return not spooled(folder)
    wait_until(history, what="an empty spool")


def test_the_server_is_killed_in_the_middle_of_a_run():
    dice = random.Random(SEED)
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        with server:
            run = start_run(folder, pipeline(folder, "killed"), server)
            # Each time a few more tasks are done the server goes, and comes back a few tasks later.
            done = 0
            kills = 0
            while run.poll() is None and done < TASKS - 12:
                done += dice.randrange(2, 8)
                wait_until(lambda: len(ledger(folder, "killed")) >= done or run.poll() is not None, what="tasks")
                if dice.random() < 0.5:
                    # In the middle of what it is being told.
                    wait_until(lambda: rows(server, "killed") or run.poll() is not None, what="the first rows")
                server.kill()
                kills += 1
                done += dice.randrange(2, 8)
                wait_until(lambda: len(ledger(folder, "killed")) >= min(done, TASKS) or run.poll() is not None, what="tasks")
                server.start()
            said = run.communicate(timeout=120)[0]
            expect_equal(run.returncode, 0, said)
            expect(kills >= 2, f"the server was killed only {kills} times")
            deliver_the_rest(server, folder)
            check(server, folder, "killed", said)


def test_the_server_is_away_for_the_whole_run_and_dies_while_it_is_told():
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        run = start_run(folder, pipeline(folder, "away"), server)
        said = run.communicate(timeout=120)[0]
        expect_equal(run.returncode, 0, said)
        expect("reports wait in" in said, said)
        expect(spooled(folder), "nothing was spooled")
        # The next program delivers, to a server that dies on the way and comes back.
        with server:
            second = start_run(folder, pipeline(folder, "next", 20), server)
            wait_until(lambda: rows(server, "away") or second.poll() is not None, what="the first rows")
            server.kill()
            server.start()
            more = second.communicate(timeout=120)[0]
            expect_equal(second.returncode, 0, more)
            deliver_the_rest(server, folder)
            check(server, folder, "away", said)
            check(server, folder, "next", more, 20)
            # And it outlives the server once more.
            server.kill()
            server.start()
            check(server, folder, "away", said)


def test_a_killed_executor_has_lost_nothing_that_it_had_reported():
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        run = start_run(folder, pipeline(folder, "dies"), server)
        def safe():
            """Tasks whose end lies on disk."""
            text = b"".join(p.read_bytes() for p in spooled(folder)).decode(errors="replace")
            # A record's first line stands right behind its header.
            return set(re.findall(r'exec_task,[^\n]*?[ ,]task="(t\d+)"', text))
        wait_until(lambda: len(safe()) >= 10, what="tasks that are told")
        run.kill()
        run.communicate()
        before, started = safe(), set(ledger(folder, "dies"))
        with server:
            after = start_run(folder, pipeline(folder, "after", 2), server)
            said = after.communicate(timeout=120)[0]
            expect("of dies was interrupted" in said, said)
            deliver_the_rest(server, folder)
            names = [e["text"] for e in events(server, 'exec_task_task{pipeline="dies"}')]
            expect_equal(len(names), len(set(names)), f"tasks that were told twice in {sorted(names)}")
            expect(before <= set(names) <= started, f"{sorted(names)} are told, {sorted(before)} were safe")
            # The row that tells of the interrupted run is one of its own.
            check(server, folder, "after", said, 2, rows_of_others=1)


print(f"seed {SEED} (TIDEMARK_TEST_SEED repeats it)", flush=True)
run_tests(globals())
