"""A server below a path, and behind a proxy with a path of its own: every route, links, redirects, cookies, messages."""
import http.server
import pathlib
import re
import sys
import threading
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, command  # noqa: E402
from test_routes_access import routes  # noqa: E402
from peers.alert_sink import AlertSink  # noqa: E402

OFF = ("--host-metrics", "off")


def location(server, method, target):
    status, headers, _ = ask(server, method, target)
    return status, headers.get("Location")


def test_every_route_is_below_the_prefix():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-route-prefix", "/tm") as server:
        for pattern, method, _, _ in routes():
            path = pattern.replace("*", "x")
            status, _, body = ask(server, method, path)
            if path == "/":
                expect_equal(location(server, method, path), (302, "/tm/"), "the root")
            else:
                expect(status == 404 and body in (b"404 page not found\n", b""), f"{method} {path}: {status} {body}")
            status, _, body = ask(server, method, f"/tm{path}")
            expect(body != b"404 page not found\n" or "assets" in path, f"{method} /tm{path}: {status} {body}")
            expect(status != 405, f"{method} /tm{path}: {status}")
        for probe in ("/-/healthy", "/-/ready", "/ping", "/health", "/metrics"):
            expect_equal(ask(server, "GET", probe)[0], 404, probe)
            expect(ask(server, "GET", f"/tm{probe}")[0] in (200, 204), f"/tm{probe}")
        for target, leads in (("/", "/tm/"), ("/tm", "/tm/dashboard"), ("/tm/", "/tm/dashboard"),
                              ("/tm/db/a", "/tm/db/a/dashboard"), ("/tm//api/v1/labels?a=1", "/tm/api/v1/labels?a=1"),
                              ("/tm/graph?g0.expr=up", "/tm/dashboard?page=explore&q=up")):
            expect_equal(location(server, "GET", target)[1], leads, target)
        # The page names its files relative to itself.
        page = ask(server, "GET", "/tm/db/a/dashboard")[2].decode()
        files = re.findall(r'(?:src|href)="([^":]+)"', page)
        expect(files and all(name.startswith("dashboard/assets/") for name in files), page)
        for name in files:
            expect_equal(ask(server, "GET", f"/tm/{name}")[0], 200, name)


def test_clients_take_the_address_with_its_path():
    with temporary_folder() as folder, \
            Server(folder / "data", *OFF, "--http-external-url", "http://metrics.example:8443/tm/") as server:
        url = ("--server", f"http://127.0.0.1:{server.port}/tm")
        expect_equal(ask(server, "POST", "/write?db=a", body="m v=1")[0], 404, "a write beside it")
        done = command(server, "write", "--db", "a", "-", *url, input="m v=1\n")
        expect_equal(done.returncode, 0, done.stderr)
        done = command(server, "query", "m_v", *url, "--db", "a")
        expect(done.returncode == 0 and "m_v" in done.stdout, done.stdout + done.stderr)
        done = command(server, "query", "m_v", "--server", url[1] + "/db/a")
        expect(done.returncode == 0 and "m_v" in done.stdout, done.stdout + done.stderr)
        done = command(server, "admin", "reload", *url)
        expect_equal(done.returncode, 0, done.stderr)
        # By its own name, of its own pages, and of nobody else's.
        own = {"Host": "metrics.example:8443"}
        expect_equal(ask(server, "GET", "/tm/api/v1/labels", own)[0], 200, "by its name")
        expect_equal(ask(server, "GET", "/tm/api/v1/labels", {"Host": "evil.example"})[0], 403, "by another name")
        for origin, status in (("http://metrics.example:8443", 204), ("https://metrics.example:8443", 403),
                               ("http://metrics.example", 403), ("http://evil.example", 403)):
            expect_equal(ask(server, "POST", "/tm/write?db=a", {"Origin": origin}, "m v=1")[0], status, origin)


