"""TLS against a real server: who believes whom, certificates in place of tokens, a new certificate under open
connections, clients of others, and handshakes that do not end."""
import contextlib
import http.client
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from harness import BIN, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until
from peers import tls_storm
from test_access import bearer, make

OFF = ("--host-metrics", "off")


def new_certificate(folder, name="localhost", *also):
    done = subprocess.run(
        [str(BIN / "tidemark"), "admin", "certificate", "new", name, "--out", str(folder),
         *(word for one in also for word in ("--also", one))], capture_output=True, text=True, timeout=60)
    expect_equal(done.returncode, 0, done.stderr)
    return folder / "certificate.pem", folder / "key.pem"


@contextlib.contextmanager
def encrypted(*arguments):
    """A server that speaks both, its folder and its certificate."""
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls", "localhost", "127.0.0.1")
        port = free_port()
        server = Server(folder / "data", *OFF, "--https", f"127.0.0.1:{port}", "--tls-certificate-file", str(certificate),
                        "--tls-key-file", str(key), *arguments)
        server.tls_port = port
        with server:
            yield server, folder, certificate


def two_clients(folder):
    """The certificates of an agent and of a stranger, a file and its key each, and a file with both, for a server to believe."""
    agent = new_certificate(folder / "agent", "agent.example")
    stranger = new_certificate(folder / "stranger", "stranger.example")
    both = folder / "clients.pem"
    both.write_text(agent[0].read_text() + stranger[0].read_text())
    return agent, stranger, both


def ask(server, context, method, target, headers=None, body=None):
    connection = http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=60)
    try:
        connection.request(method, target, body, headers or {})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def command(server, *arguments, input=None, environment=None):
    return subprocess.run([str(BIN / "tidemark"), *arguments, "--server", f"https://localhost:{server.tls_port}"],
                          capture_output=True, text=True, input=input, timeout=60,
                          env={"PATH": "/usr/bin:/bin", **(environment or {})})


def test_reads_and_writes_are_encrypted():
    with encrypted() as (server, folder, certificate):
        context = ssl.create_default_context(cafile=certificate)
        expect_equal(ask(server, context, "POST", "/write?db=a", body="m v=1")[0], 204, "a write")
        status, _, body = ask(server, context, "GET", "/api/v1/query?db=a&query=m_v")
        expect(status == 200 and b'"1"' in body, body)
        # A large reply, in both framings.
        rows = "".join(f"big,host=h{i} v={i}\n" for i in range(20_000))
        expect_equal(ask(server, context, "POST", "/write?db=a", body=rows)[0], 204, "many rows")
        target = "/api/v1/series?db=a&match[]=big_v"
        over = ask(server, context, "GET", target)
        expect_equal(over[0], 200, over[2][:200])
        expect(over[2] == server.request("GET", target).body and len(over[2]) > 500_000, "a large reply differs")
        # Who does not believe it says so, and is not told less.
        with contextlib.suppress(ssl.SSLCertVerificationError):
            ask(server, ssl.create_default_context(), "GET", "/ping")
            expect(False, "a stranger's certificate was believed")
        done = command(server, "query", "m_v", "--db", "a", "--ca", str(certificate))
        expect(done.returncode == 0 and "1" in done.stdout, done.stdout + done.stderr)
        done = command(server, "write", "--db", "a", "-", "--ca", str(certificate), input="m v=2\n")
        expect_equal(done.returncode, 0, done.stderr)
        done = command(server, "query", "m_v", "--db", "a")
        expect(done.returncode != 0 and "not believed" in done.stderr, done.stderr)
        other, _ = new_certificate(folder / "other")
        done = command(server, "query", "m_v", "--db", "a", environment={"TIDEMARK_CA": str(other)})
        expect(done.returncode != 0 and "not believed" in done.stderr, done.stderr)
        expect_equal(server.stop(), 0, "the exit code")


