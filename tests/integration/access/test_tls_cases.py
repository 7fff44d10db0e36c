"""Certificates and handshakes, case by case: who signs, what has ended, which name is asked for, what a reload changes and what it
does not, and which words the log has for a client that cannot connect."""
import contextlib
import http.client
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import bearer, make  # noqa: E402
from test_tls import ask, encrypted, new_certificate  # noqa: E402

OFF = ("--host-metrics", "off")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*words):
    done = subprocess.run([shutil.which("openssl") or "openssl", *(str(word) for word in words)], capture_output=True, text=True, timeout=60)
    expect_equal(done.returncode, 0, f"openssl {words[0]}: {done.stderr}")


class Authority:
    """Signs certificates in a folder of its own."""

    def __init__(self, folder, name, days=30, issuer=None):
        folder.mkdir()
        self.folder, self.certificate, self.key = folder, folder / "ca.pem", folder / "ca.key"
        self.sign("ca", name, days, "basicConstraints=critical,CA:TRUE", issuer or self)

    def sign(self, file, name, days, extension, issuer=None):
        key, request, extensions, out = (self.folder / f"{file}.{ending}" for ending in ("key", "csr", "ext", "pem"))
        issuer = issuer or self
        openssl("req", *EC, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions.write_text(extension + "\n")
        signer = ("-signkey", key) if issuer is self and file == "ca" else ("-CA", issuer.certificate, "-CAkey", issuer.key)
        openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-extfile", extensions, "-out", out)
        return out, key

    def leaf(self, name, alternatives, days=30):
        return self.sign(name.replace("*", "any"), name, days, "subjectAltName=" + alternatives)


def believing(authority, pair=None):
    context = ssl.create_default_context(cafile=authority)
    if pair:
        context.load_cert_chain(*pair)
    return context


@contextlib.contextmanager
def serving(folder, certificate, key, *arguments):
    """A server with these files."""
    port = free_port()
    server = Server(folder / "data", *OFF, "--https", f"127.0.0.1:{port}", "--tls-certificate-file", str(certificate),
                    "--tls-key-file", str(key), *arguments)
    server.tls_port = port
    with server:
        yield server


def connect(server, context, name="localhost", session=None):
    raw = socket.create_connection(("127.0.0.1", server.tls_port), timeout=60)
    return context.wrap_socket(raw, server_hostname=name, session=session)


def ping(connection):
    connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return int(connection.recv(4096).split(b" ", 2)[1])


def status_of(server, context, headers=None, path="/api/v1/query?query=1"):
    """The status of a question, or the words of the handshake that came to nothing. With TLS 1.3 a client hears of its certificate
    only when it reads: where the server has hung up before it has written, Python tells that and not the alert, so it asks again."""
    for _ in range(20):
        try:
            return ask(server, context, "GET", path, headers)[0]
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected) as error:
            said = str(error)
        if "EOF occurred" not in said and "Broken pipe" not in said:
            break
    return said


def reload(server):
    before = server.log_text().count("reload")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.log_text().count("reload") > before, what="a reload")


def test_who_signed_a_client():
    with temporary_folder() as folder:
        good, other, ended = Authority(folder / "good", "good"), Authority(folder / "other", "other"), Authority(folder / "ended", "ended", -1)
        between = Authority(folder / "between", "between", issuer=good)
        (folder / "clients.pem").write_text(good.certificate.read_text() + ended.certificate.read_text())
        agent = good.leaf("agent", "DNS:agent.example")
        with encrypted("--tls-client-ca-file", str(folder / "clients.pem")) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            make(server, "agent", "read:*", root, certificate_name="dns:agent.example")
            chain = folder / "chain.pem"
            signed = between.leaf("agent", "DNS:agent.example")
            chain.write_text(signed[0].read_text() + between.certificate.read_text())
            for what, pair, want in (
                    ("a good one", agent, 200), ("a chain over one between", (chain, signed[1]), 200),
                    ("the chain without the one between", signed, "alert"), ("of another authority", other.leaf("agent", "DNS:agent.example"), "alert"),
                    ("one that has ended", good.leaf("late", "DNS:agent.example", -1), "alert"),
                    ("of an authority that has ended", ended.leaf("agent", "DNS:agent.example"), "alert"),
                    ("another name", good.leaf("stranger", "DNS:stranger.example"), 401),
                    ("the name in the subject only", good.sign("agent.example", "agent.example", 30, "basicConstraints=CA:FALSE"), 401),
                    ("a wildcard over the name", good.leaf("*.example", "DNS:*.example"), 401),
                    ("the name as an address of mail", good.leaf("mail", "email:agent@agent.example"), 401),
                    ("none", None, 401)):
                got = status_of(server, believing(certificate, pair))
                if want == "alert":
                    expect(isinstance(got, str) and "alert" in got.lower() or "closed" in str(got).lower(), f"{what}: {got}")
                else:
                    expect_equal(got, want, what)
            expect_equal(status_of(server, believing(certificate, other.leaf("x", "DNS:agent.example")), bearer(root))[:1] != "2", True,
                         "a token does not make up for a certificate of nobody")
            wait_until(lambda: "certificate" in server.log_text().split("TLS: the handshake", 1)[-1], what="words in the log")


