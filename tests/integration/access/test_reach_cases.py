"""Cases of tokens, certificates and addresses that end, change or meet while something is under way: patterns and databases that
come later, rights that end between a request's head and its body, certificates with several names, chains in the wrong order,
paths below a prefix."""
import http.client
import json
import pathlib
import socket
import ssl
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, bearer, command, follow, make  # noqa: E402
from test_access_cases import FORM, OFF, QUESTION, basic, cookie_of, raw, sign_in, status_of  # noqa: E402
from test_more_cases import ended  # noqa: E402
from test_tls import ask as ask_encrypted, encrypted, new_certificate  # noqa: E402
from test_tls_cases import Authority, believing, connect, ping, reload, serving  # noqa: E402


def test_patterns_and_databases_that_come_later():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for db in ("team_a", "team_", "team", "TEAM_a", "xteam_a", "team.a", "prod_eu", "eu_prod"):
            expect_equal(ask(server, "POST", f"/write?db={db}", bearer(root), "m v=1" + ("\nhidden v=1" if db == "prod_eu" else ""))[0], 204, db)
        writer = make(server, "writer", "write:team_*", root)
        reader = make(server, "reader", "read:team_*", root)
        for db, want in (("team_a", 204), ("team_", 204), ("team_later", 204), ("team", 403), ("TEAM_a", 403), ("xteam_a", 403), ("team.a", 403),
                         ("team%5fnew", 204), ("default", 403), ("", 403)):
            expect_equal(ask(server, "POST", f"/write?db={db}", bearer(writer), "m v=1")[0], want, f"write to {db!r}")
        expect_equal(ask(server, "POST", "/write", bearer(writer), "m v=1")[0], 403, "a write without a database")
        for bucket, want in (("team_a", 204), ("team_a/autogen", 204), ("other/team_a", 403), ("team", 403)):
            expect_equal(ask(server, "POST", f"/api/v2/write?org=o&bucket={urllib.parse.quote(bucket, safe='')}", bearer(writer), "m v=1")[0], want, bucket)
        for db, want in (("team_a", 200), ("team_later", 200), ("team", 403), ("TEAM_a", 403)):
            expect_equal(ask(server, "GET", f"/api/v1/query?query=m_v&db={db}", bearer(reader))[0], want, f"read of {db}")
            status, _, body = ask(server, "GET", f"/query?q=SHOW+MEASUREMENTS&db={db}", bearer(reader))
            expect_equal((status, b'"values"' in body, b'"error"' in body), (200, want == 200, want != 200), f"statement on {db}: {body}")
        shown = json.loads(ask(server, "GET", "/query?q=SHOW+DATABASES", bearer(reader))[2])["results"][0]["series"][0]["values"]
        expect(sorted(row[0] for row in shown) == ["team_", "team_a", "team_later", "team_new"], shown)
        # A name in the statement counts, not the one beside it.
        for statement, want in (("SHOW MEASUREMENTS ON team", 403), ("SHOW MEASUREMENTS ON team_a", 200), ('SHOW TAG KEYS ON "prod_eu"', 403), ("SHOW MEASUREMENTS ON prod_eu", 403),
                                ("SHOW FIELD KEYS", 200), ('SHOW FIELD KEYS FROM "prod_eu"..hidden', 200), ("DROP DATABASE team_a", 403), ("DROP MEASUREMENT m", 403), ("DELETE FROM m", 403),
                                ("SELECT v INTO team_a..n FROM m", 403), ("CREATE DATABASE team_z", 403), ("SELECT v FROM m; DROP DATABASE team_a", 403)):
            for method in ("GET", "POST"):
                status, _, body = ask(server, method, "/query?db=team_a&q=" + urllib.parse.quote(statement), bearer(reader))
                refused = status == 403 or status in (400, 405) or b'"error"' in body
                expect(refused == (want == 403), f"{method} {statement}: {status} {body}")
                expect(b"hidden" not in body, f"{method} {statement}: of another database: {body}")
        for grant, yes, no in (("read:*_prod", "eu_prod", "prod_eu"), ("read:*u*p*", "eu_prod", "prod_eu"), ("read:prod_*", "prod_eu", "eu_prod")):
            secret = make(server, "p" + str(len(grant)) + grant[-1:].replace("*", "s"), grant, root)
            expect_equal([ask(server, "GET", f"/api/v1/query?query=m_v&db={db}", bearer(secret))[0] for db in (yes, no)], [200, 403], grant)
        expect_equal(ask(server, "GET", "/api/v1/query?query=m_v&db=team_a", bearer(root))[0], 200, "what was refused did nothing")


