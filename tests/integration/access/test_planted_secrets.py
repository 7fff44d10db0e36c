"""Secrets that are planted wherever a server is given one, and then looked for in all that it writes, prints and answers: the log, the
files of its data directory, its pages and errors, its settings as they are printed, its words among the processes, a core."""
import base64
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, bearer, command, make  # noqa: E402
from test_access_cases import FORM, basic, cookie_of, raw, sign_in  # noqa: E402
from test_tls import encrypted  # noqa: E402

# What somebody may send by mistake, or type wrong, is as secret as what is right.
def word(of):
    return f"planted{of}Zq7"


RECEIVERS = f"""
global:
  smtp_smarthost: 127.0.0.1:1
  smtp_from: a@b.example
  smtp_auth_username: ada
  smtp_auth_password: {word('smtp')}
  slack_api_url: http://127.0.0.1:1/services/T0/B0/{word('slack')}
route: {{receiver: all, group_wait: 1s, group_interval: 1s}}
receivers:
  - name: all
    webhook_configs:
      - {{url: 'http://ada:{word('userinfo')}@127.0.0.1:1/hook/{word('path')}?token={word('query')}'}}
      - {{url: 'http://127.0.0.1:1/basic', http_config: {{basic_auth: {{username: ada, password: {word('basic')}}}}}}}
      - {{url: 'http://127.0.0.1:1/bearer', http_config: {{authorization: {{credentials: {word('bearer')}}}}}}}
    slack_configs: [{{channel: '#x'}}]
    email_configs: [{{to: 'c@d.example'}}]
"""


def use(server, root, secrets):
    """Shows secrets in each way, right and wrong; what came back."""
    answers = []

    def say(method, target, headers=None, body=None):
        status, headers, answer = ask(server, method, target, headers, body)
        answers.append(f"{method} {target.split('?')[0]}: {status} {headers}\n".encode() + answer)
        return status, headers, answer

    wrong = iter(f"{word('sent')}{number}" for number in range(1000))
    question = "/api/v1/query?query=1&db=a"
    for secret in (secrets["reader"], *(next(wrong) for _ in range(3))):
        for headers in (bearer(secret), {"Authorization": f"Token {secret}"}, basic("ada", secret), basic(secret, "x"), {"Authorization": secret},
                        {"Authorization": f"Digest {secret}"}, {"Cookie": f"tidemark_session={secret}"}):
            say("GET", question, headers)
        for more in (f"&u=ada&p={secret}", f"&u={secret}&p={next(wrong)}", f"&token={secret}", f"&access_token={secret}"):
            say("GET", question + more)
            say("POST", "/write?db=a" + more, body="m v=1")
            say("GET", "/nowhere?" + more)
            say("GET", "/query?q=" + urllib.parse.quote(f"CREATE USER ada WITH PASSWORD '{secret}'") + more)
        say("POST", "/api/v1/session", FORM, f"token={secret}x")
        say("POST", "/api/v2/signin", basic("ada", secret))
        for broken in (f"GET {question} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\nBad Header: {secret}\r\n\r\n",
                       f"GET {question} HTTP/9.9\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n\r\n",
                       f"POST /write?db=a&p={secret} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: x\r\n\r\n"):
            answers.append(raw(server, broken))
    for act in ("/api/v1/admin/tokens?name=again&grant=read:a&note=n", "/api/v1/admin/tokens?name=again&grant=read:a"):
        answer = ask(server, "POST", act, bearer(root))[2]
        if b'"token":"' in answer:
            secrets[f"made{len(secrets)}"] = json.loads(answer)["data"]["token"]
        else:
            answers.append(answer)
    secrets["rotated"] = json.loads(ask(server, "POST", "/api/v1/admin/tokens/rotate?name=again&overlap=1h", bearer(root))[2])["data"]["token"]
    cookie, csrf = sign_in(server, secrets["reader"])
    secrets["session"] = cookie.split(";")[0].split("=", 1)[1]
    secrets["forgery"] = csrf["X-Tidemark-Csrf"]
    for target in ("/metrics", "/health", "/api/v1/status/config", "/api/v1/status/flags", "/api/v1/admin/tokens", "/api/v1/admin/sessions", "/api/v1/admin/audit?limit=1000",
                   "/api/v2/status", "/api/v1/status/buildinfo", "/api/v1/alerts", "/api/v1/admin/jobs", "/api/v1/admin/notifications", "/api/v1/notifications",
                   "/api/v1/admin/queries", "/config/v1/rules", "/api/v1/admin/limits"):
        say("GET", target, bearer(root))
    # A job whose text holds what its maker was given.
    say("POST", "/api/v1/admin/jobs?" + urllib.parse.urlencode({"act": "import", "p": root}), bearer(root))
    say("GET", "/api/v1/labels?db=a", cookie_of(cookie))
    return answers


