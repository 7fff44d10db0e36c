"""`make run` and `make monitor` in a build folder of Makefiles: what they start, with what was built."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]


def configured(folder):
    """A build folder of Makefiles in which nothing is built: the programs are linked into it."""
    done = subprocess.run(["cmake", "-G", "Unix Makefiles", "-S", str(ROOT), "-B", str(folder), "-DTIDEMARK_TESTS=OFF"], capture_output=True, text=True)
    expect_equal(done.returncode, 0, done.stderr[-2000:])
    (folder / "bin").mkdir(exist_ok=True)
    for name in ("tidemark", "tidemarkd"):
        shutil.copy2(BIN / name, folder / "bin" / name)
    return folder


def recipe(folder, target):
    """The command of a target, as make hands it to the shell."""
    text = (folder / f"tools/CMakeFiles/{target}.dir/build.make").read_text()
    line = next(line for line in text.split("\n") if "sh -c" in line)
    return line.strip().replace("$$", "$")


def test_the_targets_are_there_and_start_what_was_built():
    with temporary_folder() as folder:
        build = configured(folder / "build")
        names = subprocess.run(["make", "help"], cwd=build, capture_output=True, text=True).stdout
        expect(re.search(r"^\.\.\. run$", names, re.M) and re.search(r"^\.\.\. monitor$", names, re.M), names)
        port = free_port()
        environment = {**os.environ, "TIDEMARK_FLAGS": f"--http 127.0.0.1:{port}", "TIDEMARK_DATA": str(folder / "own data")}
        server = subprocess.Popen(["sh", "-c", recipe(build, "run")], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_until(lambda: subprocess.run([str(BIN / "tidemark"), "query", "1", "--server", f"http://127.0.0.1:{port}"], capture_output=True).returncode == 0, 60, "the server")
            expect((folder / "own data").is_dir(), "the data are where TIDEMARK_DATA says")
            shown = subprocess.run(["sh", "-c", recipe(build, "monitor")], capture_output=True, text=True,
                                   env={**os.environ, "TIDEMARK_SERVER": f"http://127.0.0.1:{port}", "TIDEMARK_FLAGS": "--once --page alerts"})
            expect_equal(shown.returncode, 0, shown.stderr)
            expect("Tidemark Alerts" in shown.stdout, shown.stdout)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
        # Without TIDEMARK_DATA the data stand in the build folder.
        expect_equal(recipe(build, "run").split()[-1].strip('"'), str(build / "data"), "the data's default place")


if __name__ == "__main__":
    run_tests(globals())