def test_a_right_that_ends_between_head_and_body():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for what in ("revoked", "rotated", "expired"):
            secret = make(server, f"t-{what}", "write:a", root, **({"expires": "2s"} if what == "expired" else {}))
            lines = f"{what} v=1\n"
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
                slow.sendall(f"POST /write?db=a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n"
                             f"Content-Length: {len(lines)}\r\n\r\n{lines[:4]}".encode())
                time.sleep(0.2)
                if what == "expired":
                    wait_until(lambda: ask(server, "POST", "/write?db=a", bearer(secret), "m v=1")[0] == 401, what="its end")
                else:
                    act = "revoke" if what == "revoked" else "rotate"
                    expect_equal(ask(server, "POST", f"/api/v1/admin/tokens/{act}?name=t-{what}", bearer(root))[0], 200, what)
                slow.sendall(lines[4:].encode())
                reply = b""
                while piece := slow.recv(65536):
                    reply += piece
            rows = json.loads(ask(server, "GET", f"/api/v1/query?query={what}_v&db=a", bearer(root))[2])["data"]["result"]
            expect_equal((status_of(reply), rows), (401, []), what)


def test_the_end_of_an_overlap_ends_what_the_old_secret_began():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        expect_equal(ask(server, "POST", "/write?db=a", bearer(root), 'log message="x"')[0], 204, "an event")
        old = make(server, "agent", "read:a", root)
        stream = follow(server, bearer(old))
        cookie, _ = sign_in(server, old)
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/rotate?name=agent&overlap=2s", bearer(root))
        new = json.loads(body)["data"]["token"]
        expect_equal([ask(server, "GET", QUESTION, bearer(each))[0] for each in (old, new)], [200, 200], "both, meanwhile")
        listed = next(each for each in json.loads(ask(server, "GET", "/api/v1/admin/tokens", bearer(root))[2])["data"] if each["name"] == "agent")
        expect(old not in json.dumps(listed) and new not in json.dumps(listed), listed)
        ended(stream)
        expect_equal([ask(server, "GET", QUESTION, bearer(each))[0] for each in (old, new)], [401, 200], "the new one alone")
        expect_equal(ask(server, "GET", QUESTION, cookie_of(cookie))[0], 401, "a session that the old one opened")


def test_schemes_that_meet():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        # Without tokens whoever brings one is served as everybody: agents are set up before the server is.
        expect_equal(ask(server, "GET", QUESTION, bearer("none"))[0], 200, "a token before there are any")
        root = make(server, "root", "admin:*")
        quoted = urllib.parse.quote(root)
        for what, head, want in (
                ("Bearer and Token, the same", f"Authorization: Bearer {root}\r\nAuthorization: Token {root}\r\n", 401),
                ("Bearer alone", "Authorization: Bearer\r\n", 401), ("Bearer and a space", "Authorization: Bearer \r\n", 401),
                ("Token alone", "Authorization: Token\r\n", 401), ("Basic alone", "Authorization: Basic\r\n", 401),
                ("a name in another case", f"AUTHORIZATION: Bearer {root}\r\n", 200), ("spaces in front", f"Authorization:    Token {root}\r\n", 200),
                ("a folded line, which is a space", f"Authorization: Bearer\r\n {root}\r\n", 200), ("a zero byte behind it", f"Authorization: Bearer {root}\0\r\n", 400),
                ("in quotes", f'Authorization: Bearer "{root}"\r\n', 401), ("a name in front", f"Authorization: Token name={root}\r\n", 401),
                ("a space before the colon", f"Authorization : Bearer {root}\r\n", 400)):
            for version in ("1.1", "1.0"):
                reply = raw(server, f"GET {QUESTION} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n{head}\r\n")
                expect_equal(status_of(reply), want, f"{what}, HTTP/{version}: {reply[:300]}")
        for what, target, headers, want in (
                ("the same in header and query", f"{QUESTION}&p={quoted}", bearer(root), 200), ("Basic and the same p", f"{QUESTION}&p={quoted}", basic("a", root), 200),
                ("Basic and another p", f"{QUESTION}&p=x", basic("a", root), 401), ("an empty p beside a header", f"{QUESTION}&p=", bearer(root), 200),
                ("an empty p alone", f"{QUESTION}&u=a&p=", {}, 401), ("P in capitals", f"{QUESTION}&P={quoted}", {}, 401),
                ("p twice, the same", f"{QUESTION}&p={quoted}&p={quoted}", {}, 200), ("in the fragment", f"{QUESTION}#p={quoted}", {}, 401)):
            status, _, body = ask(server, "GET", target, headers)
            expect(status == want or (what == "in the fragment" and status == 400), f"{what}: {status} {body}")
        # What a bad one is told is the same on every kind of method, and of routes that are not there nothing is told.
        for method in ("HEAD", "OPTIONS", "DELETE", "PUT", "PATCH"):
            status, headers, _ = ask(server, method, QUESTION, {"Origin": "https://evil.example"} if method == "OPTIONS" else {})
            expect(not any(name.lower().startswith("access-control-") for name in headers), f"{method}: {headers}")
            expect(status in ((204, 401, 403, 405) if method == "OPTIONS" else (401, 403, 405)), f"{method}: {status}")
        for secret in ("", root + "\n", "x" * 100_000):
            done = command(server, "query", "1", token=secret)
            expect((done.returncode == 0) == (secret == root + "\n") or secret != root + "\n" and done.returncode != 0, done.stderr[:300])
            expect("x" * 100 not in done.stderr and root not in done.stderr, "a secret in an error")


