"""A ratchet: a measure with a limit, and a list of what was over it when the limit was set. The list may only shrink.

Each line of a list is a key and the size that it may have, `key: size`. Over the limit and not in the list, larger than the
list says, smaller than it says, and no longer over the limit are breaches alike: a list that is not exact lets things grow back.
`--shrink` writes smaller sizes and takes out what has gone; it never adds.
"""
import pathlib
import sys


def load(path):
    listed = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, size = line.rsplit(": ", 1)
            listed[key] = int(size)
    return listed


def compare(found, listed, list_name, unit):
    """The breaches. `found`: (key, size, place, limit) of everything that is over its limit."""
    breaches = []
    sizes = {}
    for key, size, place, limit in found:
        # Two of one name share a line of the list; the larger one counts.
        sizes[key] = max(size, sizes.get(key, 0))
        if key not in listed:
            breaches.append(f"{place}: {key} has {size} {unit}, {limit} are the limit")
        elif size > listed[key]:
            breaches.append(f"{place}: {key} has {size} {unit}, it had {listed[key]} when the list was made")
    for key, size in listed.items():
        if key not in sizes:
            breaches.append(f"{list_name}: {key} is within the limit or gone: take it out")
        elif sizes[key] < size:
            breaches.append(f"{list_name}: {key} has {sizes[key]} {unit} only: write that instead of {size}")
    return breaches


def shrink(path, found):
    sizes = {}
    for key, size, _, _ in found:
        sizes[key] = max(size, sizes.get(key, 0))
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, size = line.rsplit(": ", 1)
            if key not in sizes:
                continue
            line = f"{key}: {min(int(size), sizes[key])}"
        kept.append(line)
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


def run(script, found, unit):
    """The main function of a ratchet whose list is the .txt beside `script`. Returns the exit code."""
    path = pathlib.Path(script).with_suffix(".txt")
    found = list(found)
    if sys.argv[1:] == ["--shrink"]:
        shrink(path, found)
    breaches = compare(found, load(path), path.name, unit)
    print("\n".join(breaches) if breaches else f"{path.stem} holds")
    return 1 if breaches else 0
