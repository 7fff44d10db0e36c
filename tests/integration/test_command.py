"""tidemark as people use it: many and packed files, bad lines, tables, why there is nothing, progress, helps."""
import gzip
import os
import pathlib
import pty
import re
import subprocess
import time

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder


def tidemark(server, *arguments, input=None, zone="UTC"):
    return subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, input=input, timeout=120,
                          env={**os.environ, "TIDEMARK_SERVER": server.url, "TZ": zone})


def test_many_files_packed_or_not():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        (folder / "a.lp").write_text("m,file=a v=1\nm,file=b v=2\n")
        (folder / "c.lp.gz").write_bytes(gzip.compress(b"m,file=c v=3\n") + gzip.compress(b"m,file=d v=4\n"))
        done = tidemark(server, "write", folder / "a.lp", folder / "c.lp.gz", "-", input=b"m,file=e v=5\n")
        expect_equal((done.returncode, done.stdout), (0, b"5 lines of 3 files written, 0 refused\n"), done.stderr)
        expect_equal(sorted(s["metric"]["file"] for s in server.query("m_v")), list("abcde"), "files")
        # Packed bytes that come through a pipe are told apart from bad lines, and so is a file that is cut.
        done = tidemark(server, "write", "-", input=gzip.compress(b"m v=1\n"))
        expect(done.returncode == 1 and b"zcat" in done.stderr, done.stderr)
        (folder / "cut.lp.gz").write_bytes(gzip.compress(b"".join(b"m v=%d\n" % i for i in range(9999)))[:-40])
        done = tidemark(server, "write", folder / "cut.lp.gz")
        expect(done.returncode == 1 and b"cut.lp.gz" in done.stderr, done.stderr)
        done = tidemark(server, "write", folder / "nosuch.lp")
        expect(done.returncode == 1 and b"nosuch.lp" in done.stderr, done.stderr)


def test_a_bad_file_is_folded_by_reason():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        bad = folder / "bad.lp"
        bad.write_text("".join(f"m v={'x' if i % 2 else '1 2 3'} {i}\n" for i in range(300_000)) + "good v=1\n")
        for arguments in (["write", bad], ["write", "--dry-run", bad]):
            done = tidemark(server, *arguments)
            said = (done.stderr + done.stdout).decode()
            expect_equal(done.returncode, 1, said[:2000])
            expect(len(said.splitlines()) < 12, said[:2000])
            expect(re.search(r"[: ]2:5: invalid boolean\n    m v=x 1\n", said), said[:2000])
            expect(re.search(r"[: ]1:\d+: .*\n    m v=1 2 3 0\n", said), said[:2000])
            expect("149999 more: invalid boolean" in said, said[:2000])
        expect_equal(len(server.query("good_v")), 1, "the good line")


def test_tables_and_times():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write("n,host=a v=1.23456789012 1451606400000000000")
        at = ["--time", "2016-01-01T00:01:00Z"]
        done = tidemark(server, "query", "n_v", *at, zone="CET-1CEST,M3.5.0,M10.5.0/3").stdout.decode()
        expect("1.23457" in done and "2016-01-01 01:01:00 CET" in done, done)
        done = tidemark(server, "query", "n_v", "--exact", "--utc", *at, zone="CET-1").stdout.decode()
        expect("1.23456789012" in done and "2016-01-01 00:01:00 UTC" in done, done)


def test_no_series_says_why():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write(f"old v=1 {int(time.time()) - 1500}000000000\ncpu,host=a usage=1")
        for arguments, code, words in ((["old_v"], 0, "24 min old: --start -1h"),
                                       (["old_v", "--start", "-1h"], 0, ""),
                                       (["cpu_usgae"], 1, 'did you mean "cpu_usage"?'),
                                       (['cpu_usage{host="b"}'], 1, "has these labels"),
                                       (["cpu_usage > 5"], 0, "no series\n"),
                                       (["cpu_usage", "--db", "defalut"], 1, 'did you mean "default"?')):
            done = tidemark(server, "query", *arguments)
            said = done.stdout.decode()
            expect_equal(done.returncode, code, said)
            expect(words in said.replace("25 min", "24 min"), f"{arguments}: {said}")