def test_certificates_of_several_names():
    with temporary_folder() as folder:
        authority = Authority(folder / "ca", "ca")
        with encrypted("--tls-client-ca-file", str(authority.certificate)) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            for name, shown in (("dns", "dns:agent.example"), ("uri", "uri:spiffe://tm.example/agent/1"), ("email", "email:agent@mail.example"), ("ip", "ip:192.0.2.7"),
                                ("six", "ip:2001:db8::7")):
                make(server, name, f"write:{name}", root, certificate_name=shown)
            number = 0

            def context(alternatives):
                nonlocal number
                number += 1
                return believing(certificate, authority.leaf(f"leaf{number}", alternatives))

            def writes(shown, db, headers=None):
                return ask_encrypted(server, shown, "POST", f"/write?db={db}", headers, "m v=1")[0]

            for alternatives, db in (("DNS:agent.example", "dns"), ("URI:spiffe://tm.example/agent/1", "uri"), ("email:agent@mail.example", "email"),
                                     ("IP:192.0.2.7", "ip"), ("IP:2001:db8:0::7", "six"), ("DNS:other.example,IP:192.0.2.7", "ip"), ("DNS:AGENT.Example", "dns")):
                shown = context(alternatives)
                expect_equal([writes(shown, db), writes(shown, "elsewhere")], [204, 403], alternatives)
            for alternatives in ("DNS:agent.example.evil", "URI:spiffe://tm.example/agent/11", "URI:agent.example", "email:agent.example@agent.example", "DNS:192.0.2.7",
                                 "IP:192.0.2.8", "DNS:sub.agent.example"):
                expect_equal(writes(context(alternatives), "dns"), 401, alternatives)
            # Of two tokens' names neither is guessed.
            both = context("DNS:agent.example,IP:192.0.2.7")
            status, _, body = ask_encrypted(server, both, "POST", "/write?db=dns", None, "m v=1")
            expect(status in (204, 401, 403), f"two names: {status} {body}")
            # A token that is shown counts, and so does a session.
            one = context("DNS:agent.example")
            expect_equal([writes(one, "elsewhere", bearer(root)), writes(one, "dns", bearer("none"))], [204, 401], "a token beside a certificate")
            # Revoked and rotated: the certificate goes with its token.
            expect_equal(ask_encrypted(server, believing(certificate), "POST", "/api/v1/admin/tokens/rotate?name=uri", bearer(root))[0], 200, "rotated")
            expect_equal(writes(context("URI:spiffe://tm.example/agent/1"), "uri"), 204, "a rotation is of secrets")
            with connect(server, one) as kept:
                kept.sendall(b"POST /write?db=dns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v=1")
                expect(kept.recv(4096).startswith(b"HTTP/1.1 204"), "kept")
                expect_equal(ask_encrypted(server, believing(certificate), "POST", "/api/v1/admin/tokens/revoke?name=dns", bearer(root))[0], 200, "revoked")
                kept.sendall(b"POST /write?db=dns HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v=1")
                expect(kept.recv(4096).startswith(b"HTTP/1.1 401"), "the kept connection of a revoked one")


