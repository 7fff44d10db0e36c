"""Tokens and sessions against a real server: what lets in, what is cut off, and what is never told."""
import base64
import http.client
import json
import pathlib
import socket
import subprocess

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


def test_only_loopback_without_tokens():
    with temporary_folder() as folder:
        done = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "0.0.0.0:0", *OFF],
                              capture_output=True, text=True, timeout=60)
        expect(done.returncode != 0 and "token first" in done.stderr, done.stderr)


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
