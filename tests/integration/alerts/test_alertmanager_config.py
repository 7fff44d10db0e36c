"""The same configurations to Debian's amtool and to ours (peers/alertmanager_configs.py): the same are taken, but for what
README.md of query/notify names."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, expect, run_tests, temporary_folder  # noqa: E402
from peers.alertmanager_configs import CASES  # noqa: E402

# Refused by us alone.
STRICTER = {"inhibition without a source", "month 13", "month 0"}


def run(*words):
    done = subprocess.run(words, capture_output=True, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_the_same_configurations_are_taken():
    expect(shutil.which("amtool"), "amtool is missing: tools/dev/setup test")
    faults, taken = [], 0
    with temporary_folder() as folder:
        path = folder / "notify.yml"
        for name, text in CASES.items():
            path.write_text(text)
            theirs, words = run("amtool", "check-config", str(path))
            ours, our_words = run(str(BIN / "tidemarkd"), "--check", "--data", str(folder / "data"), "--http", "127.0.0.1:0", "--notify-config", str(path))
            taken += theirs == 0
            if name in STRICTER:
                expect((theirs, ours != 0) == (0, True), f"{name}: {theirs}, {ours}")
            elif (ours == 0) != (theirs == 0):
                faults.append(f"{name}: {'taken' if ours == 0 else 'refused'} by us alone\n{text}\n--- amtool\n{words[-300:]}--- ours\n{our_words[-300:]}")
            elif ours != 0:
                # Who reads it finds the place.
                expect(f"{path}:" in our_words, f"{name}: {our_words}")
        expect(not faults, f"{len(faults)} of {len(CASES)}:\n" + "\n".join(faults))
        expect(len(CASES) / 4 < taken < len(CASES) * 3 / 4, f"{taken} of {len(CASES)} are taken")


if __name__ == "__main__":
    run_tests(globals())
