"""A token with a label filter by ways in and out that remember something between requests: dictionaries of native batches, cached
answers, connections. What is remembered of one must not be another's, nor of the time before a filter was there."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder  # noqa: E402
from test_access import ask, bearer  # noqa: E402
from test_label_filters import NOW, make, quoted  # noqa: E402
from test_native import Client, Encoder, Point, Refused, Stream, native_server, numbered  # noqa: E402

OFF = ("--host-metrics", "off")
AT = NOW * 10**9


def stored(server, secret, match, db="d"):
    """{labels without the name: values}."""
    body = ask(server, "GET", "/api/v1/rows?" + quoted(db=db, **{"match[]": match}), bearer(secret))[2]
    out = {}
    for line in body.splitlines():
        row = json.loads(line)
        if "labels" in row:
            labels = tuple(sorted((k, v) for k, v in row["labels"].items() if k != "__name__"))
            out[labels] = out.get(labels, 0) + len(row["values"])
    return out


def tokens(server, *filters):
    root = make(server, "root", "admin:*")
    return root, [make(server, f"held{i}", ["write:d", "read:d"], root, [each]) for i, each in enumerate(filters)]


def test_numbers_of_a_dictionary_get_the_label_each_time():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root, (held,) = tokens(server, '{team="a"}')
        with Client(server.url, database="d", token=held) as client, Client(server.url, database="d", token=root) as free:
            for i in range(4):
                client.write([Point("m", {"h": str(h)}, {"v": i}, AT + i) for h in range(3)])
                free.write([Point("m", {"h": str(h)}, {"v": i}, AT + i) for h in range(3)])
            try:
                client.write([Point("m", {"h": "0"}, {"v": 9}, AT + 9), Point("m", {"h": "0", "team": "b"}, {"v": 9}, AT + 9)])
                raise AssertionError("a row of another team was taken")
            except Refused as refused:
                expect_equal([row["row"] for row in refused.rows], [1], refused.rows)
        want = {(("h", str(h)),): 4 for h in range(3)} | {(("h", str(h)), ("team", "a")): 4 + (h == 0) for h in range(3)}
        expect_equal(stored(server, root, "m_v"), want, "rows of both")
        expect_equal(stored(server, held, "m_v"), {k: v for k, v in want.items() if ("team", "a") in k}, "what it sees")


def test_a_dictionary_is_of_one_token():
    """Two tokens under one client's name: each has its own numbers, whatever the other said."""
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root, (a, b) = tokens(server, '{team="a"}', '{team="b"}')
        encoders = {}
        for i in range(3):
            for secret, name in ((a, "one"), (b, "two"), (root, "three")):
                encoder = encoders.setdefault(secret, Encoder("shared-name"))
                points = [Point(name, {"h": "x"}, {"v": i}, AT + i)]
                status, _, body = ask(server, "POST", "/api/v1/native?db=d", bearer(secret), encoder.encode(points)[0])
                expect_equal(status, 204, body)
                encoder.acknowledge()
        expect_equal(stored(server, root, '{__name__=~"one_v|two_v|three_v"}'),
                     {(("h", "x"), ("team", "a")): 3, (("h", "x"), ("team", "b")): 3, (("h", "x"),): 3}, "rows")


def test_a_filter_that_comes_later_holds_for_numbers_of_before():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        made = make(server, "agent", ["write:d", "read:d"], root)
        with Client(server.url, database="d", token=made) as client:
            client.write([Point("m", {"h": "x"}, {"v": 0}, AT)])
            client.write([Point("m", {"h": "x"}, {"v": 1}, AT + 1)])
            status, _, body = ask(server, "POST", "/api/v1/admin/tokens/revoke?name=agent", bearer(root))
            expect(status in (200, 204), f"{status} {body}")
        made = make(server, "agent", ["write:d", "read:d"], root, ['{team="a"}'])
        # The same sender by name, and the same numbers.
        encoder = Encoder(client._name)
        encoder._generation = client._encoder._generation
        encoder._numbers = dict(client._encoder._numbers)
        encoder.acknowledge()
        status, _, body = ask(server, "POST", "/api/v1/native?db=d", bearer(made), encoder.encode([Point("m", {"h": "x"}, {"v": 2}, AT + 2)])[0])
        if status == 409:
            encoder.forget()
            status, _, body = ask(server, "POST", "/api/v1/native?db=d", bearer(made), encoder.encode([Point("m", {"h": "x"}, {"v": 2}, AT + 2)])[0])
        expect_equal(status, 204, body)
        expect_equal(stored(server, root, "m_v"), {(("h", "x"),): 2, (("h", "x"), ("team", "a")): 1}, "rows")


