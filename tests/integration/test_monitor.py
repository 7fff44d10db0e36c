"""The terminal monitor in a real terminal (tmux) and without one: pages, keys, sizes, what is shown against the API."""
import json
import os
import re
import subprocess
import time

from harness import BIN, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

TIDEMARK = str(BIN / "tidemark")
UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
BOARD = {"schema": 1, "id": "mine", "title": "Mine", "refresh": "1s", "rows": [{"panels": [
    {"id": "a", "type": "bars", "title": "Disks", "width": 6, "unit": "percent",
     "queries": [{"id": "A", "expr": "disk_used", "legend": "{{name}}"}]},
    {"id": "b", "type": "timeseries", "title": "Load", "width": 6, "queries": [{"id": "A", "mode": "range", "expr": "load"}]},
    {"id": "c", "type": "events", "title": "Log", "width": 12, "queries": [{"id": "A", "mode": "events", "expr": "log_text"}]},
    {"id": "d", "type": "stat", "title": "Nothing", "width": 12, "empty": "Run something.", "queries": [{"id": "A", "expr": "absent_metric"}]},
]}]}


class Tmux:
    """A terminal of its own that runs one command."""

    def __init__(self, folder, width, height, command, environment):
        self.base = ["tmux", "-f", "/dev/null", "-S", str(folder / f"tmux-{free_port()}")]
        self.folder = folder
        env = {**os.environ, **environment}
        env.pop("TMUX", None)
        self.done = folder / f"done-{free_port()}"
        line = " ".join(f"'{word}'" for word in command)
        exports = " ".join(f"{name}={value}" for name, value in environment.items())
        subprocess.run([*self.base, "new-session", "-d", "-x", str(width), "-y", str(height),
                        f"env {exports} {line}; echo \"ended $?\" > '{self.done}'; sleep 1000"], check=True, env=env)
        subprocess.run([*self.base, "set", "-g", "window-size", "manual"], check=True, env=env)

    def screen(self):
        return subprocess.run([*self.base, "capture-pane", "-p"], check=True, capture_output=True).stdout.decode()

    def keys(self, *keys):
        subprocess.run([*self.base, "send-keys", *keys], check=True)

    def resize(self, width, height):
        subprocess.run([*self.base, "resize-window", "-x", str(width), "-y", str(height)], check=True)

    def until(self, *words):
        """The screen, once it has all of `words`."""
        def found():
            text = self.screen()
            return text if all(word in text for word in words) else None
        try:
            return wait_until(found, 60, f"{words} on the screen")
        except Exception as error:
            raise type(error)(f"{error}:\n{self.screen()}") from error

    def ended(self):
        return wait_until(lambda: self.done.exists() and self.done.read_text().strip(), 60, "the end of the monitor")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        subprocess.run([*self.base, "kill-server"], check=False)


def prepare(server):
    now = int(time.time())
    lines = [f'disk,name=root used=91.5 {now}', f'disk,name=home\\ dir used=20 {now}', f'log text="hostile \x1b[2J\x07 words" {now}']
    lines += [f"load value={i} {now - 600 + i * 10}" for i in range(61)]
    expect_equal(server.write("\n".join(lines), precision="s").status, 204, "the write")
    reply = server.request("PUT", "/api/v1/dashboards/mine", json.dumps(BOARD), {"If-None-Match": "*"})
    expect_equal(reply.status, 200, reply.body)


def once(server, *arguments, environment=UTF8):
    return subprocess.run([TIDEMARK, "monitor", "--server", server.url, "--once", *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment}, timeout=120)


def test_once_prints_what_the_api_says():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        prepare(server)
        for size in ("60x15", "80x24", "200x60"):
            done = once(server, "--dashboard", "mine", "--size", size)
            expect_equal(done.returncode, 0, done.stderr)
            width, height = map(int, size.split("x"))
            lines = done.stdout.split("\n")
            expect_equal(len(lines) - 1, height, f"lines at {size}")
            expect(all(len(line) <= width for line in lines), f"{size}: {done.stdout}")
            expect("\x1b" not in done.stdout, "no escape sequence comes through, and no colour into a pipe")
            for series in server.query("disk_used"):
                expect(f"{float(series['value'][1]):g} %" in done.stdout, f"{series} in {done.stdout}")
        whole = once(server, "--dashboard", "mine").stdout
        for words in ("Disks", "home dir", "Load", "hostile [2J words", "Nothing", "No data. Run something."):
            expect(words in whole, f"{words} in {whole}")
        plain = once(server, "--dashboard", "mine", "--ascii").stdout
        expect(plain.isascii(), plain)
        expect(once(server, "--dashboard", "mine", environment={"LC_ALL": "C", "TERM": "dumb"}).stdout.isascii(), "ASCII by the locale")


