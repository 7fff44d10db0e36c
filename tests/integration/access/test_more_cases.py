"""Further cases of tokens and sessions: long reads whose right ends meanwhile, who is asked behind a proxy's path, how cookies and
headers meet, screens that stay signed in, and the log of acts while it is written."""
import base64
import concurrent.futures
import json
import os
import pathlib
import pty
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, bearer, command, follow, make  # noqa: E402
from test_access_cases import FORM, OFF, QUESTION, basic, cookie_of, raw, sign_in, status_of  # noqa: E402


def ended(stream):
    """Reads to the end that the server makes."""
    while stream.recv(65536):
        pass
    stream.close()


def test_a_right_that_ends_under_a_kept_connection():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for what in ("revoked", "rotated", "expired", "given anew"):
            secret = make(server, f"t-{what.split()[0]}", "read:a", root, **({"expires": "2s"} if what == "expired" else {}))
            name = f"t-{what.split()[0]}"
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as kept:
                def question(kept=kept, secret=secret):
                    kept.sendall(f"GET {QUESTION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
                    reply = b""
                    while b"\r\n\r\n" not in reply:
                        reply += kept.recv(65536)
                    head, _, body = reply.partition(b"\r\n\r\n")
                    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
                    while len(body) < length:
                        body += kept.recv(65536)
                    return status_of(reply)

                for _ in range(20):  # more than enough to be known
                    expect_equal(question(), 200, f"{what}: before")
                if what == "revoked":
                    expect_equal(ask(server, "POST", f"/api/v1/admin/tokens/revoke?name={name}", bearer(root))[0], 200, what)
                elif what == "rotated":
                    expect_equal(ask(server, "POST", f"/api/v1/admin/tokens/rotate?name={name}", bearer(root))[0], 200, what)
                elif what == "given anew":
                    expect_equal(ask(server, "POST", f"/api/v1/admin/tokens/revoke?name={name}", bearer(root))[0], 200, what)
                    make(server, name, "admin:*", root)
                else:
                    wait_until(lambda: question() != 200, what="the end of a token")
                expect_equal(question(), 401, f"{what}: the next question of the same connection")
                expect_equal(question(), 401, f"{what}: and the one behind it")


def test_a_long_answer_is_cut_when_its_right_ends():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        rows = "".join(f"m,host=h{i % 1000} v={i} {1_700_000_000_000_000_000 + i}\n" for i in range(300_000))
        expect_equal(ask(server, "POST", "/write?db=a", bearer(root), rows)[0], 204, "rows")
        reader = make(server, "reader", "read:a", root)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
            slow.sendall(f"GET /api/v1/rows?db=a&match[]=m_v HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {reader}\r\n\r\n".encode())
            got = slow.recv(4096)
            expect(got.startswith(b"HTTP/1.1 200 "), got[:200])
            expect_equal(ask(server, "POST", "/api/v1/admin/tokens/revoke?name=reader", bearer(root))[0], 200, "revoked")
            tail = got
            wait_until(lambda: ask(server, "GET", QUESTION, bearer(reader))[0] == 401, what="the end of it")
            time.sleep(4)  # the client takes nothing meanwhile: the next looks at its connection see who it is
            try:
                while piece := slow.recv(65536):
                    tail = (tail + piece)[-64:]
            except ConnectionError:
                pass
            expect(not tail.endswith(b"0\r\n\r\n"), "the answer went to its end")


def test_two_credentials_of_one_request():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:a", root)
        cookie, csrf = sign_in(server, reader)
        shown = cookie_of(cookie)
        for what, headers, more, want in (
                ("a session, and a token with more rights", {**shown, **bearer(root)}, "", 200), ("a session, and a token that is none", {**shown, **bearer("x")}, "", 401),
                ("a session, and an empty password", {**shown, **basic("", "")}, "", 401), ("a user's empty Basic", basic("ada", ""), "", 401),
                ("Basic with a colon in its password", basic("ada", root + ":x"), "", 401), ("Basic of a user that is the token", basic(root, root), "", 200),
                ("Basic without padding", {"Authorization": "Basic " + base64.b64encode(f"a:{root}x".encode()).decode().rstrip("=") }, "", 401),
                ("Basic with spaces in it", {"Authorization": "Basic  " + base64.b64encode(f"a:{root}".encode()).decode()}, "", 200),
                ("a token behind a tab", {"Authorization": f"Bearer\t{root}"}, "", 401), ("a session in p", {}, "&p=" + urllib.parse.quote(shown["Cookie"].split("=", 1)[1]), 401),
                ("the same token twice", bearer(root), f"&p={urllib.parse.quote(root)}", 200), ("u that is a token", bearer(root), "&u=x", 200),
                ("another cookie of that name first", {"Cookie": "tidemark_session=x; " + shown["Cookie"]}, "", 401),
                ("a cookie of a longer name", {"Cookie": "tidemark_session2=x; " + shown["Cookie"]}, "", 200),
                ("a very long token", bearer("x" * 7000), "", 401)):
            status, _, body = ask(server, "GET", QUESTION + more, headers)
            expect_equal(status, want, f"{what}: {body}")
            expect(root.encode() not in body and reader.encode() not in body, f"{what}: the answer tells one")
        # Who shows a token is asked for no header against forgery; who shows both is the token's.
        expect_equal(ask(server, "POST", "/write?db=a", {**shown, **bearer(root)}, "m v=1")[0], 204, "a token beside a session")
        expect_equal(ask(server, "POST", "/write?db=a", {**shown, **csrf}, "m v=1")[0], 403, "the session alone may not write")
        # A header that says more than one thing about a body, before anything of it is done.
        for head in ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n"):
            reply = raw(server, f"POST /write?db=smuggled HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {root}\r\nConnection: close\r\n{head}\r\n"
                                "0\r\n\r\nm v=1\r\n")
            expect(status_of(reply) in (400, 501), f"{head!r}: {reply[:200]}")


def test_a_screen_that_stays_signed_in():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--access-session-lifetime", "1h") as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "screen", "read:a", root)
        writer = make(server, "writer", "write:a", root)
        for secret, want in ((root, 400), (writer, 400), (reader, 200)):
            status, headers, body = ask(server, "POST", "/api/v1/session", FORM, f"token={secret}&kiosk=1")
            expect_equal(status, want, body)
            expect(("Set-Cookie" in headers) == (want == 200), headers)
        age = int(re.search(r"Max-Age=(\d+)", headers["Set-Cookie"]).group(1))
        expect(age > 7 * 86_400, f"a screen's session ends after {age} s")
        plain, _ = sign_in(server, reader)
        expect_equal(int(re.search(r"Max-Age=(\d+)", plain).group(1)), 3600, "another session")
        shown = cookie_of(headers["Set-Cookie"])
        csrf = {"X-Tidemark-Csrf": json.loads(body)["data"]["csrf"]}
        expect_equal(ask(server, "GET", QUESTION, shown)[0], 200, "it reads")
        for method, path in (("POST", "/write?db=a"), ("POST", "/api/v1/admin/tokens?name=x&grant=admin:*"), ("GET", "/api/v1/admin/tokens"),
                             ("GET", "/api/v1/query?query=1&db=b"), ("POST", "/query?db=a&q=DROP+DATABASE+a")):
            status, _, answer = ask(server, method, path, {**shown, **csrf}, "m v=1" if "write" in path else None)
            refused = status in (401, 403) or b'"error"' in answer
            expect(refused, f"{method} {path}: {status} {answer[:200]}")
        # Its token goes, and the screen with it; also over a restart.
        server.stop()
        server.start()
        expect_equal(ask(server, "GET", QUESTION, shown)[0], 200, "after a restart")
        stream = follow_if(server, root, shown)
        expect_equal(ask(server, "POST", "/api/v1/admin/tokens/revoke?name=screen", bearer(root))[0], 200, "revoked")
        ended(stream)
        expect_equal(ask(server, "GET", QUESTION, shown)[0], 401, "without its token")


def follow_if(server, root, headers):
    expect_equal(ask(server, "POST", "/write?db=a", bearer(root), 'log message="x"')[0], 204, "an event")
    return follow(server, headers)


def test_below_a_proxys_path():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-external-url", "https://m.example/tm", "--http-route-prefix", "/") as server:
        # The proxy takes the path off; people see it all the same.
        root = json.loads(ask(server, "POST", "/api/v1/admin/tokens?name=root&grant=admin:*")[2])["data"]["token"]
        set_cookie, csrf = sign_in(server, root)
        for flag in ("Path=/tm;", "Secure", "HttpOnly", "SameSite=Strict"):
            expect(flag in set_cookie, set_cookie)
        status, headers, _ = ask(server, "GET", "/", {"Host": "m.example"})
        expect_equal((status, headers.get("Location")), (302, "/tm/dashboard"), "the page")
        for origin, want in (("https://m.example", 204), ("https://M.Example", 204), ("https://m.example:443", 204), ("https://m.example.", 204),
                             ("https://evil.example", 403), ("https://m.example:8443", 403), ("null", 403), ("https://m.example/tm", 403)):
            status, _, body = ask(server, "POST", "/write?db=a", {"Origin": origin, "Host": "m.example", **bearer(root)}, "m v=1")
            expect(status == want or (want == 204 and origin not in ("https://m.example",) and status == 403), f"{origin}: {status} {body}")
        expect_equal(ask(server, "DELETE", "/api/v1/session", {**cookie_of(set_cookie), **csrf})[0], 200, "signing out")
        status, headers, _ = ask(server, "POST", "/api/v1/session", FORM, f"token={root}")
        status, headers, _ = ask(server, "DELETE", "/api/v1/session", {**cookie_of(headers["Set-Cookie"]), "X-Tidemark-Csrf": "x"})
        expect_equal(status, 403, "another's header")


def test_names_that_are_not_wanted_as_tokens():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        for what, parameters, word in (
                ("no name", "grant=read:a", "name"), ("an empty name", "name=&grant=read:a", "name"), ("a slash", "name=a/b&grant=read:a", "name"),
                ("a line's end", "name=a%0ab&grant=read:a", "name"), ("no right", "name=a", "grants"), ("an unknown right", "name=a&grant=own:a", "neither"),
                ("no database", "name=a&grant=read:", "database"), ("no colon", "name=a&grant=read", "right"), ("a time that is none", "name=a&grant=read:a&expires=soon", "duration"),
                ("a time that was", "name=a&grant=read:a&expires=-1d", "duration"), ("a name that is taken", "name=root&grant=read:a", "already"),
                ("a filter that is none", "name=a&grant=read:a&filter=%7B", ""), ("a certificate's name without a kind", "name=a&grant=read:a&certificate_name=x", "certificate")):
            status, _, body = ask(server, "POST", f"/api/v1/admin/tokens?{parameters}", bearer(root))
            expect(status in (400, 409) and word.encode() in body, f"{what}: {status} {body}")
        listed = json.loads(ask(server, "GET", "/api/v1/admin/tokens", bearer(root))[2])["data"]
        expect_equal([token["name"] for token in listed], ["root"], "what was refused is not there")


def test_many_at_once_make_and_revoke():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        stop = threading.Event()
        wrong = []

        def reads():
            while not stop.is_set():
                if ask(server, "GET", QUESTION, bearer(root))[0] != 200:
                    wrong.append("a good token was refused")

        def life(number):
            secret = make(server, f"t{number}", "read:a", root)
            if ask(server, "GET", QUESTION, bearer(secret))[0] != 200:
                wrong.append("a new token was refused")
            ask(server, "POST", f"/api/v1/admin/tokens/revoke?name=t{number}", bearer(root))
            if ask(server, "GET", QUESTION, bearer(secret))[0] != 401:
                wrong.append("a revoked token was let in")

        reader = threading.Thread(target=reads)
        reader.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(life, range(80)))
        finally:
            stop.set()
            reader.join()
        expect_equal(wrong, [], "what went wrong")
        status, _, body = ask(server, "GET", "/api/v1/admin/audit/verify", bearer(root))
        expect(status == 200 and json.loads(body)["data"] == {"whole": True}, body)
        acts = ask(server, "GET", "/api/v1/admin/audit?limit=1000", bearer(root))[2]
        for number in range(80):
            expect(acts.count(f'"t{number}"'.encode()) + acts.count(f"name=t{number}".encode()) + acts.count(f"t{number}".encode()) >= 2, f"t{number} is not in the log")