def test_chains_and_dates_of_the_server():
    with temporary_folder() as folder:
        authority = Authority(folder / "ca", "authority")
        between = Authority(folder / "between", "between", issuer=authority)
        leaf, key = between.leaf("server", "DNS:localhost")
        chain, wrong = folder / "chain.pem", folder / "wrong.pem"
        chain.write_text(leaf.read_text() + between.certificate.read_text())
        wrong.write_text(between.certificate.read_text() + leaf.read_text())
        other_key = authority.leaf("other", "DNS:localhost")[1]
        late, late_key = authority.leaf("late", "DNS:localhost", -1)
        (folder / "now.pem").write_text(chain.read_text())
        (folder / "now.key").write_text(key.read_text())
        with serving(folder, folder / "now.pem", folder / "now.key") as server:
            context = believing(authority.certificate)
            with connect(server, context) as kept:
                expect_equal(ping(kept), 204, "a chain")
                for what, certificate, its_key, words in (
                        ("another's key", chain, other_key, "now.key"), ("the chain in the wrong order", wrong, key, "now."),
                        ("an empty file", None, key, "now.pem"), ("the key as the certificate", key, key, "now.pem"), ("the certificate as the key", chain, chain, "now.key")):
                    (folder / "now.pem").write_text(certificate.read_text() if certificate else "")
                    (folder / "now.key").write_text(its_key.read_text())
                    status, _, body = ask(server, "POST", "/-/reload")
                    expect(status >= 400 and words.encode() in body, f"{what}: {status} {body}")
                    expect("PRIVATE KEY" not in server.log_text() + body.decode(), f"{what}: a key is told")
                    with connect(server, context) as new:
                        expect_equal(ping(new), 204, f"{what}: the last good one")
                expect_equal(ping(kept), 204, "the kept connection")
                # A certificate that has ended is taken, since the clients may believe it, and is said to have.
                (folder / "now.pem").write_text(late.read_text())
                (folder / "now.key").write_text(late_key.read_text())
                ask(server, "POST", "/-/reload")
                wait_until(lambda: "ended" in server.log_text() or "expired" in server.log_text(), what="words about a certificate that has ended")
                try:
                    with connect(server, context) as new:
                        expect(False, "a certificate that has ended was believed")
                except ssl.SSLCertVerificationError as error:
                    expect("expired" in str(error), error)
                expect_equal(ping(kept), 204, "the kept connection, again")


