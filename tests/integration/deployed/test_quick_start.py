"""What a newcomer does first, as the README says it: the help of tools/run, the line after the start, the first pipeline, with and without
a server, and what `exec history` tells of it afterwards."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, HERE, Server, expect, expect_equal, run_tests, temporary_folder  # noqa: E402

ROOT = HERE.parents[1]
HELLO = ROOT / "tools/demo/hello.yaml"


def tidemark(folder, *arguments, server=None):
    environment = {name: value for name, value in os.environ.items() if name != "TIDEMARK_SERVER"}
    if server:
        environment["TIDEMARK_SERVER"] = server
    return subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, text=True, timeout=400, cwd=folder,
                          env=environment)


def test_the_readme_begins_with_what_ships():
    text = (ROOT / "README.md").read_text()
    first = re.search(r"tidemark exec run (\S+)", text)
    expect_equal(first and first.group(1), "tools/demo/hello.yaml", "the first pipeline")
    picture = re.search(r"!\[[^]]+\]\(([^)]+)\)", text)
    expect(picture and (ROOT / picture.group(1)).is_file(), "the README has no picture")


def test_the_help_of_run_starts_nothing():
    with temporary_folder() as folder:
        # With no program but the one that it prints its head with, it could start nothing.
        (folder / "bin").mkdir()
        (folder / "bin/sed").symlink_to("/usr/bin/sed")
        for word in ("--help", "-h"):
            done = subprocess.run(["/bin/bash", str(ROOT / "tools/run"), word], capture_output=True, text=True, timeout=400,
                                  env={"PATH": str(folder / "bin"), "TIDEMARK_DATA": str(folder / "data")})
            expect_equal(done.returncode, 0, done.stderr)
            for part in ("Usage: tools/run", "TIDEMARK_DATA", "/dashboard", "tidemarkd --help"):
                expect(part in done.stdout, f"{part} is not in\n{done.stdout}")
        expect(not (folder / "data").exists(), "a help made a data directory")


def test_the_line_after_the_start_names_the_page():
    with temporary_folder() as folder:
        process = subprocess.Popen([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "127.0.0.1:0", "--host-metrics", "off"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            port = re.search(r"listening on http://127\.0\.0\.1:(\d+)", lines[0])
            expect(port, lines)
            expect_equal(lines[1], f"the dashboard is http://127.0.0.1:{port.group(1)}/dashboard\n", "the second line")
        finally:
            process.kill()
            process.wait()


def test_the_first_pipeline():
    text = HELLO.read_text()
    expect(not re.search(r"\b(apt|apt-get|sudo|pip|npm|cmake|ninja|curl)\b", text), "it installs or builds something")
    sleeps = sum(float(seconds) for seconds in re.findall(r"sleep ([0-9.]+)", text))
    expect(sleeps < 5, f"one after the other its tasks sleep {sleeps} s")
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        state = ["--state-dir", folder / "state"]
        done = tidemark(folder, "exec", "run", HELLO, *state, server=server.url)
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
        expect_equal(len(re.findall(r"\bWARN\b", done.stdout)), 1, f"warnings\n{done.stdout}")
        expect("reports nowhere" not in done.stderr, done.stderr)
        run, = server.query('exec_run_success{pipeline="hello"}', db="_exec")
        expect_equal(float(run["value"][1]), 1.0, "its success")
        # The same words find it again, without a flag.
        history = tidemark(folder, "exec", "history", server=server.url)
        expect(history.returncode == 0 and "hello" in history.stdout, history.stdout + history.stderr)
        expect_equal(sorted(os.listdir(folder)), ["data", "data.log", "state"], "what it left in the folder that it ran in")


def test_without_a_server_it_says_so():
    with temporary_folder() as folder:
        done = tidemark(folder, "exec", "run", HELLO, "--state-dir", folder / "state")
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
        expect("this run reports nowhere: --server URL, TIDEMARK_SERVER or --data DIR would keep it" in done.stderr, done.stderr)


run_tests(globals())