HOSTILE = "\x1b]0;x\x07\x1b[2J\u009b2J\x7f"


def on_a_terminal(server, token, *arguments):
    """What the command sends to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(BIN / "tidemark"), *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env={**os.environ, "TERM": "xterm", "TIDEMARK_SERVER": server.url, "TIDEMARK_TOKEN": token})
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # the terminal's other side is closed
        pass
    process.wait(60)
    os.close(ours)
    return said


def test_words_of_others_on_a_terminal():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = json.loads(ask(server, "POST", "/api/v1/admin/tokens?name=root&grant=admin:*&note=" + urllib.parse.quote(HOSTILE))[2])["data"]["token"]
        expect_equal(ask(server, "POST", "/write?db=a", bearer(root), f"m,host={HOSTILE} v=1".encode())[0], 204, "a tag's value")
        ask(server, "POST", "/write?db=a", bearer(root), f"x y={HOSTILE}".encode())
        bad = folder / "bad.lp"
        bad.write_text(f"bad{HOSTILE} line\nx y={HOSTILE}\n")
        shown = 0
        for arguments in (("write", "--dry-run", str(bad)), ("write", "--db", "a", str(bad)), ("query", "m_v", "--db", "a"), ("query", "m_v", "--db", "a", "--start", "-5m"),
                          ("query", "m_v", "--db", HOSTILE), ("admin", "token", "list"), ("admin", "rejections"), ("admin", "audit", "list"),
                          ("admin", "cardinality", "a"), ("admin", "token", "revoke", HOSTILE), ("alert", "add", HOSTILE), ("query", "1", "--server", HOSTILE), ("no" + HOSTILE,)):
            said = on_a_terminal(server, root, *arguments)
            for raw_bytes in (b"\x1b]", b"\x1b[2J", b"\x07", b"\xc2\x9b", b"\x7f"):
                expect(raw_bytes not in said, f"{arguments[:3]}: {said[:300]}")
            shown += b"^[" in said or b"x1b" in said
        expect(shown >= 10, f"{shown} of them show it")
        piped = command(server, "query", "m_v", "--db", "a", "--format", "csv", token=root)
        expect(piped.returncode != 0 or HOSTILE in piped.stdout, "into a pipe it goes as it came")


if __name__ == "__main__":
    run_tests(globals())
