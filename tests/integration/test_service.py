"""What a service manager sees of the server: that it is ready, reloads, lives and stops; sockets that it hands over; and
the units and the image's file, as far as this machine can look at them."""
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess

from harness import BIN, HERE, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until
from test_access import ask
from test_tls import new_certificate

SERVICE = HERE.parent.parent / "tools" / "service"
OFF = ("--host-metrics", "off")


class Manager:
    """The socket that systemd would listen on."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.heard = []

    def hear(self):
        """All that has come by now, one dictionary for each datagram."""
        while select.select([self.socket], [], [], 0)[0]:
            self.heard.append(dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines()))
        return self.heard

    def wait_for(self, key, beyond=0):
        """Until a datagram has the key, `beyond` so many others; its place."""
        def found():
            return [at for at, message in enumerate(self.hear()) if at >= beyond and key in message]
        return wait_until(found, what=f"{key} among {self.heard}")[0]


def test_a_start_a_reload_and_a_stop_are_told():
    for abstract in (False, True):
        with temporary_folder() as folder:
            path = str(folder / "notify")
            manager = Manager("\0" + path if abstract else path)
            with Server(folder / "data", *OFF, environment={"NOTIFY_SOCKET": "@" + path if abstract else path}) as server:
                ready = manager.wait_for("READY")
                expect_equal(manager.heard[ready], {"READY": "1", "STATUS": f"serving {server.url}"}, "ready")
                expect(int(manager.heard[0]["EXTEND_TIMEOUT_USEC"]) >= 10_000_000, f"a start may take time: {manager.heard}")
                expect_equal(ask(server, "GET", "/ping")[0], 204, "who is ready answers")
                server.process.send_signal(signal.SIGHUP)
                reloading = manager.wait_for("RELOADING", ready + 1)
                expect(int(manager.heard[reloading]["MONOTONIC_USEC"]) > 0, manager.heard)
                manager.wait_for("READY", reloading + 1)
                expect_equal(server.stop(), 0, "the exit code")
                stopping = manager.wait_for("STOPPING", reloading + 1)
                expect("EXTEND_TIMEOUT_USEC" in manager.heard[stopping + 1], f"a stop may take time: {manager.heard}")
                expect(not any("WATCHDOG" in message for message in manager.heard), "nobody asked for signs of life")


def test_signs_of_life_as_long_as_it_lives():
    with temporary_folder() as folder:
        manager = Manager(str(folder / "notify"))
        with Server(folder / "data", *OFF,
                    environment={"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "3000000"}) as server:
            first = manager.wait_for("WATCHDOG")
            manager.wait_for("WATCHDOG", first + 1)
            # One that stands still says nothing, and goes on saying it when it moves again.
            server.process.send_signal(signal.SIGSTOP)
            said = len(manager.hear())
            expect(not select.select([manager.socket], [], [], 4)[0], "a sign of life of a stopped process")
            server.process.send_signal(signal.SIGCONT)
            manager.wait_for("WATCHDOG", said)
            expect_equal(server.stop(), 0, "the exit code")
        # What is meant for another process is not minded.
        with Server(folder / "data", *OFF, environment={"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "1000",
                                                        "WATCHDOG_PID": "1"}):
            ready = manager.wait_for("READY", len(manager.heard))
            expect(not any("WATCHDOG" in message for message in manager.heard[ready:]), "signs of life for somebody else")


def test_children_do_not_inherit_what_is_meant_for_the_server():
    with temporary_folder() as folder:
        manager = Manager(str(folder / "notify"))
        (folder / "notify.yml").write_text(
            "route: {receiver: r}\nreceivers: [{name: r, command_configs: [{command: [/bin/sh, -c, 'env > %s/env']}]}]\n" % folder)
        with Server(folder / "data", *OFF, "--notify-config", str(folder / "notify.yml"),
                    environment={"NOTIFY_SOCKET": str(folder / "notify")}) as server:
            manager.wait_for("READY")
            status, _, body = ask(server, "POST", "/api/v1/admin/alert/test?receiver=r")
            expect(status == 200 and b'"delivered":true' in body, body)
            expect("NOTIFY_SOCKET" not in (folder / "env").read_text(), "a child has the variable")


@contextlib.contextmanager
def with_sockets(folder, sockets, names, *arguments, count=None):
    """A server that is handed sockets from descriptor 3 on, and its output so far."""
    # High numbers, so that the handing over overwrites none that is still wanted.
    moved = [os.dup2(one.fileno(), 100 + at) for at, one in enumerate(sockets)]
    dups = "".join(f"exec {3 + at}<&{number}; " for at, number in enumerate(moved))
    script = f'{dups}export LISTEN_PID=$$ LISTEN_FDS={count or len(sockets)} LISTEN_FDNAMES={names}; exec "$@"'
    process = subprocess.Popen(["bash", "-c", script, "x", str(BIN / "tidemarkd"), "--data", str(folder / "data"), *OFF, *arguments],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=moved)
    for number in moved:
        os.close(number)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def listening(address="127.0.0.1", family=socket.AF_INET):
    one = socket.socket(family)
    one.bind((address, 0))
    one.listen()
    return one


def status_at(port, path="/ping", scheme="http", certificate=None):
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *(("--cacert", certificate) if certificate else ()),
                           f"{scheme}://localhost:{port}{path}"], capture_output=True, text=True, timeout=60)
    return done.stdout or done.stderr


def test_sockets_that_listen_already_are_served():
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls")
        plain, encrypted = listening(), listening()
        beside = free_port()
        # Who connects before the server is there is answered when it is.
        early = socket.create_connection(plain.getsockname())
        early.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with with_sockets(folder, [plain, encrypted], "http:https", "--http", f"127.0.0.1:{beside}", "--tls-certificate-file",
                          str(certificate), "--tls-key-file", str(key)) as process:
            said = [process.stdout.readline() for _ in range(2)]
            expect_equal(said, [f"listening on http://127.0.0.1:{plain.getsockname()[1]}\n",
                                f"listening on https://127.0.0.1:{encrypted.getsockname()[1]}\n"], "where it listens")
            early.settimeout(60)
            expect(early.recv(100).startswith(b"HTTP/1.1 204"), "the early one")
            expect_equal(status_at(plain.getsockname()[1]), "204", "plain")
            expect_equal(status_at(encrypted.getsockname()[1], scheme="https", certificate=certificate), "204", "encrypted")
            expect("refused" in status_at(beside) or status_at(beside) == "000", "http.listen is not served beside them")
            process.send_signal(signal.SIGTERM)
            expect_equal(process.wait(60), 0, "the exit code")
        # The sockets are the manager's: the next server goes on with them.
        with with_sockets(folder, [plain], "tidemarkd.socket") as process:
            process.stdout.readline()
            expect_equal(status_at(plain.getsockname()[1]), "204", "the next server")
            process.send_signal(signal.SIGTERM)
            expect_equal(process.wait(60), 0, "the exit code")
        for one in (plain, encrypted, early):
            one.close()


def test_sockets_that_cannot_be_served_refuse_the_start():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    for one, names, count, words in ((udp, "http", 1, "no TCP socket that listens"), (listening(), "statsd", 1, 'called "statsd"'),
                                     (listening(), "http", "x", "LISTEN_FDS"), (listening("0.0.0.0"), "http", 1, "token first"),
                                     (listening(), "https", 1, "tls.certificate_file")):
        with temporary_folder() as folder, with_sockets(folder, [one], names, count=count) as process:
            expect(process.wait(60) != 0, f"{names} {count}: it started")
            expect(words in process.stderr.read(), f"{words} is not said")
        one.close()
    # Those of another process are not touched.
    with temporary_folder() as folder, Server(folder / "data", *OFF, environment={"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as server:
        expect_equal(ask(server, "GET", "/ping")[0], 204, "a server of its own")


def test_the_units_hold():
    analyze = shutil.which("systemd-analyze")
    expect(analyze, "systemd-analyze is missing: tools/dev/setup test installs systemd")
    with temporary_folder() as folder:
        for name in ("tidemarkd.service", "tidemarkd.socket"):
            # The program is where this build has it; the rest is as it is shipped.
            text = (SERVICE / name).read_text()
            (folder / name).write_text(text.replace("/usr/local/bin/tidemarkd", str((BIN / "tidemarkd").resolve())))
        done = subprocess.run([analyze, "verify", "--man=no", str(folder / "tidemarkd.service"), str(folder / "tidemarkd.socket")],
                              capture_output=True, text=True, timeout=60)
        ours = [line for line in done.stderr.splitlines() if "tidemarkd" in line]
        expect(done.returncode == 0 and not ours, done.stderr)
        # 0 to 10; a unit without any of it has 9.6.
        done = subprocess.run([analyze, "security", "--offline=true", "--no-pager", str(folder / "tidemarkd.service")],
                              capture_output=True, text=True, timeout=60)
        exposure = re.search(r"Overall exposure level for tidemarkd.service: ([0-9.]+)", done.stdout)
        expect(exposure and float(exposure.group(1)) <= 2.0, done.stdout[-300:] + done.stderr)


def test_the_image_is_of_a_fixed_user_and_takes_its_signals():
    text = (SERVICE / "Containerfile").read_text()
    expect(re.search(r"^USER 65532:65532$", text, re.M) and re.search(r"^STOPSIGNAL SIGTERM$", text, re.M), text)
    # Its entry point, as process 1 of a namespace of its own: SIGTERM ends it with 0, SIGHUP does not.
    entry = re.search(r'^ENTRYPOINT \["([^"]+)", "--data", "/data"\]$', text, re.M)
    expect_equal(pathlib.Path(entry.group(1)).name, "tidemarkd", "the entry point")
    with temporary_folder() as folder:
        packages = subprocess.run([str(SERVICE / "shared_libraries"), str(BIN / "tidemarkd"), str(BIN / "tidemark")],
                                  capture_output=True, text=True, timeout=60, check=True).stdout.split()
        expect({"libc6", "librocksdb7.8", "libssl3", "libcurl4"} <= set(packages), packages)
        server = Server(folder / "data", *OFF, prefix=("unshare", "--fork", "--pid", "--mount-proc", "--kill-child"))
        probe = subprocess.run(["unshare", "--fork", "--pid", "--mount-proc", "true"], capture_output=True, timeout=60)
        if probe.returncode != 0:
            print("     no namespaces here: process 1 is not tried", flush=True)
            return
        with server:
            # `unshare` stands outside; its child is process 1 inside.
            inside = int(pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()[0])
            os.kill(inside, signal.SIGHUP)
            wait_until(lambda: "reloaded" in server.log_text(), what="a reload as process 1")
            os.kill(inside, signal.SIGTERM)
            expect_equal(server.process.wait(60), 0, "the exit code")


if __name__ == "__main__":
    run_tests(globals())
