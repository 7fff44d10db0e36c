"""What users and their scripts rely on is as it was: settings, limits, metric names, the help of the commands.

The files in surface/ say what it was. Who changes something on purpose runs this with --accept and commits the files
that changed with it; the routes are in tests/unit/tools/server/routes/routes.txt.
"""
import re
import subprocess
import sys

from harness import BIN, HERE, Server, expect, run_tests, short, temporary_folder

ACCEPT = "--accept" in sys.argv



def output_of(program, *arguments):
    run = subprocess.run([str(BIN / program), *arguments], capture_output=True, text=True, timeout=60, check=True,
                         env={"PATH": "/usr/bin:/bin"})
    return run.stdout.replace(str(BIN / program), program)


def compare(name, got):
    path = HERE / "surface" / name
    if ACCEPT:
        path.parent.mkdir(exist_ok=True)
        path.write_text(got, encoding="utf-8")
    want = path.read_text(encoding="utf-8").splitlines()
    lost = [line for line in want if line not in set(got.splitlines())]
    new = [line for line in got.splitlines() if line not in set(want)]
    expect(got.splitlines() == want, f"surface/{name}: gone: {short(lost)}; new: {short(new)}; else the order")


def test_settings():
    compare("print-config.txt", output_of("tidemarkd", "--print-config"))


def test_limits():
    compare("print-limits.txt", output_of("tidemarkd", "--print-limits"))


def test_flags_of_the_server():
    compare("tidemarkd-help.txt", output_of("tidemarkd", "--help"))


def help_tree(*words):
    """The help of a command and of all commands below it."""
    text = output_of("tidemark", *words, "--help")
    # Under any heading: flags begin with a dash, and places on the command line have an upper-case type behind them.
    names = re.findall(r"^  ([a-z][a-z_-]*)(?= +[^A-Z\s]|$)", text, re.M) if " SUBCOMMAND" in text else []
    return f"$ {' '.join(('tidemark', *words))}\n{text}" + "".join(help_tree(*words, name) for name in names)


def test_commands():
    compare("tidemark-help.txt", output_of("tidemark", "--help"))
    for command in "write", "query", "admin", "exec", "alert", "bench", "demo", "monitor":
        compare(f"tidemark-{command}-help.txt", help_tree(command))


def test_metric_names():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--udp", "127.0.0.1:0,db=u") as server:
        server.write("m v=1 1")
        server.query("m_v")
        text = server.request("GET", "/metrics").body.decode()
        # Of a sample: its name and those of its labels, since values and most labels' values differ from run to run.
        names = [line for line in text.splitlines() if line.startswith("#")]
        samples = {re.sub(r'="[^"]*"', "", line.rsplit(" ", 1)[0]) for line in text.splitlines() if not line.startswith("#")}
        compare("metrics.txt", "\n".join(names + sorted(samples)) + "\n")


run_tests(globals())
