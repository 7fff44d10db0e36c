"""The admin tool beside exports: what has most series, the support bundle, completion and man pages, what is installed."""
import json
import pathlib
import re
import shutil
import subprocess
import tarfile

from harness import BIN, HERE, Server, expect, expect_equal, run_tests, temporary_folder

T0 = 1_700_000_000
QUIET = ("--host-metrics", "off")


def tidemark(*arguments, code=0, **more):
    done = subprocess.run([str(BIN / "tidemark"), *map(str, arguments)], capture_output=True, text=True, timeout=300, **more)
    expect(code is None or done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def test_cardinality_online_and_offline():
    with temporary_folder() as folder:
        with Server(folder / "data", *QUIET, "--storage-max-series-per-database", "1000") as server:
            server.write("".join(f"cpu,host=h{h},cpu=c{c} user=1,system=2 {T0}000000000\n" for h in range(10) for c in range(8)), db="db")
            server.write("".join(f"mem,host=h{h} free=1i {T0}000000000\n" for h in range(10)), db="db")
            text = tidemark("admin", "cardinality", "db", "--server", server.url).stdout
            expect("db: 90 series with 170 columns" in text, text)
            expect("9.0 % of the 1,000 that it may have" in text and "910 more" in text, text)
            expect(re.search(r"\n +80 +88\.9% +160 .* cpu\n", text), text)
            data = json.loads(tidemark("admin", "cardinality", "db", "--json", "--limit", "1", "--server", server.url).stdout)["data"]
            expect_equal(data["sources"], [{**data["sources"][0], "name": "h0", "series": 9, "columns": 17}], "sources")
            expect_equal((data["labels"][0]["name"], data["labels"][0]["values"]), ("host", 10), "labels")
            tidemark("admin", "cardinality", "nowhere", "--server", server.url, code=2)
            expect_equal(server.stop(), 0, "exit code")
        offline = json.loads(tidemark("admin", "cardinality", "db", "--json", "--limit", "1", "--data", folder / "data").stdout)["data"]
        for key in ("series", "columns", "pairs", "measurements"):
            strip = lambda rows: [{k: v for k, v in row.items() if k != "diskBytes"} for row in rows] if isinstance(rows, list) else rows
            expect_equal(strip(offline[key]), strip(data[key]), key)


SECRETS = ["n0tify-S3CRET", "hook-S3CRET", "log-S3CRET", "query-S3CRET"]


def test_a_support_bundle_holds_no_secret():
    with temporary_folder() as folder:
        (folder / "notify.yml").write_text(
            "global: {smtp_smarthost: 'localhost:25', smtp_from: a@b.c, smtp_auth_username: u, smtp_auth_password: n0tify-S3CRET}\n"
            "route: {receiver: hook}\nreceivers: [{name: hook, webhook_configs: [{url: 'http://user:hook-S3CRET@127.0.0.1:9/x'}]}]\n")
        token = tidemark("admin", "token", "first", "root", "--data", folder / "data").stdout.strip() if (folder / "data").mkdir() is None else ""
        environment = {"PATH": "/usr/bin:/bin", "TIDEMARK_TOKEN": token}
        with Server(folder / "data", *QUIET, "--notify-config", str(folder / "notify.yml")) as server:
            server.request("GET", "/api/v1/query?query=up&token=query-S3CRET", headers={"Authorization": "Bearer " + token})
            log = folder / "copy.log"
            log.write_text(server.log_text() + f"Authorization: Bearer log-S3CRET-123456\nand {token}\nthe last line\n")
            for name in ("a.tar", "a.tar.gz", "a.tar.zst"):
                tidemark("admin", "support", "--to", folder / name, "--log", log, "--server", server.url, env=environment)
            subprocess.run(["zstd", "-q", "-d", str(folder / "a.tar.zst"), "-o", str(folder / "b.tar")], check=True)
            for name in ("a.tar", "a.tar.gz", "b.tar"):
                with tarfile.open(folder / name) as archive:
                    files = {m.name.removeprefix("tidemark-support/"): archive.extractfile(m).read() for m in archive.getmembers()}
                for secret in [*SECRETS, token]:
                    for file, text in files.items():
                        expect(secret.encode() not in text, f"{name}: {secret} is in {file}")
                expect(b"tidemark_series" in files["metrics.txt"], files["metrics.txt"][:300])
                expect(b"/rocksdb/" in files["files.txt"], files["files.txt"][:300])
                expect(files["log.txt"].endswith(b"the last line\n"), files["log.txt"][-300:])
                expect(b"\"status\"" in files["settings.json"] and b"listen" in files["settings.json"], files["settings.json"][:300])
                expect(b"kernel Linux" in files["machine.txt"], files["machine.txt"][:300])
            expect_equal(server.stop(), 0, "exit code")
        done = tidemark("admin", "support", "--to", folder / "off.tar", "--log", log, "--data", folder / "data")
        expect("off.tar" in done.stdout, done.stdout)


def offered(script, words):
    """What bash completes the last of the words to."""
    quoted = " ".join(f"'{w}'" for w in words)
    done = subprocess.run(["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _tidemark; "
                           'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, timeout=60)
    expect_equal(done.stderr, "", "what bash says")
    return done.stdout.split()


def commands(*path):
    """The commands that a help lists."""
    text = tidemark(*path, "--help").stdout
    found, heading = [], ""
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line
        elif heading != "Positionals:" and (name := re.match(r"  ([a-z]\S*)", line)):
            found.append(name.group(1))
    return found


def test_completion_offers_every_command():
    with temporary_folder() as folder:
        script = folder / "tidemark.bash"
        script.write_text(tidemark("completion", "bash").stdout)
        count = 0

        def walk(*path):
            nonlocal count
            own = commands(*path)
            got = offered(script, ["tidemark", *path, ""])
            expect(set(own) <= set(got), f"{path}: {set(own) - set(got)} are missing")
            if not own:
                expect("--help" in got, f"{path}: {got}")
            for one in own:
                count += 1
                expect(one in offered(script, ["tidemark", *path, one[:-1] or one]), f"{path} {one}")
                walk(*path, one)
        walk("admin")
        expect(count > 25, f"{count} commands")
        for shell in ("zsh", "fish"):
            text = tidemark("completion", shell).stdout
            (folder / shell).write_text(text)
            if shutil.which(shell):
                expect_equal(subprocess.run([shell, "-n", str(folder / shell)], timeout=60).returncode, 0, shell)
        tidemark("completion", "tcsh", code=1)


def test_every_man_page_is_whole():
    with temporary_folder() as folder:
        tidemark("man", "--to", folder / "man")
        pages = sorted(p.name for p in (folder / "man").iterdir())
        expect_equal(pages, sorted(["tidemark.1"] + [f"tidemark-{c}.1" for c in commands()]), "pages")
        for page in pages:
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-man", "-ww", "-z", "-Kutf8", str(folder / "man" / page)], capture_output=True, text=True, timeout=60)
                expect_equal((done.returncode, done.stderr), (0, ""), page)
            if shutil.which("mandoc"):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", str(folder / "man" / page)], capture_output=True, text=True, timeout=60)
                expect_equal(done.stdout, "", page)
        if shutil.which("man"):
            done = subprocess.run(["man", "-l", str(folder / "man" / "tidemark-admin.1")], capture_output=True, text=True, timeout=60,
                                  env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
            expect("tidemark admin retention set" in done.stdout and "--max-bytes" in done.stdout, done.stdout[:500])


def test_what_is_installed():
    build = BIN.parent
    if not (build / "cmake_install.cmake").exists():
        return
    with temporary_folder() as folder:
        subprocess.run(["cmake", "--install", str(build), "--component", "Tidemark", "--prefix", str(folder / "to")], check=True,
                       stdout=subprocess.DEVNULL, timeout=300)
        for path in ("bin/tidemark", "bin/tidemarkd", "share/man/man1/tidemark-admin.1.gz", "share/man/man8/tidemarkd.8.gz",
                     "share/bash-completion/completions/tidemark", "share/zsh/vendor-completions/_tidemark",
                     "share/fish/vendor_completions.d/tidemark.fish", "lib/systemd/system/tidemarkd.service",
                     "lib/systemd/system/tidemarkd.socket", "etc/tidemark/tidemarkd.yaml"):
            expect((folder / "to" / path).stat().st_size > 0, path)
        unit = (folder / "to/lib/systemd/system/tidemarkd.service").read_text()
        expect(f"ExecStart={folder}/to/bin/tidemarkd --data" in unit, unit)
        # The settings are those that the program takes, and stay when somebody has changed them.
        settings = folder / "to/etc/tidemark/tidemarkd.yaml"
        done = subprocess.run([str(folder / "to/bin/tidemarkd"), "--config", str(settings), "--data", str(folder / "data"), "--print-config"],
                              capture_output=True, text=True, timeout=60)
        expect_equal(done.returncode, 0, done.stderr)
        settings.write_text("# mine\n")
        subprocess.run(["cmake", "--install", str(build), "--component", "Tidemark", "--prefix", str(folder / "to")], check=True,
                       stdout=subprocess.DEVNULL, timeout=300)
        expect_equal(settings.read_text(), "# mine\n", "settings")


def test_the_package():
    build = BIN.parent
    if not (build / "CPackConfig.cmake").exists() or not shutil.which("dpkg-shlibdeps"):
        return
    with temporary_folder() as folder:
        done = subprocess.run(["cpack", "-B", str(folder)], cwd=build, capture_output=True, text=True, timeout=300)
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
        package = next(folder.glob("*.deb"))
        listed = subprocess.run(["dpkg-deb", "-c", str(package)], capture_output=True, text=True, check=True).stdout
        files = {line.split()[-1]: line.split()[:2] for line in listed.splitlines()}
        for path, mode in (("./usr/bin/tidemarkd", "-rwxr-xr-x"), ("./usr/bin/tidemark", "-rwxr-xr-x"),
                           ("./usr/lib/systemd/system/tidemarkd.service", "-rw-r--r--"), ("./etc/tidemark/tidemarkd.yaml", "-rw-r--r--"),
                           ("./usr/share/man/man1/tidemark-admin.1.gz", "-rw-r--r--"),
                           ("./usr/share/bash-completion/completions/tidemark", "-rw-r--r--")):
            expect_equal(files.get(path), [mode, "root/root"], path)
        expect(not any("/local/" in path or "tmp" in path for path in files), f"{sorted(files)}")
        subprocess.run(["dpkg-deb", "-R", str(package), str(folder / "x")], check=True)
        control = (folder / "x/DEBIAN/control").read_text()
        expect("librocksdb7.8" in control and "adduser" in control, control)
        expect_equal((folder / "x/DEBIAN/conffiles").read_text(), "/etc/tidemark/tidemarkd.yaml\n", "conffiles")
        unit = (folder / "x/usr/lib/systemd/system/tidemarkd.service").read_text()
        expect("ExecStart=/usr/bin/tidemarkd --data /var/lib/tidemark" in unit, unit)
        if shutil.which("lintian"):
            done = subprocess.run(["lintian", "--fail-on", "error", "--allow-root", str(package)], capture_output=True, text=True, timeout=300)
            expect_equal(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    run_tests(globals())
