"""Every route of a real server with every kind of credential, over HTTP and TLS: what lets in, and what does not.

The routes are those of routes.txt, which another test holds against the program: a route that is missing there fails it.
"""
import http.client
import re
import ssl
import urllib.parse

from harness import HERE, expect, expect_equal, run_tests, temporary_folder, wait_until
from test_access import ask, bearer, make
from test_tls import encrypted, two_clients

ROUTES = HERE.parent / "unit" / "tools" / "server" / "routes" / "routes.txt"
ROUTE = re.compile(r"^(\S+) (\S+) lane=\S+ right=(\w+) of=(\w+) ")


def routes():
    """(pattern, method, right, scope) of each; HEAD too where there is GET."""
    for line in ROUTES.read_text().splitlines():
        pattern, methods, right, scope = ROUTE.match(line).groups()
        for method in methods.split(","):
            yield pattern, method, right, scope
            if method == "GET":
                yield pattern, "HEAD", right, scope


def lets_in(right, scope, given, databases):
    """Whether a token with `given` to `databases` passes where database "d" is asked for; None: the handler decides."""
    if right == "open":
        return True
    enough = given == "admin" or given == right or right == "any"
    if scope == "server":
        return enough and databases == "*"
    if scope == "database":
        return enough and databases in ("*", "d")
    return None if enough and scope == "handler" else enough


class Asker:
    """One connection of one client."""

    def __init__(self, connection):
        self.connection = connection

    def status(self, method, pattern, headers):
        target = pattern.replace("*", "x") + "?db=d&bucket=d"
        self.connection.request(method, target, headers=headers)
        reply = self.connection.getresponse()
        reply.read()
        return reply.status


def signed_in(server, secret):
    status, headers, body = ask(server, "POST", f"/api/v1/session?token={urllib.parse.quote(secret)}")
    expect_equal(status, 200, body)
    value = re.search(rb'"csrf":"([^"]+)"', body).group(1).decode()
    return {"Cookie": headers["Set-Cookie"].split(";")[0]}, {"X-Tidemark-Csrf": value}


def check_all(server, clients):
    """`clients`: a name and a way to connect each. The number of requests."""
    root = make(server, "root", "admin:*")
    tokens = [(given, databases, make(server, f"{given}-{number}", f"{given}:{databases}", root))
              for given in ("read", "write", "admin") for number, databases in enumerate(("d", "other", "*"))]
    expired = make(server, "expired", "admin:*", root, expires="1ms")
    revoked = make(server, "revoked", "admin:*", root)
    expect_equal(ask(server, "POST", "/api/v1/admin/tokens/revoke?name=revoked", bearer(root))[0], 200, "revoking")
    replaced = make(server, "replaced", "admin:*", root)
    expect_equal(ask(server, "POST", "/api/v1/admin/tokens/rotate?name=replaced", bearer(root))[0], 200, "rotating")
    wait_until(lambda: ask(server, "GET", "/api/v1/session", bearer(expired))[0] == 401, what="the end of a token")
    no_good = {"nothing": {}, "a bad token": bearer("tidemark_x"), "an expired one": bearer(expired),
               "a revoked one": bearer(revoked), "a replaced one": bearer(replaced), "no token": {"Authorization": "Bearer"},
               "a bad session": {"Cookie": "tidemark_session=x"}}
    asked = 0
    for name, connect in clients:
        asker = Asker(connect())
        cookie, forgery = signed_in(server, root)
        for pattern, method, right, scope in routes():
            # The one asks for a token by itself, the other ends the session that the rest is asked with.
            if pattern == "/api/v1/session" and method in ("POST", "DELETE"):
                continue
            what = f"{method} {pattern} over {name} with "
            for kind, headers in no_good.items():
                status = asker.status(method, pattern, headers)
                expect(status != 401 and status != 403 if right == "open" else status == 401, f"{what}{kind}: {status}")
                asked += 1
            for given, databases, secret in tokens:
                status = asker.status(method, pattern, bearer(secret))
                expected = lets_in(right, scope, given, databases)
                expect(status != 401, f"{what}{given}:{databases}: {status}")
                expect(expected is None or expected == (status != 403), f"{what}{given}:{databases}: {status}")
                asked += 1
            reads = method in ("GET", "HEAD")
            status = asker.status(method, pattern, cookie)
            expect((status == 403) == (right != "open" and not reads), f"{what}a session without the header: {status}")
            status = asker.status(method, pattern, {**cookie, **forgery})
            expect(status not in (401, 403), f"{what}a session: {status}")
            status = asker.status(method, pattern, {**cookie, "X-Tidemark-Csrf": "x"})
            expect((status == 403) == (right != "open" and not reads), f"{what}a session with a wrong header: {status}")
            asked += 3
    return asked


def test_every_route_with_every_credential():
    with encrypted() as (server, _, certificate):
        def over_tls():
            context = ssl.create_default_context(cafile=certificate)
            return http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=60)

        asked = check_all(server, [("HTTP", lambda: http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)),
                                   ("TLS", over_tls)])
        expect(asked > 2 * 19 * 80, f"only {asked} requests")


def test_every_route_with_a_certificate():
    with temporary_folder() as folder:
        agent, stranger, both = two_clients(folder)
        with encrypted("--tls-client-ca-file", str(both)) as (server, _, certificate):
            root = make(server, "root", "admin:*")
            make(server, "agent", "read:d", root, certificate_name="dns:agent.example")

            def connect(pair):
                context = ssl.create_default_context(cafile=certificate)
                context.load_cert_chain(*pair)
                return Asker(http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=60))

            known, unknown = connect(agent), connect(stranger)
            for pattern, method, right, scope in routes():
                if pattern == "/api/v1/session" and method != "GET":
                    continue
                status = known.status(method, pattern, {})
                expected = lets_in(right, scope, "read", "d")
                expect(status != 401 and (expected is None or expected == (status != 403)), f"{method} {pattern}: {status}")
                status = unknown.status(method, pattern, {})
                expect((status == 401) == (right != "open"), f"{method} {pattern} of a stranger: {status}")


if __name__ == "__main__":
    run_tests(globals())
