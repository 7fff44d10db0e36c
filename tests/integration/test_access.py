"""Tokens and sessions against a real server: what lets in, what is cut off, and what is never told."""
import base64
import http.client
import json
import pathlib
import socket
import subprocess
import urllib.parse

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder

OFF = ("--host-metrics", "off")


def ask(server, method, target, headers=None, body=None):
    """Status, headers and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def make(server, name, grant, secret=None, **more):
    query = "&".join([f"name={name}", f"grant={grant}", *(f"{k}={v}" for k, v in more.items())])
    status, _, body = ask(server, "POST", f"/api/v1/admin/tokens?{query}", bearer(secret) if secret else {})
    expect_equal(status, 200, f"{name}: {body}")
    return json.loads(body)["data"]["token"]


def command(server, *arguments, token=None, input=None):
    environment = {"PATH": "/usr/bin:/bin", "TIDEMARK_SERVER": f"http://127.0.0.1:{server.port}"}
    if token:
        environment["TIDEMARK_TOKEN"] = token
    return subprocess.run([str(BIN / "tidemark"), *arguments], capture_output=True, text=True, env=environment,
                          input=input, timeout=60)


def test_from_the_first_token_on():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        expect_equal(ask(server, "POST", "/write?db=a", body="m v=1")[0], 204, "a write without tokens")
        expect_equal(ask(server, "GET", "/api/v1/query?query=1", {"Host": "evil.example"})[0], 403, "another name")
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens?name=r&grant=read:a")
        expect_equal(status, 400, f"a first token that is no admin: {body}")
        root = make(server, "root", "admin:*")
        expect_equal(ask(server, "POST", "/write?db=a", body="m v=1")[0], 401, "a write without one of the tokens")
        expect_equal(ask(server, "GET", "/-/healthy")[0], 200, "the health check")
        status, _, body = ask(server, "GET", "/health")
        expect_equal(status, 200, body)
        expect_equal(ask(server, "GET", "/metrics")[0], 401, "/metrics")
        for headers in (bearer(root), {"Authorization": f"Token {root}"},
                        {"Authorization": "Basic " + base64.b64encode(f"x:{root}".encode()).decode()}):
            expect_equal(ask(server, "POST", "/write?db=a", headers, "m v=1")[0], 204, str(headers)[:30])
        expect_equal(ask(server, "POST", f"/write?db=a&u=x&p={root}", body="m v=1")[0], 204, "u and p")
        writer = make(server, "writer", "write:a", root)
        expect_equal(ask(server, "POST", "/write?db=a", bearer(writer), "m v=2")[0], 204, "the writer")
        expect_equal(ask(server, "POST", "/write?db=b", bearer(writer), "m v=2")[0], 403, "the writer elsewhere")
        expect_equal(ask(server, "GET", "/api/v1/query?query=m_v&db=a", bearer(writer))[0], 403, "the writer reads")
        expect_equal(server.stop(), 0, "the exit code")
        # After a restart too, and for the commands.
        server.start()
        expect_equal(ask(server, "GET", "/api/v1/query?query=1")[0], 401, "after a restart")
        done = command(server, "query", "m_v", "--db", "a", token=root)
        expect_equal(done.returncode, 0, done.stderr)
        done = command(server, "query", "m_v", "--db", "a")
        expect(done.returncode != 0 and "asks for a token" in done.stderr and "TIDEMARK_TOKEN" in done.stderr, done.stderr)
        done = command(server, "write", "--db", "a", "-", token=writer, input="m v=3\n")
        expect_equal(done.returncode, 0, done.stderr)
        done = command(server, "admin", "token", "list", token=root)
        expect(done.returncode == 0 and "writer" in done.stdout and writer not in done.stdout, done.stdout + done.stderr)
        # No secret is in the log, the data directory, or what the server says of itself.
        said = server.log_text() + ask(server, "GET", "/metrics", bearer(root))[2].decode()
        said += ask(server, "GET", "/api/v1/status/config", bearer(root))[2].decode()
        for secret in (root, writer):
            expect(secret not in said, "a secret is told")
            for path in pathlib.Path(folder).rglob("*"):
                if path.is_file():
                    expect(secret.encode() not in path.read_bytes(), f"a secret is in {path}")


def test_what_is_revoked_is_cut_off():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:a", root)
        expect_equal(ask(server, "POST", "/write?db=a", bearer(root), 'log message="x"')[0], 204, "a write")
        stream = socket.create_connection(("127.0.0.1", server.port))
        stream.sendall(f"GET /api/v1/events?follow=1&db=a&match[]=log_message HTTP/1.1\r\nHost: localhost\r\n"
                       f"Authorization: Bearer {reader}\r\nAccept: text/event-stream\r\n\r\n".encode())
        stream.settimeout(60)
        got = b""
        while b": following" not in got:
            got += stream.recv(4096)
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/revoke?name=reader", bearer(root))
        expect_equal(status, 200, body)
        while True:  # to the end that the server makes
            piece = stream.recv(4096)
            if not piece:
                break
        stream.close()
        expect_equal(ask(server, "GET", "/api/v1/query?query=1&db=a", bearer(reader))[0], 401, "the revoked one")


def follow(server, headers):
    """A stream of events that has begun."""
    stream = socket.create_connection(("127.0.0.1", server.port))
    shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    stream.sendall(f"GET /api/v1/events?follow=1&db=a&match[]=log_message HTTP/1.1\r\nHost: localhost\r\n{shown}"
                   "Accept: text/event-stream\r\n\r\n".encode())
    stream.settimeout(60)
    got = b""
    while b": following" not in got:
        piece = stream.recv(4096)
        expect(piece, f"it ended at once: {got}")
        got += piece
    return stream


def test_a_secret_that_ends_takes_its_streams_and_sessions_along():
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for overlap, what in (("", "replaced at once"), ("&overlap=1s", "after the overlap"), ("revoke", "revoked"), ("1s", "expired")):
        with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
            root = make(server, "root", "admin:*")
            more = {"expires": "1s"} if overlap == "1s" else {}
            old = make(server, "reader", "read:a", root, **more)
            expect_equal(ask(server, "POST", "/write?db=a", bearer(root), 'log message="x"')[0], 204, "a write")
            status, headers, body = ask(server, "POST", "/api/v1/session", form, f"token={old}")
            expect_equal(status, 200, body)
            cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
            streams = [follow(server, bearer(old)), follow(server, cookie)]
            kept = follow(server, bearer(root))
            new = None
            if overlap == "revoke":
                expect_equal(ask(server, "POST", "/api/v1/admin/tokens/revoke?name=reader", bearer(root))[0], 200, what)
            elif overlap != "1s":
                status, _, body = ask(server, "POST", f"/api/v1/admin/tokens/rotate?name=reader{overlap}", bearer(root))
                expect_equal(status, 200, body)
                new = json.loads(body)["data"]["token"]
            for stream in streams:
                while stream.recv(4096):  # to the end that the server makes
                    pass
                stream.close()
            expect_equal(ask(server, "GET", "/api/v1/query?query=1&db=a", bearer(old))[0], 401, f"the secret, {what}")
            expect_equal(ask(server, "GET", "/api/v1/query?query=1&db=a", cookie)[0], 401, f"its session, {what}")
            if new:
                expect_equal(ask(server, "GET", "/api/v1/query?query=1&db=a", bearer(new))[0], 200, f"the new one, {what}")
            kept.setblocking(False)
            try:
                expect(kept.recv(4096), f"the stream of another token ended, {what}")
            except BlockingIOError:
                pass
            kept.close()


def test_statements_and_refusals_are_written_down_without_passwords():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:a", root)
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        def statement(secret, text):
            status, _, body = ask(server, "POST", "/query?db=a", {**bearer(secret), **form}, urllib.parse.urlencode({"q": text}))
            expect_equal(status, 200, body)

        statement(root, "CREATE DATABASE a")
        statement(root, "DROP DATABASE b; CREATE USER ada WITH PASSWORD 'planted' WITH ALL PRIVILEGES")
        statement(root, "DROP DATABASE c; SET PASSWORD FOR ada = \"planted\"")
        broken = urllib.parse.urlencode({"q": "DROP DATABASE d; CREATE USER ada WITH PASSWORD 'planted"})
        status, _, body = ask(server, "POST", "/query", {**bearer(root), **form}, broken)
        expect(status == 200 and b"error" in (body if isinstance(body, bytes) else body.encode()), f"a string without an end: {status} {body}")
        statement(reader, "SHOW MEASUREMENTS; DROP DATABASE a")
        expect_equal(ask(server, "GET", "/query?q=CREATE%20USER%20x%20WITH%20PASSWORD%20%27planted%27", bearer(root))[0], 200, "a GET")
        expect_equal(ask(server, "POST", "/api/v1/session", form, "token=planted")[0], 401, "a wrong token")
        expect_equal(ask(server, "POST", "/write?db=b", bearer(reader), "m v=1")[0], 403, "a write of a reader")
        for path in ("/api/v1/rules", "/config/v1/rules"):
            expect_equal(ask(server, "GET", path, bearer(reader))[0], 403, "rules of another database")
        silence = json.dumps({"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": "2030-01-01T00:00:00Z",
                              "endsAt": "2030-01-02T00:00:00Z", "createdBy": "me", "comment": "c"})
        status, _, body = ask(server, "POST", "/api/v2/silences", {**bearer(root), "Content-Type": "application/json"}, silence)
        expect_equal(status, 200, body)
        identity = json.loads(body)["silenceID"]
        expect_equal(ask(server, "DELETE", f"/api/v2/silence/{identity}", bearer(root))[0], 200, "the end of a silence")
        expect_equal(server.stop(), 0, "the exit code")  # refusals are written within a second, and at the end
        server.start()
        listed = json.loads(ask(server, "GET", "/api/v1/admin/audit?limit=1000", bearer(root))[2])["data"]
        acts = {(record["who"], record["act"]) for record in listed}
        for act in ("CREATE DATABASE a: done", "DROP DATABASE b: done", "DROP DATABASE c: done", f"silence set {identity}",
                    f"silence end {identity}"):
            expect(("root", act) in acts, f"{act} is not in {acts}")
        refused = {(record["who"], record["act"], record["status"]): record["why"] for record in listed if "why" in record}
        expect('has no right to administer the database "a"' in refused[("reader", "POST /query", 200)], refused)
        expect("is not known" in refused[("nobody", "POST /api/v1/session", 401)], refused)
        expect("may not write" in refused[("reader", "POST /write", 403)], refused)
        for path in ("/api/v1/rules", "/config/v1/rules"):
            expect("no right to read the database of the rules" in refused[("reader", f"GET {path}", 403)], refused)
        for path in (folder / "data").rglob("*"):
            if path.is_file() and path.parent.name == "audit":
                expect(b"planted" not in path.read_bytes(), path.read_text())
        expect("planted" not in server.log_text(), "the log")
        whole = json.loads(ask(server, "GET", "/api/v1/admin/audit/verify", bearer(root))[2])["data"]
        expect_equal(whole, {"whole": True}, "the chain")


def test_the_first_token_changes_at_once_which_pages_are_believed():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        page = {"Host": "metrics.example", "Origin": "http://metrics.example"}
        expect_equal(ask(server, "POST", "/write?db=a", page, "m v=1")[0], 403, "a page that points its name here")
        root = make(server, "root", "admin:*")
        expect_equal(ask(server, "POST", "/write?db=a", page, "m v=1")[0], 401, "the same with tokens")
        expect_equal(ask(server, "POST", "/write?db=a", {**page, **bearer(root)}, "m v=1")[0], 204, "with a token")
        other = {**page, "Origin": "http://other.example", **bearer(root)}
        expect_equal(ask(server, "POST", "/write?db=a", other, "m v=1")[0], 403, "a page of another name")


def test_rotation_under_load():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        old = make(server, "agent", "write:a", root)
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/rotate?name=agent&overlap=1h", bearer(root))
        expect_equal(status, 200, body)
        new = json.loads(body)["data"]["token"]
        for secret in (old, new):
            expect_equal(ask(server, "POST", "/write?db=a", bearer(secret), "m v=1")[0], 204, "during the overlap")
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/rotate?name=agent", bearer(root))
        expect_equal(status, 200, body)
        for secret in (old, new):
            expect_equal(ask(server, "POST", "/write?db=a", bearer(secret), "m v=1")[0], 401, "without an overlap")


def test_a_lost_token_is_made_anew_in_the_data_directory():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        make(server, "root", "admin:*")
        while_it_runs = command(server, "admin", "token", "first", "rescue", "--data", str(server.data))
        expect(while_it_runs.returncode == 1, "the server has the directory")
        expect_equal(server.stop(), 0, "the exit code")
        made = command(server, "admin", "token", "first", "rescue", "--data", str(server.data))
        expect_equal(made.returncode, 0, made.stderr)
        secret = made.stdout.strip()
        # With tokens, other addresses than loopback are served.
        server.arguments = (*server.arguments, "--http", "0.0.0.0:0")
        server.start()
        status, _, body = ask(server, "GET", "/api/v1/admin/tokens", bearer(secret))
        expect(status == 200 and b'"name":"root"' in body and b'"name":"rescue"' in body, body)


def test_the_first_token_is_made_where_a_store_is_or_can_be():
    with temporary_folder() as folder:
        def first(directory):
            return subprocess.run([str(BIN / "tidemark"), "admin", "token", "first", "admin", "--data", str(directory)],
                                  capture_output=True, text=True, timeout=60)

        done = first(folder / "mistyped")
        expect(done.returncode != 0 and not done.stdout and "is no data directory" in done.stderr, done)
        expect(not (folder / "mistyped").exists(), "a directory was made by a name that was mistyped")
        (folder / "home").mkdir()
        (folder / "home/letter.txt").write_text("x")
        done = first(folder / "home")
        expect(done.returncode != 0 and not done.stdout and "is no data directory" in done.stderr, done)
        expect_equal([each.name for each in (folder / "home").iterdir()], ["letter.txt"], "somebody's folder")
        # An empty volume is given a token before its server first starts.
        (folder / "volume").mkdir()
        done = first(folder / "volume")
        expect_equal(done.returncode, 0, done.stderr)
        with Server(folder / "volume", *OFF) as server:
            expect_equal(ask(server, "GET", "/api/v1/admin/tokens", bearer(done.stdout.strip()))[0], 200, "its server knows it")
            expect("token new" not in server.log_text(), "what is there is not asked for")


def test_only_loopback_without_tokens():
    with temporary_folder() as folder:
        done = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "0.0.0.0:0", *OFF],
                              capture_output=True, text=True, timeout=60)
        expect(done.returncode != 0 and "token first" in done.stderr, done.stderr)


def listeners_of(pid):
    """(protocol, address) of each socket that waits for others in the process' network."""
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            words = line.split()
            # Of TCP the state LISTEN; a datagram socket waits in any.
            if protocol.startswith("udp") or words[3] == "0A":
                found.add((protocol, words[1].rsplit(":", 1)[0]))
    return found


