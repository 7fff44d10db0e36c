"""The image of tools/service/Containerfile, as far as a machine without a registry goes: a root that has the files of the packages
that the image installs and nothing else, read-only, entered by the image's user without any right, and its entry point as process 1."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, HERE, SLOWNESS, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import bearer  # noqa: E402

SERVICE = HERE.parent.parent / "tools" / "service"
TEXT = (SERVICE / "Containerfile").read_text()
USER = 65532

# Mounts what the runtime mounts, takes the rights away, and goes in. $1: the root, $2: the volume; then the command.
ENTER = r"""
set -e
root=$1 volume=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$volume" "$root/data"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
cd "$root"
exec chroot "$root" /usr/bin/setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set=-all --no-new-privs "$@"
"""


def files_of(package):
    listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, timeout=300, check=True).stdout.split("\n")
    return [pathlib.Path(line) for line in listed if line.startswith("/") and os.path.lexists(line) and not os.path.isdir(line)]


def make_root(root):
    """What the second stage of the Containerfile makes."""
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "usr/local/bin", "etc", "proc", "data", "tmp"):
        (root / folder).mkdir(parents=True)
    for merged in ("bin", "lib", "lib64", "sbin"):
        (root / merged).symlink_to(f"usr/{merged}")
    binaries = [BIN / "tidemarkd", BIN / "tidemark"]
    packages = subprocess.run([str(SERVICE / "shared_libraries"), *map(str, binaries)], capture_output=True, text=True, timeout=300,
                              check=True).stdout.split()
    named = re.search(r"--no-install-recommends ([a-z -]+)\\?$", TEXT, re.M).group(1).split()
    # setpriv and what it needs stand for the runtime, which is outside of an image.
    for package in {*packages, *named, "util-linux", "libcap-ng0"}:
        for file in files_of(package):
            if not re.match(r"(/usr)?/(lib|lib64|bin)/|/usr/share/(zoneinfo|ca-certificates)|/etc/", str(file)):
                continue
            path = pathlib.Path("/") / os.path.relpath(file.parent.resolve(), "/") / file.name
            to = root / str(path).lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(to):
                shutil.copy2(path, to, follow_symlinks=False)
    for binary in binaries:
        shutil.copy2(binary, root / "usr/local/bin")
    (root / "etc/passwd").write_text(f"tidemark:x:{USER}:{USER}::/data:/usr/sbin/nologin\n")
    (root / "etc/group").write_text(f"tidemark:x:{USER}:\n")


def inside(root, volume, *command):
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER, "x", str(root), str(volume), *command]


def argv(keyword):
    return json.loads(re.search(rf"^{keyword} (\[.*\])$", TEXT, re.M).group(1))


def can_enter():
    probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "bash", "-c", "mount --make-rprivate / && mount -t tmpfs none /mnt"],
                           capture_output=True, timeout=60)
    if probe.returncode != 0:
        print(f"     no mounts here: the image's root is not entered: {probe.stderr.decode()[:100]}", flush=True)
    return probe.returncode == 0


def test_the_entry_point_in_a_root_of_its_own():
    if not can_enter():
        return
    with temporary_folder() as folder:
        root, volume = folder / "root", folder / "volume"
        make_root(root)
        volume.mkdir(mode=0o700)
        folder.chmod(0o755)
        port = free_port()
        entry = [*argv("ENTRYPOINT"), *(word.replace("8086", str(port)) for word in argv("CMD"))]
        # A volume of somebody else is told, and by whom it must be owned.
        done = subprocess.run(inside(root, volume, *entry), capture_output=True, text=True, timeout=60 * SLOWNESS)
        expect(done.returncode != 0 and "/data" in done.stderr and "ermission" in done.stderr, done.stdout + done.stderr)
        os.chown(volume, USER, USER)
        # Without tokens it does not listen beyond the container.
        done = subprocess.run(inside(root, volume, *entry), capture_output=True, text=True, timeout=60 * SLOWNESS)
        expect(done.returncode != 0 and "token first" in done.stderr, done.stdout + done.stderr)
        made = subprocess.run(inside(root, volume, "/usr/local/bin/tidemark", "admin", "token", "first", "admin", "--data", "/data"),
                              capture_output=True, text=True, timeout=60 * SLOWNESS)
        expect_equal(made.returncode, 0, made.stderr)
        secret = made.stdout.strip()
        for round in range(2):
            with open(folder / "log", "wb") as log:
                server = subprocess.Popen(inside(root, volume, *entry), stdout=log, stderr=log)
            try:
                def ask(method, target, body=None):
                    done = subprocess.run(["curl", "-sS", "-X", method, "-H", f"Authorization: Bearer {secret}", "-w", "\n%{http_code}",
                                           *(("--data-binary", body) if body else ()), f"http://127.0.0.1:{port}{target}"],
                                          capture_output=True, text=True, timeout=60)
                    return done.stdout
                wait_until(lambda: server.poll() is not None or ask("GET", "/ping").endswith("204"), what="an answer")
                expect(server.poll() is None, (folder / "log").read_text(errors="replace"))
                if round == 0:
                    expect(ask("POST", "/write?db=a", "m v=1 1700000000000000000").endswith("204"), "a write")
                expect('"1"' in ask("GET", "/api/v1/query?db=a&time=1700000000&query=m_v"), "what was written")
                # Names of zones and authorities come from the image's packages.
                expect(list((root / "usr/share/zoneinfo").glob("Europe/Oslo")), "tzdata")
                process = int(pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])
                status = pathlib.Path(f"/proc/{process}/status").read_text()
                expect(re.search(rf"^Uid:\t{USER}\t{USER}\t{USER}", status, re.M), status)
                expect(re.search(r"^NSpid:.*\t1$", status, re.M), f"it is process 1: {status}")
                expect(re.search(r"^CapBnd:\t0+$", status, re.M) and re.search(r"^CapEff:\t0+$", status, re.M), status)
                expect(not subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/api/v1/query?query=1"], capture_output=True, timeout=60).stdout,
                       "without a token")
                os.kill(process, signal.SIGTERM)
                expect_equal(server.wait(60 * SLOWNESS), 0, "the exit code")
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()
        for file in volume.rglob("*"):
            stat = file.stat()
            expect_equal(stat.st_uid, USER, f"the owner of {file}")
            expect(file.is_dir() or stat.st_mode & 0o077 == 0, f"{file} is readable by others: {stat.st_mode:o}")


if __name__ == "__main__":
    run_tests(globals())