def test_handshakes_in_pieces():
    """Whole handshakes, with a client's certificate too, whose bytes come in any pieces; and ones that end in the middle of a record."""
    with temporary_folder() as folder:
        authority = Authority(folder / "ca", "ca")
        pair = authority.leaf("agent", "DNS:agent.example")
        with encrypted("--tls-client-ca-file", str(authority.certificate)) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            make(server, "agent", "read:*", root, certificate_name="dns:agent.example")

            def shake(context, size, stop_after=None):
                """The status of a question behind it; None when the server hung up on a handshake that was cut off."""
                inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
                one = context.wrap_bio(inside, outside, server_hostname="localhost")
                sent = 0
                with socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) as raw_one:
                    raw_one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    asked, reply = False, b""
                    while True:
                        try:
                            if not asked:
                                one.do_handshake()
                                one.write(b"GET /api/v1/query?query=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                                asked = True
                            reply += one.read(65536)
                            return status_of(reply)
                        except ssl.SSLWantReadError:
                            pass
                        out = outside.read()
                        for at in range(0, len(out), size):
                            raw_one.sendall(out[at:at + size])
                            sent += size
                            if stop_after and sent >= stop_after:
                                raw_one.shutdown(socket.SHUT_WR)
                                began = time.monotonic()
                                while raw_one.recv(65536):
                                    pass
                                return time.monotonic() - began
                            if size < 64 and at % 50 < size:
                                time.sleep(0.001)
                        got = raw_one.recv(65536)
                        if not got:
                            return None
                        inside.write(got)

            known, nobody = believing(certificate, pair), believing(certificate)
            for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
                known.minimum_version = known.maximum_version = version
                for size in (1, 3, 5, 6, 7, 100, 5000):
                    expect_equal((shake(known, size), shake(nobody, size)), (200, 401), f"{version}, pieces of {size}")
            for cut in (1, 3, 5, 6, 100, 300):
                waited = shake(nobody, 1, cut)
                expect(waited < 5, f"{cut} bytes and an end: it was noticed after {waited:.1f} s")
            # Many at once, from one place, keep nobody waiting for good.
            kept = [socket.create_connection(("127.0.0.1", server.tls_port), timeout=60) for _ in range(200)]
            for each in kept:
                each.sendall(b"\x16\x03\x01")
            expect_equal(shake(nobody, 5000), 401, "a handshake beside 200 that have begun")
            for each in kept:
                each.close()
            wait_until(lambda: "tidemark_http_connections" in ask(server, "GET", "/metrics", bearer(root))[2].decode(), what="metrics")


def test_the_log_of_acts_is_checked_either_way():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for words in (("admin", "audit", "verify"), ("admin", "audit", "--verify"), ("admin", "audit", "--verify", "--json")):
            done = command(server, *words, token=root)
            expect(done.returncode == 0 and "whole" in done.stdout, f"{words}: {done.stdout}{done.stderr}")
        newest = max(path for path in (server.data / "audit").glob("*.jsonl") if path.stat().st_size)
        server.stop()
        newest.write_bytes(newest.read_bytes().replace(b"root", b"toor", 1))
        server.start()
        for words in (("admin", "audit", "verify"), ("admin", "audit", "--verify")):
            done = command(server, *words, token=root)
            expect(done.returncode == 1, f"{words}: {done.returncode} {done.stdout}{done.stderr}")


def test_paths_below_a_prefix():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-external-url", "https://m.example/a/tm/") as server:
        for path, want in (("/a/tm", (302, "/a/tm/dashboard")), ("/a/tm/", (302, "/a/tm/dashboard")), ("/", (302, "/a/tm/")), ("/a/tm/-/healthy", (200, None)),
                           ("/a/tm/-/ready", (200, None)), ("/a/tm/ping", (204, None)), ("/-/healthy", (404, None)), ("/a/tmx", (404, None)), ("/a", (404, None)),
                           ("/a/tm/../../-/healthy", (404, None)), ("/A/TM/-/healthy", (404, None)), ("//a/tm/-/healthy", (404, None)), ("/a/%74m/-/healthy", None)):
            reply = raw(server, f"GET {path} HTTP/1.1\r\nHost: m.example\r\nConnection: close\r\n\r\n")
            head = http.client.parse_headers(__import__("io").BytesIO(reply.split(b"\r\n", 1)[1]))
            if want is None:
                expect(status_of(reply) in (200, 404), path)
            else:
                expect_equal((status_of(reply), head.get("Location")), want, path)
            # A redirect never leads to another server.
            expect(not (head.get("Location") or "/").startswith(("//", "/\\", "http")), f"{path}: {head.get('Location')}")
        for path in ("//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/a/tm//evil.example"):
            reply = raw(server, f"GET {path} HTTP/1.1\r\nHost: m.example\r\nConnection: close\r\n\r\n")
            expect(b"Location: //" not in reply and b"Location: http" not in reply and b"Location: /\\" not in reply, f"{path}: {reply[:300]}")
        page = ask(server, "GET", "/a/tm/dashboard")
        expect(page[0] == 200 and b'"/assets' not in page[2] and b'"/dashboard/' not in page[2], "what the page loads lies below the prefix")
        root = json.loads(ask(server, "POST", "/a/tm/api/v1/admin/tokens?name=root&grant=admin:*")[2])["data"]["token"]
        set_cookie, csrf = sign_in(server, root, "/a/tm")
        expect("Path=/a/tm;" in set_cookie + ";" and "Domain" not in set_cookie, set_cookie)
        status, headers, _ = ask(server, "DELETE", "/a/tm/api/v1/session", {**cookie_of(set_cookie), **csrf})
        expect(status == 200 and "Path=/a/tm" in headers.get("Set-Cookie", "") and "Max-Age=0" in headers["Set-Cookie"], headers)
        for header in ("X-Forwarded-Proto: http", "X-Forwarded-Prefix: /evil", "X-Forwarded-Host: evil.example", "X-Script-Name: /evil", "X-Original-URL: /a/tm/api/v1/admin/tokens",
                       "X-HTTP-Method-Override: DELETE"):
            reply = raw(server, f"GET /a/tm/ HTTP/1.1\r\nHost: m.example\r\n{header}\r\nConnection: close\r\n\r\n")
            expect(status_of(reply) == 302 and b"evil" not in reply, f"{header}: {reply[:300]}")


if __name__ == "__main__":
    run_tests(globals())