def test_a_stream_is_held_too():
    with temporary_folder() as folder, native_server(folder) as (server, port):
        root, (held,) = tokens(server, '{team="a"}')
        with Stream(port, token=held, database="d") as stream:
            expect_equal(stream.reply().Status(), 204, "the hello")
            encoder = Encoder("unused")
            for i in range(3):
                stream.send(2, numbered(i + 1, encoder, [Point("m", {"h": "x"}, {"v": i}, AT + i), Point("m", {"team": "b"}, {"v": i}, AT + i)]))
                reply = stream.reply()
                expect_equal((reply.Status(), reply.RowsRefused()), (400, 1), reply.Error())
                expect_equal(reply.Faults(0).Row(), 2, "the row of another team")
        expect_equal(stored(server, root, "m_v"), {(("h", "x"), ("team", "a")): 3}, "rows")


def test_a_remembered_answer_is_of_who_asked():
    """Each question is asked first by who sees all, so that an answer that is found again would be the wrong one."""
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root, (a, b) = tokens(server, '{team="a"}', '{team="b"}')
        lines = "\n".join(f"m,team={team},host=h{i} v={i} {(NOW - 60 * step) * 10**9}"
                          for team, hosts in (("a", 2), ("b", 3)) for i in range(hosts) for step in range(60))
        expect_equal(ask(server, "POST", "/write?db=d", bearer(root), lines)[0], 204, "a write")
        for query in ("count(m_v)", "sum by (team) (m_v)", "count(rate(m_v[5m]))", "max_over_time(count(m_v)[10m:1m])", "m_v"):
            target = "/api/v1/query_range?" + quoted(db="d", query=query, start=NOW - 3000, end=NOW - 600, step=60)
            for _ in range(2):
                answers = [json.loads(ask(server, "GET", target, bearer(secret))[2])["data"]["result"] for secret in (root, a, b)]
                last = [sorted(str(series["metric"]) + series["values"][-1][1] for series in answer) for answer in answers]
                expect(last[0] != last[1] and last[1] != last[2] and last[0] != last[2], f"{query}: {last}")
                expect("'team': 'b'" not in str(answers[1]) and "'team': 'a'" not in str(answers[2]), f"{query}: {last}")
        counts = [json.loads(ask(server, "GET", "/api/v1/query?" + quoted(db="d", query="count(m_v)", time=NOW), bearer(secret))[2])
                  ["data"]["result"][0]["value"][1] for secret in (root, a, b, root, a, b)]
        expect_equal(counts, ["5", "2", "3"] * 2, "counts")


def test_short_lines_are_held_one_by_one():
    """Rows of those who are held and of those who are not, sent at once: nobody's filter is lost in a group."""
    import concurrent.futures
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root, (a, b) = tokens(server, '{team="a"}', '{team="b"}')

        def send(number):
            secret, team = ((a, "a"), (b, "b"), (root, ""))[number % 3]
            own = ask(server, "POST", "/write?db=d", bearer(secret), f"m,n={number} v=1 {AT}")
            other = ask(server, "POST", "/write?db=d", bearer(secret), f"m,n={number},team={'b' if team == 'a' else 'a'} v=1 {AT}")
            return number, team, own[0], other[0]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            done = list(pool.map(send, range(96)))
        want = {}
        for number, team, own, other in done:
            expect_equal((own, other), (204, 204 if not team else 400), f"{number} of {team or 'all'}")
            want[(("n", str(number)), *([("team", team)] if team else []))] = 1
            if not team:
                want[(("n", str(number)), ("team", "a"))] = 1
        expect_equal(stored(server, root, "m_v"), want, "rows")


if __name__ == "__main__":
    run_tests(globals())