def test_a_session_is_of_the_path():
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-external-url", "https://m.example/tm") as server:
        status, _, body = ask(server, "POST", "/tm/api/v1/admin/tokens?name=root&grant=admin:*")
        expect_equal(status, 200, body)
        root = re.search(rb'"token":"([^"]+)"', body).group(1).decode()
        status, headers, body = ask(server, "POST", f"/tm/api/v1/session?token={root}")
        expect(status == 200 and "; Path=/tm;" in headers["Set-Cookie"], headers)
        csrf = re.search(rb'"csrf":"([^"]+)"', body).group(1).decode()
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0], "X-Tidemark-Csrf": csrf}
        expect_equal(ask(server, "GET", "/tm/api/v1/session", cookie)[0], 200, "signed in")
        status, headers, _ = ask(server, "DELETE", "/tm/api/v1/session", cookie)
        expect(status == 200 and "; Path=/tm;" in headers["Set-Cookie"] and "Max-Age=0" in headers["Set-Cookie"], headers)
        expect_equal(ask(server, "POST", "/api/v1/session?token=" + root)[0], 404, "beside the path")


class Stripping(http.server.BaseHTTPRequestHandler):
    """A proxy that takes /outside off, as nginx does with `location /outside/ { proxy_pass http://server/; }`."""

    def answer(self):
        target = self.path.removeprefix("/outside")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        request = urllib.request.Request(self.server.behind + target, body or None, headers, method=self.command)
        opener = urllib.request.build_opener(NoRedirect)
        try:
            reply = opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            reply = error
        content = reply.read()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def test_behind_a_proxy_that_takes_its_path_off():
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stripping)
    outside = f"http://127.0.0.1:{proxy.server_port}/outside"
    with temporary_folder() as folder, Server(folder / "data", *OFF, "--http-external-url", outside,
                                              "--http-route-prefix", "/") as server:
        proxy.behind = server.url
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            expect_equal(ask(server, "GET", "/ping")[0], 204, "inside")
            expect_equal(ask(server, "GET", "/outside/ping")[0], 404, "inside, with the path of the proxy")
            for path in ("", "/", "/db/a", "//dashboard", "/graph?g0.expr=up"):
                page = urllib.request.urlopen(outside + path, timeout=60)
                expect(page.status == 200 and "/outside/" in page.url and b"<title>" in page.read(), page.url)
            request = urllib.request.Request(outside + "/write?db=a", b"m v=1", {"Origin": outside.removesuffix("/outside")})
            expect_equal(urllib.request.urlopen(request, timeout=60).status, 204, "a write of the page")
        finally:
            proxy.shutdown()
            thread.join()
            proxy.server_close()


def test_messages_lead_to_it():
    rules = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Always
        expr: vector(1) > 0
        annotations: {where: '{{ externalURL }}{{ graphLink "up" }}'}
"""
    with temporary_folder() as folder, AlertSink() as sink:
        (folder / "rules.yml").write_text(rules)
        (folder / "notify.yml").write_text(
            f"route: {{receiver: r, group_wait: 1s}}\nreceivers: [{{name: r, webhook_configs: [{{url: '{sink.url}'}}]}}]\n")
        with Server(folder / "data", *OFF, "--rules-files", str(folder / "rules.yml"), "--notify-config",
                    str(folder / "notify.yml"), "--http-external-url", "https://m.example/tm"):
            _, message = wait_until(lambda: sink.messages and sink.messages[0], what="a message")
            expect_equal(message["externalURL"], "https://m.example/tm", "the message's address")
            alert = message["alerts"][0]
            expect_equal(alert["generatorURL"], "https://m.example/tm/graph?g0.expr=vector%281%29+%3E+0&g0.tab=1", "its expression")
            expect_equal(alert["annotations"]["where"], "https://m.example/tm/graph?g0.expr=up&g0.tab=0", "its text")


if __name__ == "__main__":
    run_tests(globals())