def test_another_authority_for_clients_by_a_reload():
    with temporary_folder() as folder:
        old, new = Authority(folder / "old", "old"), Authority(folder / "new", "new")
        clients = folder / "clients.pem"
        clients.write_text(old.certificate.read_text())
        with encrypted("--tls-client-ca-file", str(clients)) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            make(server, "agent", "read:*", root, certificate_name="dns:agent.example")
            before = believing(certificate, old.leaf("agent", "DNS:agent.example"))
            after = believing(certificate, new.leaf("agent", "DNS:agent.example"))
            expect_equal(status_of(server, before), 200, "of the old authority")
            expect(status_of(server, after) != 200, "of the new one, before the reload")
            kept = connect(server, before)
            question = b"GET /api/v1/query?query=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            kept.sendall(question)
            expect(kept.recv(4096).startswith(b"HTTP/1.1 200 "), "a connection that stays")
            session = kept.session
            clients.write_text("no certificate")
            reload(server)
            expect("nothing was changed" in server.log_text(), server.log_text()[-500:])
            expect_equal(status_of(server, before), 200, "what cannot be read changed nothing")
            clients.write_text(new.certificate.read_text())
            reload(server)
            wait_until(lambda: status_of(server, after) == 200, what="the new authority")
            expect(status_of(server, before) != 200, "of the old authority, after the reload")
            # Who comes back with a ticket of a certificate that was good is asked for it again.
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                again = connect(server, before, session=session)
                again.sendall(question)
                expect(not again.recv(4096).startswith(b"HTTP/1.1 200 "), "a ticket outlives its authority")
            # Open connections go on with what they began with (tools/tls/README.md).
            kept.sendall(question)
            expect(kept.recv(4096).startswith(b"HTTP/1.1 200 "), "the open connection")
            kept.close()


def test_names_of_the_server():
    with temporary_folder() as folder:
        authority = Authority(folder / "ca", "authority")
        certificate, key = authority.leaf("server", "DNS:*.metrics.example,DNS:localhost,IP:127.0.0.1")
        with serving(folder, certificate, key) as server:
            context = believing(authority.certificate)
            for name, good in (("localhost", True), ("a.metrics.example", True), ("A.Metrics.Example", True), ("127.0.0.1", True),
                               ("metrics.example", False), ("a.b.metrics.example", False), ("evil.example", False)):
                try:
                    with connect(server, context, name) as connection:
                        expect(good and ping(connection) == 204, f"{name} was believed")
                except ssl.SSLCertVerificationError as error:
                    expect(not good, f"{name}: {error}")
            # No name at all: the one certificate is shown.
            quiet = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            quiet.check_hostname = False
            quiet.load_verify_locations(authority.certificate)
            with quiet.wrap_socket(socket.create_connection(("127.0.0.1", server.tls_port), timeout=60)) as connection:
                expect_equal(ping(connection), 204, "without a name")