def core_of(server, folder):
    """What a crash leaves: nothing."""
    limit = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    expect(re.search(r"Max core file size\s+[01]\s", limit), f"the limit of cores: {limit}")
    server.process.send_signal(signal.SIGABRT)
    code = server.process.wait(60)
    expect(code == -signal.SIGABRT, f"it ended with {code}")
    expect(not list(folder.rglob("core*")) and not list(pathlib.Path(".").glob("core*")), "a core was left")


def test_secrets_are_in_nothing_that_is_written_or_said():
    with temporary_folder() as own:
        receivers = own / "receivers.yml"
        receivers.write_text(RECEIVERS)
        rules = own / "rules.yml"
        rules.write_text("groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]\n")
        with encrypted("--notify-config", str(receivers), "--rules-files", str(rules), "--log-level", "debug") as (server, folder, certificate):
            root = make(server, "root", "admin:*")
            secrets = {"root": root, "reader": make(server, "reader", "read:a", root)}
            answers = use(server, root, secrets)
            # A client whose certificate is of nobody, and one that speaks in clear where TLS is spoken, with a token.
            context = ssl.create_default_context()
            try:
                context.wrap_socket(socket.create_connection(("127.0.0.1", server.tls_port), timeout=30), server_hostname="localhost")
            except ssl.SSLError:
                pass
            with socket.create_connection(("127.0.0.1", server.tls_port), timeout=30) as clear:
                clear.sendall(f"GET /ping HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {root}\r\n\r\n".encode())
                answers.append(clear.recv(65536))
            # Messages that cannot be delivered: their errors name where to.
            log = pathlib.Path(server.log.name)
            wait_until(lambda: b"has not reached the receiver" in log.read_bytes(), 60, "a message that failed")
            answers.append(ask(server, "GET", "/api/v1/notifications?limit=1000", bearer(root))[2])
            printed = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "x"), "--notify-config", str(receivers), "--print-config"], capture_output=True, timeout=60)
            answers += [printed.stdout, printed.stderr]
            for words in (("query", "1"), ("admin", "token", "list"), ("admin", "audit"), ("admin", "status"), ("query", "1", "--db", "zz"), ("write", "--db", "a", "-")):
                done = command(server, *words, token=root, input="m v=x y\n")
                answers.append((done.stdout + done.stderr).encode())
                done = command(server, *words, token=word("sent") + "c", input="m v=1\n")
                answers.append((done.stdout + done.stderr).encode())
            bundle = folder / "bundle.tar.gz"
            done = command(server, "admin", "support", "--to", str(bundle), token=root)
            answers.append((done.stdout + done.stderr).encode())
            if bundle.exists():
                answers.append(subprocess.run(["tar", "-xzOf", str(bundle)], capture_output=True, timeout=60).stdout)
            else:
                expect(False, f"no bundle: {done.stdout}{done.stderr}")
            answers.append(pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes())
            core_of(server, folder)
            files = {path: path.read_bytes() for path in [log, *server.data.rglob("*")] if path.is_file()}
            for path in files:
                expect_equal(os.stat(path).st_mode & 0o077 if path != log else 0, 0, f"{path}: its mode")
            seeds = [*secrets.values(), *(secret[:24] for secret in secrets.values()), word("")[:7]]
            seeds += [base64.b64encode(f"ada:{root}".encode()).decode()]
            # The value against forgery lets nobody in: it is kept, since a page that is loaded anew asks for it with its cookie.
            store = {path for path in files if "rocksdb" in path.parts}
            for seed in seeds:
                for form in {seed.encode(), urllib.parse.quote(seed).encode(), base64.b64encode(seed.encode())[:-4]}:
                    for path, content in files.items():
                        if seed.startswith(secrets["forgery"][:24]) and path in store:
                            continue
                        at = content.find(form)
                        expect(at < 0, f"{path} holds a secret: {content[max(0, at - 200):at + 60]}")
                    for content in answers:
                        at = content.find(form)
                        expect(at < 0, f"an answer or an output holds a secret: {content[max(0, at - 300):at + 60]}")


if __name__ == "__main__":
    run_tests(globals())