def on_a_terminal(server, *arguments):
    """The exit code, standard output, and what a terminal gets that is standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(BIN / "tidemark"), *arguments], stdout=subprocess.PIPE, stderr=theirs,
                               env={**os.environ, "TIDEMARK_SERVER": server.url})
    os.close(theirs)
    shown = b""
    try:
        while got := os.read(ours, 65536):
            shown += got
    except OSError:
        pass  # EIO: nobody has the other end any more
    os.close(ours)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output.decode(), shown.decode()


def test_bench_shows_how_far_it_is():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        ingest = ["bench", "ingest", "--hosts", "10", "--seconds", "600", "--batch", "100"]
        query = ["bench", "query", "--hosts", "10", "--seconds", "600", "--runs", "2"]
        for command, said in ((ingest, ("points generated", "points sent")), (query, ("queries answered",))):
            code, output, shown = on_a_terminal(server, *command)
            expect_equal(code, 0, output + shown)
            # Every line begins at the left, and nothing stays behind.
            for words in said:
                expect(re.search(rf"\r[\d,]+ {words}, .*/s", shown), repr(shown))
            expect(shown.endswith("\r\x1b[K") and "\n" not in shown, repr(shown))
            # A pipe gets the figures alone.
            done = tidemark(server, *command)
            expect_equal((done.returncode, done.stderr), (0, b""), done.stdout)
            expect(done.stdout.count(b"\n") == output.count("\n") > 0, done.stdout)
        # Nor does it stay behind when the server is not there.
        code, output, shown = on_a_terminal(server, *ingest, "--server", "http://127.0.0.1:1")
        expect(code == 1 and shown.rpartition("\x1b[K")[2].startswith("tidemark: "), repr(shown))


def test_helps_fit_and_have_groups():
    def help_of(program, *words):
        run = subprocess.run([str(BIN / program), *words, "--help"], capture_output=True, text=True, timeout=60, check=True)
        too_long = [line for line in run.stdout.splitlines() if len(line) > 80 and " " in line.strip()]
        expect(not too_long, f"{program} {words}: {too_long}")
        return run.stdout

    groups = re.findall(r"^(\S.*):$", help_of("tidemark"), re.M)
    expect_equal(groups, ["Options", "Ask and watch", "Write", "Alert", "Run tasks", "Administer", "Try and measure", "Shell"],
                 "groups of commands")
    expect_equal(re.findall(r"^(\S.*):$", help_of("tidemark", "query"), re.M),
                 ["Positionals", "Options", "Time", "Output", "Server"], "groups of query")
    expect("\nSubcommands:\n" in help_of("tidemark", "admin", "retention"), "a group is not inherited")
    headings = re.findall(r"^(\S.*):$", help_of("tidemark", "admin"), re.M)
    expect_equal(headings, ["Options", "See", "What is kept", "Change what is there", "Whole and safe", "Move in and out", "The server",
                            "Who may what"], "headings of admin")
    run = help_of("tidemark", "exec", "run")
    expect(re.search(r"--label TEXT \.\.\. .*?may be\s+given several times", run, re.S), run)
    expect("--spool-limit SIZE=256MiB" in run, run)
    server = help_of("tidemarkd")
    sections = re.findall(r"^Section (\S+):$", server, re.M)
    expect(len(sections) == len(set(sections)) and {"http", "storage", "query"} <= set(sections), sections)
    expect_equal(sections, re.findall(r"^([a-z_]+):$", subprocess.run(
        [str(BIN / "tidemarkd"), "--print-config"], capture_output=True, text=True, timeout=60, check=True).stdout, re.M),
        "the sections of the file")
    expect(re.search(r"^  --http,--http-listen VALUE=127\.0\.0\.1:8086\S* \.\.\.$", server, re.M), server[:2000])
    expect(re.search(r"^  --query-timeout VALUE=\d+\w+ ", server, re.M), server[:2000])


run_tests(globals())