def test_a_default_start_is_seen_on_loopback_only():
    """In a network of its own, so that nobody else listens there and the default ports are free."""
    alone = ("unshare", "-n", "sh", "-c")
    up = "ip link set lo up"
    if subprocess.run([*alone, up], capture_output=True).returncode != 0:
        print("     no network of its own can be made here: left out", flush=True)
        return
    with temporary_folder() as folder:
        command = f"{up}; exec {BIN / 'tidemarkd'} --data {folder / 'data'} --udp 127.0.0.1:8089 --native 127.0.0.1:8087"
        for words in (command, command.split(" --udp")[0]):
            server = subprocess.Popen([*alone, words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                while line := server.stdout.readline():
                    if b"listening on http" in line:
                        break
                found = listeners_of(server.pid)
                expect(len(found) >= (2 if "--udp" in words else 1), found)
                for protocol, address in found:
                    expect_equal(address, "0100007F", f"an address of {protocol}")
            finally:
                server.terminate()
                expect_equal(server.wait(60), 0, "the exit code")


def test_signs_in_and_out():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        expect_equal(ask(server, "GET", "/api/v1/session")[0], 401, "nobody")
        status, headers, body = ask(server, "POST", "/api/v1/session", form, f"token={root}")
        expect_equal(status, 200, body)
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        csrf = {"X-Tidemark-Csrf": json.loads(body)["data"]["csrf"]}
        expect_equal(ask(server, "GET", "/api/v1/query?query=1", cookie)[0], 200, "a query of the page")
        expect_equal(ask(server, "POST", "/api/v1/query", {**cookie, **form}, "query=1")[0], 403, "without the header")
        expect_equal(ask(server, "POST", "/api/v1/query", {**cookie, **csrf, **form}, "query=1")[0], 200, "with it")
        expect_equal(server.stop(), 0, "the exit code")
        server.start()
        expect_equal(ask(server, "GET", "/api/v1/query?query=1", cookie)[0], 200, "after a restart")
        expect_equal(ask(server, "DELETE", "/api/v1/session", {**cookie, **csrf})[0], 200, "signing out")
        expect_equal(ask(server, "GET", "/api/v1/query?query=1", cookie)[0], 401, "signed out")


if __name__ == "__main__":
    run_tests(globals())
