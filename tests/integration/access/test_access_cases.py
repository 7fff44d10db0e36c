"""Tokens, sessions and addresses, case by case, as a stranger would try them: what each way of showing a token means, whom a
session belongs to, by which names the server is known, and what the log of acts keeps."""
import base64
import json
import pathlib
import re
import signal
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, bearer, command, follow, make  # noqa: E402

OFF = ("--host-metrics", "off")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUESTION = "/api/v1/query?query=1&db=a"


def raw(server, text, until=None):
    """All that comes back for the bytes of a request, to the end that the server makes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as one:
        one.sendall(text if isinstance(text, bytes) else text.encode())
        reply = b""
        while piece := one.recv(65536):
            reply += piece
            if until and until in reply:
                break
        return reply


def status_of(reply):
    return int(reply.split(b" ", 2)[1])


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def sign_in(server, secret, path=""):
    status, headers, body = ask(server, "POST", f"{path}/api/v1/session", FORM, "token=" + urllib.parse.quote(secret))
    expect_equal(status, 200, body)
    return headers["Set-Cookie"], {"X-Tidemark-Csrf": json.loads(body)["data"]["csrf"]}


def cookie_of(set_cookie):
    return {"Cookie": set_cookie.split(";")[0]}


def test_ways_to_show_a_token():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        quoted = urllib.parse.quote(root)
        cases = [
            ("Basic without a user", basic("", root), "", 200), ("Basic with a user", basic("ada", root), "", 200),
            ("Basic with the token as the user", basic(root, ""), "", 401), ("Basic without a colon",
             {"Authorization": "Basic " + base64.b64encode(root.encode()).decode()}, "", 401),
            ("Basic that is no base64", {"Authorization": "Basic ???"}, "", 401),
            ("bearer in lower case", {"Authorization": f"bearer {root}"}, "", 200), ("BEARER", {"Authorization": f"BEARER {root}"}, "", 200),
            ("spaces around it", {"Authorization": f"Bearer   {root}  "}, "", 200), ("token of InfluxDB", {"Authorization": f"token {root}"}, "", 200),
            ("no scheme", {"Authorization": root}, "", 401), ("another scheme", {"Authorization": f"Digest {root}"}, "", 401),
            ("an empty header", {"Authorization": ""}, "", 401), ("two tokens in one", {"Authorization": f"Bearer {root}, Bearer {root}"}, "", 401),
            ("a part of it", {"Authorization": f"Bearer {root[:-1]}"}, "", 401), ("more than it", {"Authorization": f"Bearer {root}x"}, "", 401),
            ("in another case", {"Authorization": f"Bearer {root.swapcase()}"}, "", 401),
            ("a very long one", {"Authorization": "Bearer " + "x" * 6000}, "", 401),
            ("p", {}, f"&p={quoted}", 200), ("u and p", {}, f"&u=ada&p={quoted}", 200), ("u alone", {}, "&u=ada", 401),
            ("a p that is none", {}, "&p=x", 401), ("an empty p", {}, "&p=", 401), ("two of them", {}, f"&p={quoted}&p=x", 401),
            ("a good header and a bad p", bearer(root), "&p=x", 401), ("a bad header and a good p", bearer("x"), f"&p={quoted}", 401),
            ("a bad header and a good session", None, "", 401), ("token as a parameter", {}, f"&token={quoted}", 401),
            ("access_token as a parameter", {}, f"&access_token={quoted}", 401), ("an API key's header", {"X-API-Key": root}, "", 401),
            ("a proxy's header", {"Proxy-Authorization": f"Bearer {root}"}, "", 401),
            ("a user that a proxy names", {"X-Forwarded-User": "root", "X-WEBAUTH-USER": "root", "Remote-User": "root"}, "", 401),
            ("from here, by a header", {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}, "", 401),
        ]
        session, _ = sign_in(server, root)
        for what, headers, more, want in cases:
            headers = {**bearer("x"), **cookie_of(session)} if headers is None else headers
            status, answered, body = ask(server, "GET", QUESTION + more, headers)
            expect_equal(status, want, f"{what}: {body}")
            expect(root.encode() not in body, f"{what}: the answer tells it")
            expect((status == 401) == ("WWW-Authenticate" in answered), f"{what}: {answered}")
        # In the body of a form nothing lets in: who is asked for a token is told so before the body is read.
        expect_equal(ask(server, "POST", "/api/v1/query", FORM, f"query=1&u=x&p={quoted}")[0], 401, "u and p in a form")
        expect_equal(ask(server, "POST", "/query", FORM, f"q=SHOW+DATABASES&p={quoted}")[0], 401, "p in a form of statements")
        expect_equal(status_of(raw(server, f"GET {QUESTION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {root}\r\n"
                                           "Authorization: Bearer x\r\n\r\n")), 401, "two headers")


def test_methods_and_versions_of_http():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        end = f"\r\nAuthorization: Bearer {root}\r\nConnection: close\r\n\r\n"
        expect_equal(status_of(raw(server, f"GET {QUESTION} HTTP/1.0\r\n\r\n")), 401, "HTTP/1.0")
        expect_equal(status_of(raw(server, f"GET {QUESTION} HTTP/1.0\r\nAuthorization: Bearer {root}\r\n\r\n")), 200, "HTTP/1.0 with a token")
        for method, want in (("HEAD", 401), ("OPTIONS", 204)):
            reply = raw(server, f"{method} {QUESTION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            expect(status_of(reply) == want and reply.endswith(b"\r\n\r\n"), f"{method}: {reply}")
        reply = raw(server, f"HEAD {QUESTION} HTTP/1.1\r\nHost: localhost{end}")
        expect(status_of(reply) == 200 and reply.endswith(b"\r\n\r\n"), reply)
        # A body in pieces, of a writer and of nobody.
        pieces = "Transfer-Encoding: chunked\r\n"
        body = b"5\r\nm v=1\r\n0\r\n\r\n"
        expect_equal(status_of(raw(server, f"POST /write?db=a HTTP/1.1\r\nHost: localhost\r\n{pieces[:-2]}{end}".encode() + body)), 204, "chunked")
        expect_equal(status_of(raw(server, f"POST /write?db=b HTTP/1.1\r\nHost: localhost\r\n{pieces}\r\n".encode() + body, b"\r\n\r\n")), 401,
                     "chunked of nobody")
        # Two in line: each is asked for its own.
        reply = raw(server, f"GET {QUESTION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {root}\r\n\r\n"
                            f"GET {QUESTION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        expect_equal(re.findall(rb"HTTP/1\.1 (\d+)", reply), [b"200", b"401"], "two in line")
        # Paths in other spellings reach no route without its right.
        for path in ("//metrics", "/./metrics", "/x/../metrics", "/%6detrics", "/metrics/", "/METRICS", "/db/a/metrics", "/metrics%00", "/metrics;x",
                     "/-/healthy/../../metrics", "/dashboard/assets/../../metrics", "/dashboard/assets/..%2f..%2fmetrics"):
            status = status_of(raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            expect(status in (301, 400, 401, 404), f"{path}: {status}")
        names = json.loads(ask(server, "GET", "/query?q=SHOW+DATABASES", bearer(root))[2])["results"][0]["series"][0].get("values", [])
        expect(["b"] not in names, f"what nobody wrote: {names}")


def test_what_is_open_tells_nothing():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for path in ("/-/healthy", "/-/ready", "/ping", "/health", "/ready", "/api/v2/ping"):
            status, headers, body = ask(server, "GET", path)
            expect(status in (200, 204), f"{path}: {status}")
            for word in (b"series", b"disk", b"bytes", b"partitions", str(folder).encode()):
                expect(word not in body, f"{path}: {body}")
        expect(ask(server, "GET", "/health", bearer(root))[2] != ask(server, "GET", "/health")[2], "who has a right is told more")
        expect_equal(ask(server, "GET", "/metrics")[0], 401, "/metrics")
        reader = make(server, "reader", "read:a", root)
        expect_equal(ask(server, "GET", "/metrics", bearer(reader))[0], 403, "/metrics with a right to one database")
        everything = make(server, "everything", "read:*", root)
        expect_equal(ask(server, "GET", "/metrics", bearer(everything))[0], 200, "/metrics with a right to all")
        said = ask(server, "GET", "/metrics", bearer(everything))[2] + server.log_text().encode()
        for secret in (root, reader, everything):
            expect(secret.encode() not in said, "a secret is told")


def test_rotation_overlaps_for_its_time_only():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")

        def rotate(overlap):
            status, _, body = ask(server, "POST", f"/api/v1/admin/tokens/rotate?name=agent{overlap}", bearer(root))
            expect_equal(status, 200, body)
            return json.loads(body)["data"]["token"]

        def good(secret):
            return ask(server, "POST", "/write?db=a", bearer(secret), "m v=1")[0] == 204

        one = make(server, "agent", "write:a", root)
        two = rotate("&overlap=1h")
        three = rotate("&overlap=1h")
        expect_equal([good(each) for each in (one, two, three)], [False, True, True], "two secrets at most")
        # Over a restart; and then without any.
        server.stop()
        server.start()
        expect_equal([good(each) for each in (one, two, three)], [False, True, True], "after a restart")
        four = rotate("&overlap=2s")
        expect(good(four), "the newest")
        wait_until(lambda: not good(three), what="the end of an overlap")
        expect(good(four) and not good(two), "the newest alone")
        for bad in ("&overlap=-1s", "&overlap=x", "&overlap=1000000y"):
            status, _, body = ask(server, "POST", f"/api/v1/admin/tokens/rotate?name=agent{bad}", bearer(root))
            expect(status == 400 and b"overlap" in body, f"{bad}: {status} {body}")
        expect(good(four), "a rotation that was refused changed nothing")
        expect_equal(ask(server, "POST", "/api/v1/admin/tokens/rotate?name=nobody", bearer(root))[0], 404, "a token that is not there")
        # Who rotates himself goes on with the new one at once.
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/rotate?name=root", bearer(root))
        expect_equal(status, 200, body)
        new_root = json.loads(body)["data"]["token"]
        expect_equal([ask(server, "GET", "/api/v1/admin/tokens", bearer(each))[0] for each in (root, new_root)], [401, 200], "the admin himself")


def test_a_session_belongs_to_who_opened_it():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:a", root)
        set_cookie, csrf = sign_in(server, reader)
        for flag in ("HttpOnly", "SameSite=Strict", "Path=/"):
            expect(flag in set_cookie, set_cookie)
        expect("Secure" not in set_cookie and "Domain" not in set_cookie, set_cookie)
        cookie = cookie_of(set_cookie)
        # A name that somebody planted before is not taken over: each sign-in draws its own.
        planted = {"Cookie": "tidemark_session=planted"}
        status, headers, _ = ask(server, "POST", "/api/v1/session", {**FORM, **planted}, f"token={reader}")
        expect(status == 200 and "planted" not in headers["Set-Cookie"], headers)
        status, headers, body = ask(server, "POST", "/api/v1/session", {**FORM, **cookie, **csrf}, f"token={reader}")
        expect(status == 200 and cookie_of(headers["Set-Cookie"]) != cookie, "the second sign-in has a session of its own")
        second, second_csrf = cookie_of(headers["Set-Cookie"]), {"X-Tidemark-Csrf": json.loads(body)["data"]["csrf"]}
        # The header of another session is none.
        expect_equal(ask(server, "POST", "/api/v1/query", {**FORM, **second, **csrf}, "query=1&db=a")[0], 403, "another's header")
        expect_equal(ask(server, "POST", "/api/v1/query", {**FORM, **second, **second_csrf}, "query=1&db=a")[0], 200, "its own")
        # A session has the rights of its token, and is no token.
        expect_equal(ask(server, "POST", "/write?db=a", {**second, **second_csrf}, "m v=1")[0], 403, "a reader writes")
        value = second["Cookie"].split("=", 1)[1]
        expect_equal(ask(server, "GET", QUESTION, bearer(value))[0], 401, "a cookie as a token")
        expect_equal(ask(server, "GET", QUESTION, {"Cookie": f"tidemark_session={reader}"})[0], 401, "a token as a cookie")
        # A form of another site: its origin, and no header.
        for origin in ("https://evil.example", "null"):
            expect_equal(ask(server, "POST", "/api/v1/session", {**FORM, "Origin": origin}, f"token={reader}")[0], 403, f"sign-in from {origin}")
            expect_equal(ask(server, "DELETE", "/api/v1/session", {**second, "Origin": origin})[0], 403, f"sign-out from {origin}")
        # Signing out ends the one, not the other; twice is told.
        expect_equal(ask(server, "DELETE", "/api/v1/session", {**cookie, **csrf})[0], 200, "signing out")
        expect_equal(ask(server, "GET", QUESTION, cookie)[0], 401, "the one")
        expect_equal(ask(server, "GET", QUESTION, second)[0], 200, "the other")
        expect_equal(ask(server, "DELETE", "/api/v1/session", {**cookie, **csrf})[0], 401, "signing out twice")
        # An admin lists and revokes them.
        listed = json.loads(ask(server, "GET", "/api/v1/admin/sessions", bearer(root))[2])["data"]
        expect(listed and value not in json.dumps(listed), listed)
        stream = follow(server, second)
        for session in listed:
            expect_equal(ask(server, "POST", f"/api/v1/admin/sessions/revoke?id={session['id']}", bearer(root))[0], 200, f"{session}")
        while stream.recv(4096):  # to the end that the server makes
            pass
        stream.close()
        expect_equal(ask(server, "GET", QUESTION, second)[0], 401, "a revoked session")


def test_a_wrong_token_opens_no_session():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for body in ("token=x", "token=", "", f"token={root}&token=x", f"password={root}", "token=" + "x" * 100_000):
            status, headers, answer = ask(server, "POST", "/api/v1/session", FORM, body)
            expect(status in (400, 401) and "Set-Cookie" not in headers, f"{body[:30]}: {status} {answer}")
            expect(b"x" * 100 not in answer, "what was sent is not said again")


NAMES = [
    ("localhost", 200), ("LOCALHOST", 200), ("localhost.", 200), ("localhost:1", 200), ("127.0.0.1", 200), ("127.0.0.1:99", 200),
    ("[::1]", 200), ("[::1]:80", 200), ("box", 200), ("BOX:8086", 200), ("metrics.example", 200), ("Metrics.Example", 200), ("metrics.example.", 200),
    ("metrics.example:443", 200), ("evil.example", 403), ("metrics.example.evil", 403), ("evil-metrics.example", 403), ("xmetrics.example", 403),
    ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("com.", 403), ("metrics.example@evil.example", 400), ("a b", 400), ("[::1", 400),
    ("localhost:x", 400), ("localhost:99999", 400), ("", 200),
]


def test_names_of_the_server_without_tokens():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-allowed-hosts", "metrics.example") as server:
        for name, want in NAMES:
            reply = raw(server, f"GET {QUESTION} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")
            if name == "":
                expect(status_of(reply) in (200, 400), f"an empty Host: {reply[:100]}")
            else:
                expect_equal(status_of(reply), want, f"Host: {name}: {reply[-200:]}")
        for hosts in ("", "Host: localhost\r\nHost: evil.example\r\n"):
            reply = raw(server, f"GET {QUESTION} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")
            expect_equal(status_of(reply), 400, f"{hosts.count('Host')} of Host")
        # What a proxy says of it is not believed.
        for header in ("X-Forwarded-Host: localhost", "Forwarded: host=localhost", "X-Host: localhost"):
            reply = raw(server, f"GET {QUESTION} HTTP/1.1\r\nHost: evil.example\r\n{header}\r\nConnection: close\r\n\r\n")
            expect_equal(status_of(reply), 403, header)
        # In the absolute form the target counts.
        reply = raw(server, f"GET http://evil.example{QUESTION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        expect_equal(status_of(reply), 403, "the absolute form")
        for path in ("/-/healthy", "/ping"):
            reply = raw(server, f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            expect(status_of(reply) in (200, 204), f"{path} by any name")


def test_an_address_for_outside_with_and_without_a_slash():
    for url, prefix in (("https://m.example", ""), ("https://m.example/", ""), ("https://m.example/tm", "/tm"), ("https://m.example/tm/", "/tm"),
                        ("https://m.example/a/b/", "/a/b"), ("http://m.example:8443/tm", "/tm")):
        with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-external-url", url) as server:
            expect_equal(ask(server, "GET", f"{prefix}/api/v1/query?query=1")[0], 200, f"{url}: below it")
            origin = url.split("/tm")[0].split("/a/b")[0].rstrip("/")
            expect_equal(ask(server, "POST", f"{prefix}/write?db=a", {"Origin": origin}, "m v=1")[0], 204, f"{url}: its own page")
            expect_equal(ask(server, "GET", f"{prefix}/api/v1/query?query=1", {"Host": "m.example"})[0], 200, f"{url}: its name")
            root = json.loads(ask(server, "POST", f"{prefix}/api/v1/admin/tokens?name=root&grant=admin:*")[2])["data"]["token"]
            set_cookie, csrf = sign_in(server, root, prefix)
            expect(f"Path={prefix or '/'};" in set_cookie + ";", f"{url}: {set_cookie}")
            expect(("Secure" in set_cookie) == url.startswith("https"), f"{url}: {set_cookie}")
            expect_equal(ask(server, "GET", f"{prefix}/api/v1/session", cookie_of(set_cookie))[0], 200, f"{url}: signed in")
            status, headers, _ = ask(server, "GET", f"{prefix}/")
            expect_equal((status, headers.get("Location")), (302, f"{prefix}/dashboard"), f"{url}: the page")
            if prefix:
                expect_equal(ask(server, "GET", prefix + "x/api/v1/query?query=1")[0], 404, f"{url}: a path that begins so")
                expect_equal(ask(server, "GET", "/api/v1/query?query=1", bearer(root))[0], 404, f"{url}: beside it")
    for url in ("m.example", "ftp://m.example", "https://", "https://m.example/?a=1", "https://m.example/#x", "https://u:p@m.example/"):
        with temporary_folder() as folder:
            try:
                with Server(folder / "data", *OFF, "--http-external-url", url):
                    expect(False, f"{url} was taken")
            except Exception as error:
                expect("external" in str(error), f"{url}: {error}")


def audit_files(server):
    return sorted((server.data / "audit").glob("*.jsonl"))


def verdict(server, root):
    status, _, body = ask(server, "GET", "/api/v1/admin/audit/verify", bearer(root))
    expect_equal(status, 200, body)
    return json.loads(body)["data"]


def test_the_log_of_acts_over_kills_and_meddling():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for round in range(3):
            for number in range(5):
                make(server, f"t{round}-{number}", "read:a", root)
            server.kill()
            server.start()
            expect_equal(verdict(server, root), {"whole": True}, f"after kill {round}")
        acts = json.loads(ask(server, "GET", "/api/v1/admin/audit?limit=1000", bearer(root))[2])["data"]
        for round in range(3):
            for number in range(5):
                expect(any(f"t{round}-{number}" in json.dumps(act) for act in acts), f"t{round}-{number} is not in the log")
        server.stop()
        kept = {path: path.read_bytes() for path in audit_files(server)}
        last = [path for path in kept if kept[path]][-1]
        lines = kept[last].splitlines(keepends=True)
        # What somebody does with the files while nobody looks.
        for what, content in (("a line less at the end", b"".join(lines[:-1])), ("half a line", kept[last][:-20]), ("none left", b""),
                              ("a word changed", kept[last].replace(b"root", b"toor", 1)), ("a line taken out", b"".join(lines[1:])),
                              ("a line twice", lines[0] + kept[last]), ("two lines swapped", b"".join(reversed(lines)))):
            if content == kept[last]:
                continue
            for path, was in kept.items():
                path.write_bytes(was)
            for path in audit_files(server):
                if path not in kept:
                    path.unlink()
            last.write_bytes(content)
            done = command(server, "admin", "audit", "--verify", "--data", str(server.data))
            offline = done.stdout + done.stderr
            server.start()
            found = verdict(server, root)
            expect(found["whole"] is False, f"{what}: {found}; without a server: {offline}")
            # It goes on behind it.
            name = what.replace(" ", "-")
            make(server, name, "read:a", root)
            listed = ask(server, "GET", "/api/v1/admin/audit?limit=1000", bearer(root))[2]
            expect(name.encode() in listed, f"{what}: later acts are written down")
            expect_equal(verdict(server, root)["whole"], False, f"{what}: it is not forgotten")
            server.stop()


if __name__ == "__main__":
    run_tests(globals())