def test_every_page_is_drawn():
    with temporary_folder() as folder, Server(folder / "data") as server:
        wait_until(lambda: server.query("count(system_load1)", db="_host"), 60, "the host's numbers")
        for page in ("overview", "execution", "benchmarks", "live", "trends", "backend", "alerts", "executive", "hosts"):
            done = once(server, "--page", page)
            expect_equal(done.returncode, 0, f"{page}: {done.stderr}")
            expect("parse error" not in done.stdout and "invalid parameter" not in done.stdout, f"{page}: {done.stdout}")
        load = once(server, "--page", "hosts", "--size", "200x200").stdout
        expect(re.search(r"CPU", load) and "No data" not in load.split("\n")[2], load)


def test_what_is_wrong_is_said():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        for arguments, words in ((("--page", "none"), "there is no page \"none\": overview"),
                                 (("--dashboard", "none"), "there is no saved dashboard \"none\""),
                                 (("--size", "x"), "--size x is not a size"), (("--range", "long"), "--range long is not")):
            done = once(server, *arguments)
            expect_equal(done.returncode, 1, arguments)
            expect(words in done.stderr, done.stderr)
        nobody = subprocess.run([TIDEMARK, "monitor", "--server", f"http://127.0.0.1:{free_port()}", "--once"], capture_output=True, text=True)
        expect_equal(nobody.returncode, 1, "without a server")
        piped = subprocess.run([TIDEMARK, "monitor", "--server", server.url], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        expect_equal(piped.returncode, 1, "without a terminal")
        expect("--once" in piped.stderr, piped.stderr)


def test_a_terminal_shows_pages_and_obeys_keys():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        prepare(server)
        command = [TIDEMARK, "monitor", "--server", server.url, "--dashboard", "mine"]
        with Tmux(folder, 80, 24, command, UTF8) as terminal:
            text = terminal.until("Tidemark Mine", "91.5 %", "home dir", "hostile", "q end")
            expect("█" in text, text)
            terminal.keys("?")
            terminal.until("Keys", "a longer or a shorter time")
            terminal.keys("q")
            wait_until(lambda: "a longer or a shorter time" not in terminal.screen(), 60, "the list of keys to go")
            terminal.keys("p")
            terminal.until("paused at")
            terminal.keys("p", "+")
            terminal.until("last 1h", "as of")
            terminal.keys("-")
            terminal.until("last 15m")
            # While it draws, at all sizes.
            for width, height in ((60, 15), (200, 60), (20, 6), (80, 24)):
                terminal.resize(width, height)
                terminal.until("Tidemark Mine")
            terminal.until("91.5 %")
            terminal.keys("2")
            terminal.until("Tidemark Overview")
            terminal.keys("Tab")
            terminal.until("Tidemark Execution")
            terminal.keys("q")
            expect_equal(terminal.ended(), "ended 0", "q")


def test_a_server_that_goes_and_comes_back():
    with temporary_folder() as folder:
        port = free_port()
        server = Server(folder / "data", "--host-metrics", "off", "--http", f"127.0.0.1:{port}").start()
        prepare(server)
        command = [TIDEMARK, "monitor", "--server", f"http://127.0.0.1:{port}", "--dashboard", "mine", "--plain"]
        with Tmux(folder, 100, 24, command, UTF8) as terminal:
            terminal.until("91.5 %", "as of")
            server.stop()
            wait_until(lambda: "as of" not in terminal.screen(), 60, "the monitor to notice")
            expect("91.5 %" in terminal.screen(), "the last numbers stay")
            server.start()
            terminal.until("91.5 %", "as of")
            terminal.keys("q")
            expect_equal(terminal.ended(), "ended 0", "q")
        server.stop()


if __name__ == "__main__":
    run_tests(globals())