def test_a_request_in_clear_is_told_so():
    with encrypted() as (server, _, certificate):
        def in_clear(text):
            with socket.create_connection(("127.0.0.1", server.tls_port), timeout=30) as raw:
                raw.sendall(text)
                reply = b""
                while piece := raw.recv(4096):
                    reply += piece
                return reply

        end = b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for method in (b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"CONNECT"):
            reply = in_clear(method + b" /ping" + end)
            expect(reply.startswith(b"HTTP/1.1 400 ") and b"https://" in reply, f"{method}: {reply}")
            expect(b"Connection: close" in reply and reply.count(b"HTTP/1.1") == 1, f"{method}: {reply}")
        reply = in_clear(b"HEAD /ping" + end)
        expect(reply.startswith(b"HTTP/1.1 400 ") and reply.endswith(b"\r\n\r\n"), reply)
        # Nothing of it is done, however much follows, and however it is cut.
        body = b"POST /write?db=clear HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + b"m v=1\n" * 30_000
        expect(in_clear(body).startswith(b"HTTP/1.1 400 "), "a body")
        expect(in_clear((b"GET /ping" + end) * 2).count(b"HTTP/1.1") == 1, "two in line")
        expect(b"https://" not in in_clear(b"HELLO\r\n\r\n"), "no request")
        with socket.create_connection(("127.0.0.1", server.tls_port), timeout=30) as raw:
            raw.sendall(b"G")
            expect_equal(ask(server, ssl.create_default_context(cafile=certificate), "GET", "/ping")[0], 204, "beside it")
            raw.sendall(b"ET /ping" + end)
            expect(raw.recv(4096).startswith(b"HTTP/1.1 400 "), "in two pieces")
        done = command_in_clear(server)
        expect(done.returncode != 0 and "https://" in done.stderr, done.stderr)
        expect_equal(server.query("count(m_v)", db="clear", time=60) or [], [], "what came in clear")
        expect_equal(server.stop(), 0, "the exit code")


def command_in_clear(server):
    return subprocess.run([str(BIN / "tidemark"), "query", "m_v", "--server", f"http://localhost:{server.tls_port}"],
                          capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"})


def test_old_versions_are_refused():
    with encrypted("--tls-min-version", "1.3") as (server, _, certificate):
        context = ssl.create_default_context(cafile=certificate)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            ask(server, context, "GET", "/ping")
            expect(False, "TLS 1.2 was taken")
        except ssl.SSLError as error:
            expect("protocol" in str(error).lower() or "alert" in str(error).lower(), str(error))
        expect_equal(ask(server, ssl.create_default_context(cafile=certificate), "GET", "/ping")[0], 204, "1.3")


def test_a_new_certificate_under_open_connections():
    with encrypted() as (server, folder, certificate):
        first = ssl.create_default_context(cafile=certificate)
        kept = http.client.HTTPSConnection("localhost", server.tls_port, context=first, timeout=60)
        kept.request("GET", "/ping")
        kept.getresponse().read()
        before = kept.sock
        next_certificate, next_key = new_certificate(folder / "next", "localhost")
        second = ssl.create_default_context(cafile=next_certificate)

        def believed(context):
            try:
                return ask(server, context, "GET", "/ping")[0] == 204
            except ssl.SSLError:
                return False

        expect(believed(first) and not believed(second), "the first certificate")
        # A file that is no certificate changes nothing.
        certificate.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "nothing was changed" in server.log_text(), what="the refusal of a bad file")
        expect(str(certificate) in server.log_text(), server.log_text())
        expect(believed(first), "what was in force")
        certificate.write_text(next_certificate.read_text())
        (folder / "tls" / "key.pem").write_text(next_key.read_text())
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: believed(second), what="the new certificate")
        expect(not believed(first), "the first certificate is gone")
        kept.request("GET", "/ping")
        expect_equal(kept.getresponse().status, 204, "the connection from before")
        expect(kept.sock is before, "it was kept")
        kept.close()


