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

    def screen(self, colors=False):
        return subprocess.run([*self.base, "capture-pane", "-p", *(["-e"] if colors else [])], check=True, capture_output=True).stdout.decode()

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
        for page in ("overview", "execution", "benchmarks", "live", "trends", "backend", "alerts", "executive", "hosts", "silences", "rules"):
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


RULES = """groups:
  - name: disks
    interval: 1s
    rules:
      - {alert: DiskFull, expr: "disk_used > 90", labels: {severity: page}, annotations: {summary: "Nearly full"}}
      - {alert: DiskSlow, expr: "disk_used > 10", for: 1h, labels: {severity: warn}}
      - {alert: Never, expr: "disk_used > 1000"}
      - {record: "disk:used:max", expr: "max(disk_used)"}
"""
NOTIFY = """route: {receiver: team, group_wait: 0s}
receivers: [{name: team}]
"""
SILENCE = {"matchers": [{"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True}], "createdBy": "ada", "comment": "moving it"}


def watched(folder):
    (folder / "rules.yml").write_text(RULES)
    (folder / "notify.yml").write_text(NOTIFY)
    return Server(folder / "data", "--host-metrics", "off", "--rules-files", str(folder / "rules.yml"), "--notify-config", str(folder / "notify.yml"))


def alerts_of(server):
    return server.request("GET", "/api/v1/alerts").json()["data"]["alerts"]


def wait_for_alerts(server):
    wait_until(lambda: sorted({(a["labels"]["alertname"], a["state"]) for a in alerts_of(server)}) == [("DiskFull", "firing"), ("DiskSlow", "pending")],
               60, "the alerts")
    wait_until(lambda: server.request("GET", "/api/v2/alerts").json(), 60, "that somebody is told")


def expect_pages(server, page_of, wide):
    """What the three pages show is what the API says. `page_of`: the text of a page by its id."""
    text = page_of("alerts", "firing")
    for alert in alerts_of(server):
        expect(alert["labels"]["alertname"] in text and alert["state"] in text, f"{alert} in {text}")
        if wide:
            expect(f"severity={alert['labels']['severity']}" in text, f"{alert} in {text}")
    expect("1 alert fires" in text, text)
    groups = server.request("GET", "/api/v1/rules").json()["data"]["groups"]
    text = page_of("rules", "disk:used:max")
    for rule in (rule for group in groups for rule in group["rules"]):
        expect(rule["name"] in text and rule.get("state", rule["health"]) in text, f"{rule} in {text}")
        expect(not wide or rule["query"] in text, f"{rule} in {text}")
    expect("4 rules" in text, text)
    silences = server.request("GET", "/api/v2/silences").json()
    text = page_of("silences", "silence")
    for silence in silences:
        expect(silence["endsAt"][:10] in text, f"{silence} in {text}")
        if wide:
            expect(all(word in text for word in ('alertname="DiskFull"', silence["createdBy"], silence["comment"])), f"{silence} in {text}")


def silence_it(server):
    now = time.time()
    at = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    reply = server.request("POST", "/api/v2/silences", json.dumps({**SILENCE, "startsAt": at(now - 5), "endsAt": at(now + 7200)}), {"Content-Type": "application/json"})
    expect_equal(reply.status, 200, reply.body)


def test_alerts_rules_and_silences_are_what_the_api_says():
    with temporary_folder() as folder, watched(folder) as server:
        prepare(server)
        wait_for_alerts(server)
        page = lambda *more: lambda name, word: once(server, "--page", name, *more).stdout
        expect("Nothing is silenced." in page()("silences", ""), "no silence yet")
        text = page("--size", "200x60")("alerts", "")
        expect(re.search(r"firing +DiskFull +91.5 .* team ", text), text)
        expect(re.search(r"pending +DiskSlow .* nobody yet ", text), text)
        silence_it(server)
        wait_until(lambda: "silenced by ada: moving it" in page("--size", "200x60")("alerts", ""), 60, "who is told to change")
        for size in ("60x15", "80x24", "200x60"):
            for more in ((), ("--ascii",), ("--plain",)):
                width, height = map(int, size.split("x"))
                texts = []

                def page_of(name, _word):
                    texts.append(page("--size", size, *more)(name, ""))
                    # A small screen is scrolled: all of the page, as wide, has the rest.
                    whole = once(server, "--page", name, *more, "--size", f"{width}x100").stdout
                    return whole

                expect_pages(server, page_of, width >= 200)
                for text in texts:
                    lines = text.split("\n")
                    expect_equal(len(lines) - 1, height, f"lines at {size}")
                    expect(all(len(line) <= width for line in lines), f"{size}: {text}")
                    expect("--ascii" not in more or text.isascii(), text)


def test_the_pages_of_alerts_in_a_terminal_of_any_kind():
    with temporary_folder() as folder, watched(folder) as server:
        prepare(server)
        wait_for_alerts(server)
        silence_it(server)
        kinds = ((80, 24, UTF8, ()), (60, 15, {"LC_ALL": "C", "TERM": "xterm"}, ()), (200, 60, {**UTF8, "NO_COLOR": "1"}, ()), (80, 24, UTF8, ("--ascii", "--plain")))
        for width, height, environment, more in kinds:
            command = [TIDEMARK, "monitor", "--server", server.url, *more]
            with Tmux(folder, width, height, command, environment) as terminal:
                keys = {"alerts": "a", "rules": "u", "silences": "s"}

                def page_of(name, word):
                    terminal.keys(keys[name])
                    return terminal.until(f"Tidemark {name.capitalize()}", word, "as of", *(("Nearly",) if width >= 200 and name == "alerts" else ()))

                expect_pages(server, page_of, width >= 200)
                ascii_alone = "LC_ALL" in environment and environment["LC_ALL"] == "C" or "--ascii" in more
                expect(not ascii_alone or terminal.screen().isascii(), terminal.screen())
                colored = re.search(r"\x1b\[(?:\d+;)*3[1-6](?:;\d+)*m", terminal.screen(colors=True)) is not None
                expect_equal(colored, "NO_COLOR" not in environment and "--plain" not in more, f"colour in {width}x{height}")
                # While it draws: every size, one after the other, and back.
                for other in ((200, 60), (60, 15), (30, 8), (width, height)):
                    terminal.resize(*other)
                terminal.until("Tidemark Silences", "silent", "as of")
                terminal.keys("BTab")
                terminal.until("Tidemark Hosts")
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