def test_protocols_that_are_offered():
    with encrypted() as (server, _, certificate):
        for offered, chosen in ((["h2"], None), (["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (["acme-tls/1"], None), ([], None)):
            context = believing(certificate)
            if offered:
                context.set_alpn_protocols(offered)
            with connect(server, context) as connection:
                expect_equal((connection.selected_alpn_protocol(), ping(connection)), (chosen, 204), f"{offered}")
        for version, cipher in ((ssl.TLSVersion.TLSv1_3, "TLS_AES_128_GCM_SHA256"), (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256")):
            context = believing(certificate)
            context.minimum_version = context.maximum_version = version
            with connect(server, context) as connection:
                expect_equal((connection.cipher()[0], ping(connection)), (cipher, 204), f"{version}")


def test_what_the_log_says_of_a_handshake():
    for what, words, attempt in (
            ("TLS 1.1", "older versions of TLS", "old"), ("a client that does not believe", "unknown ca", "stranger"),
            ("noise", "", "noise"), ("in clear", "speaks in clear", "clear")):
        with encrypted() as (server, _, certificate):
            if attempt == "old":
                context = believing(certificate)
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
                context.set_ciphers("DEFAULT@SECLEVEL=0")
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    connect(server, context)
                    expect(False, "TLS 1.1 was taken")
            elif attempt == "stranger":
                with contextlib.suppress(ssl.SSLError):
                    connect(server, ssl.create_default_context())
            else:
                with socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) as raw:
                    raw.sendall(b"\x16\x03\x01\x00\x05noise" if attempt == "noise" else b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    with contextlib.suppress(ConnectionError):
                        raw.recv(4096)
            wait_until(lambda: "TLS: the handshake with 127.0.0.1:" in server.log_text(), what=f"a line about {what}")
            line = next(line for line in server.log_text().splitlines() if "TLS: the handshake with" in line)
            expect(words in line, f"{what}: {line}")
            # Strangers decide how often: it is not a line each.
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) as raw:
                    raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    raw.recv(4096)
            expect(server.log_text().count("TLS: the handshake with") <= 5, f"{what}: a line for each")
            expect_equal(ask(server, believing(certificate), "GET", "/ping")[0], 204, "a healthy client")


def test_files_of_the_server():
    with temporary_folder() as folder:
        authority = Authority(folder / "ca", "authority")
        between = Authority(folder / "between", "between", issuer=authority)
        leaf, key = between.leaf("localhost", "DNS:localhost")
        chain = folder / "chain.pem"
        chain.write_text(leaf.read_text() + between.certificate.read_text())
        with serving(folder, chain, key) as server:
            expect_equal(status_of(server, believing(authority.certificate)), 200, "a chain")
            # Another key, and one with a pass phrase: what is in force stays, and the answer names the file.
            good = key.read_text()
            _, other = authority.leaf("other", "DNS:localhost")
            for what, text in (("another key", other.read_text()), ("half a key", good[:60]), ("no key", "")):
                key.write_text(text)
                reload(server)
                said = server.log_text().rsplit("nothing was changed", 1)
                expect(len(said) == 2 and str(key) in said[1], f"{what}: {server.log_text()[-400:]}")
                expect_equal(status_of(server, believing(authority.certificate)), 200, f"after {what}")
            locked = folder / "locked.key"
            key.write_text(good)
            openssl("ec", "-in", key, "-out", locked, "-aes128", "-passout", "pass:secret")
            key.write_text(locked.read_text())
            reload(server)
            expect("has a pass phrase" in server.log_text(), server.log_text()[-400:])
            expect_equal(status_of(server, believing(authority.certificate)), 200, "after a key with a pass phrase")
            key.write_text(good)
            # The leaf alone is not believed by who knows the root only; that is the chain's work.
            chain.write_text(leaf.read_text())
            reload(server)
            wait_until(lambda: status_of(server, believing(authority.certificate)) != 200, what="a chain that is cut")
            expect_equal(server.stop(), 0, "the exit code")


def test_a_key_with_a_pass_phrase_is_not_asked_for_on_a_terminal():
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls")
        locked = folder / "locked.pem"
        openssl("pkey", "-in", key, "-out", locked, "-aes128", "-passout", "pass:secret")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(str(BIN / "tidemarkd"), ["tidemarkd", "--data", str(folder / "data"), "--http", "127.0.0.1:0", "--https", "127.0.0.1:0",
                                              "--tls-certificate-file", str(certificate), "--tls-key-file", str(locked), *OFF])
        said, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        expect(b"Enter PEM" not in said and b"has a pass phrase" in said and os.waitstatus_to_exitcode(status) > 0, said)


def test_many_bytes_both_ways_in_odd_pieces():
    with encrypted() as (server, _, certificate):
        context = believing(certificate)
        rows = "".join(f"odd,host=h{i} v={i}\n" for i in range(30_000)).encode()
        head = f"POST /write?db=odd HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(rows)}\r\n\r\n".encode()
        with connect(server, context) as connection:
            # A head in records of one byte, a body in records of many sizes.
            for at in range(len(head)):
                connection.sendall(head[at:at + 1])
            at, size = 0, 1
            while at < len(rows):
                connection.sendall(rows[at:at + size])
                at, size = at + size, size % 20_000 * 3 + 1
            expect(connection.recv(4096).startswith(b"HTTP/1.1 204 "), "a write in odd pieces")
            # Ten questions in one record: each is answered, in their order.
            asked = b"".join(f"GET /api/v1/query?db=odd&query=count(odd_v)*{i} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for i in range(1, 11))
            connection.sendall(asked)
            got = b""
            while got.count(b"HTTP/1.1 200 ") < 10 or not got.endswith(b"}"):
                piece = connection.recv(65536)
                expect(piece, got[-300:])
                got += piece
            at = [got.index(f'"{30_000 * i}"'.encode()) for i in range(1, 11)]
            expect_equal(at, sorted(at), "the order of answers")
            # A chunked body, the end of which comes with the next question.
            connection.sendall(b"POST /write?db=odd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nm v=1\r\n")
            connection.sendall(b"0\r\n\r\nGET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while got.count(b"HTTP/1.1 204 ") < 2:
                piece = connection.recv(65536)
                expect(piece, got)
                got += piece
        reply = ask(server, context, "GET", "/api/v1/series?db=odd&match[]=odd_v")
        expect(reply[0] == 200 and reply[2].count(b'"host"') == 30_000, "a large answer")
        # A client that says good-bye right behind its question, and one that goes without a word.
        with connect(server, context) as connection:
            connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            expect(connection.recv(4096).startswith(b"HTTP/1.1 204 "), "the last question")
            expect_equal(connection.recv(4096), b"", "the server says good-bye")
        raw = connect(server, context)
        raw.sendall(b"GET /api/v1/que")
        raw.close()
        expect_equal(ask(server, context, "GET", "/ping")[0], 204, "beside them")
        expect_equal(server.stop(), 0, "the exit code")


if __name__ == "__main__":
    run_tests(globals())