def test_a_certificate_shows_a_token():
    with temporary_folder() as folder:
        (agent, agent_key), stranger, authorities = two_clients(folder)
        with encrypted("--tls-client-ca-file", str(authorities)) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            status, _, body = server_make(server, root, "agent", "write:a", "dns:agent.example")
            expect_equal(status, 200, body)
            status, _, body = server_make(server, root, "second", "write:b", "dns:agent.example")
            expect(status == 409 and b"agent" in body, body)
            expect_equal(server_make(server, root, "third", "write:b", "agent.example")[0], 400, "a name without a kind")

            def context(pair=None):
                made = ssl.create_default_context(cafile=certificate)
                if pair:
                    made.load_cert_chain(*pair)
                return made

            known = context((agent, agent_key))
            expect_equal(ask(server, known, "POST", "/write?db=a", body="m v=1")[0], 204, "the agent writes")
            expect_equal(ask(server, known, "POST", "/write?db=b", body="m v=1")[0], 403, "elsewhere")
            expect_equal(ask(server, known, "GET", "/api/v1/query?db=a&query=m_v")[0], 403, "reads")
            # A bad token is refused although the certificate would do.
            expect_equal(ask(server, known, "POST", "/write?db=a", bearer("tm_no"), "m v=1")[0], 401, "a bad token")
            status, _, body = ask(server, context(stranger), "POST", "/write?db=a", body="m v=1")
            expect(status == 401 and b"stranger.example" in body, body)
            expect_equal(ask(server, context(), "POST", "/write?db=a", body="m v=1")[0], 401, "no certificate")
            expect_equal(ask(server, context(), "POST", "/write?db=a", bearer(root), "m v=1")[0], 204, "a token")
            done = command(server, "write", "--db", "a", "-", "--ca", str(certificate), "--certificate", str(agent),
                           "--key", str(agent_key), input="m v=3\n")
            expect_equal(done.returncode, 0, done.stderr)
            server.stop()
            server.start()
            expect_equal(ask(server, known, "POST", "/write?db=a", body="m v=4")[0], 204, "after a restart")
            status, _, body = ask(server, context(), "POST", "/api/v1/admin/tokens/revoke?name=agent", bearer(root))
            expect_equal(status, 200, body)
            expect_equal(ask(server, known, "POST", "/write?db=a", body="m v=5")[0], 401, "revoked")


def server_make(server, root, name, grant, certificate_name):
    reply = server.request("POST", f"/api/v1/admin/tokens?name={name}&grant={grant}&certificate_name={certificate_name}",
                           headers=bearer(root))
    return reply.status, reply.headers, reply.body


def test_the_cookie_of_a_session_is_secure():
    with encrypted() as (server, _, certificate):
        root = make(server, "root", "admin:*")
        context = ssl.create_default_context(cafile=certificate)
        status, headers, body = ask(server, context, "POST", f"/api/v1/session?token={root}")
        expect_equal(status, 200, body)
        expect("; Secure" in headers["Set-Cookie"] and "HttpOnly" in headers["Set-Cookie"], headers)


def test_handshakes_that_do_not_end():
    with encrypted("--http-header-timeout", "1s") as (server, _, certificate):
        context = ssl.create_default_context(cafile=certificate)
        hello = bytes.fromhex("1603010200010001fc0303")
        idle = [socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) for _ in range(200)]
        for number, one in enumerate(idle):
            if number % 2:
                one.sendall(hello)  # begins, and says no more
        expect_equal(ask(server, context, "GET", "/ping")[0], 204, "a healthy client beside them")
        for one in idle:
            expect_equal(one.recv(4096), b"", "the server hangs up")
            one.close()
        expect(handshakes_failed(server) >= 200, "handshakes that took too long are counted")
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            with socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) as raw:
                raw.sendall(b"\x00" * 5_000)
                raw.recv(4096)
        expect_equal(ask(server, context, "GET", "/ping")[0], 204, "after noise")


def test_a_second_handshake_is_not_given():
    with encrypted() as (server, _, certificate):
        context = ssl.create_default_context(cafile=certificate)
        library = tls_storm.Library()
        for _ in range(20):
            expect_equal(library.renegotiate(server.tls_port, 3), 0, "handshakes behind the first")
        expect_equal(ask(server, context, "GET", "/ping")[0], 204, "a healthy client")


def test_slow_and_half_open_handshakes_end_in_time():
    for name in ("slow handshakes", "half-open handshakes"):
        with encrypted("--http-header-timeout", "1s") as (server, _, certificate):
            context = ssl.create_default_context(cafile=certificate)
            stop = threading.Event()
            attack = threading.Thread(target=tls_storm.ATTACKS[name], args=(server.tls_port, 100, stop))
            attack.start()
            try:
                for _ in range(30):
                    expect_equal(ask(server, context, "GET", "/ping")[0], 204, f"a healthy client beside {name}")
                wait_until(lambda: handshakes_failed(server) >= 100, what=f"the end of {name}")
            finally:
                stop.set()
                attack.join()


def handshakes_failed(server):
    metrics = server.request("GET", "/metrics").body.decode()
    return int(re.search(r"^tidemark_tls_handshakes_failed_total (\d+)$", metrics, re.M).group(1))


def test_files_that_do_not_fit_refuse_the_start():
    with temporary_folder() as folder:
        certificate, _ = new_certificate(folder / "one")
        _, key = new_certificate(folder / "two")
        for arguments, word in (((), "tls.certificate_file"),
                                (("--tls-certificate-file", str(certificate), "--tls-key-file", str(key)), str(key)),
                                (("--tls-certificate-file", "/nowhere.pem", "--tls-key-file", str(key)), "/nowhere.pem")):
            done = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "127.0.0.1:0",
                                   "--https", "127.0.0.1:0", *OFF, *arguments], capture_output=True, text=True, timeout=60)
            expect(done.returncode != 0 and word in done.stderr, done.stderr)
        done = subprocess.run([str(BIN / "tidemark"), "admin", "certificate", "new", "x", "--out", str(folder / "one")],
                              capture_output=True, text=True, timeout=60)
        expect(done.returncode != 0 and "exists" in done.stderr, done.stderr)


def test_a_certificate_that_cannot_be_written_whole_leaves_nothing():
    def little_room(room):
        def apply():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        return apply

    with temporary_folder() as folder:
        # Half of the key, and the whole key with half of the certificate.
        for room in (100, 400):
            made = [str(BIN / "tidemark"), "admin", "certificate", "new", "x", "--out", str(folder / "tls")]
            done = subprocess.run(made, capture_output=True, text=True, timeout=60, preexec_fn=little_room(room))
            expect(done.returncode != 0 and "File too large" in done.stderr, done.stderr)
            expect_equal(list((folder / "tls").iterdir()), [], f"what is left with {room} bytes")
        new_certificate(folder / "tls")


def test_curl_and_prometheus():
    prometheus, curl = shutil.which("prometheus"), shutil.which("curl")
    expect(prometheus and curl, "prometheus or curl is missing: tools/dev/setup test installs both")
    with encrypted() as (server, folder, certificate):
        root = make(server, "root", "admin:*")
        writer = server.request("POST", "/api/v1/admin/tokens?name=prom&grant=write:prom", headers=bearer(root)).json()
        done = subprocess.run([curl, "-sS", "--cacert", str(certificate), "-H", f"Authorization: Bearer {root}",
                               f"https://localhost:{server.tls_port}/api/v1/query?query=1"], capture_output=True, timeout=60)
        expect(done.returncode == 0 and b'"success"' in done.stdout, done)
        config = folder / "prometheus.yml"
        config.write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: tidemark
    scheme: https
    authorization: {{credentials: {root}}}
    tls_config: {{ca_file: {certificate}, server_name: localhost}}
    static_configs: [{{targets: ['127.0.0.1:{server.tls_port}']}}]
remote_write:
  - url: https://localhost:{server.tls_port}/api/v1/write?db=prom
    authorization: {{credentials: {writer["data"]["token"]}}}
    tls_config: {{ca_file: {certificate}}}
    queue_config: {{batch_send_deadline: 1s}}
remote_read:
  - url: https://localhost:{server.tls_port}/api/v1/read?db=prom
    authorization: {{credentials: {root}}}
    tls_config: {{ca_file: {certificate}}}
    read_recent: true
""")
        port = free_port()
        with open(folder / "prometheus.log", "wb") as log:
            agent = subprocess.Popen([prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                                      f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=log)
        try:
            def arrived():
                reply = server.request("GET", "/api/v1/query?db=prom&query=up%7Bjob=%22tidemark%22%7D%20==%201",
                                       headers=bearer(root))
                return reply.status == 200 and reply.json()["data"]["result"]
            wait_until(arrived, what="up == 1 over TLS")
        finally:
            agent.terminate()
            agent.wait(60)


if __name__ == "__main__":
    run_tests(globals())
