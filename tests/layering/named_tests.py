#!/usr/bin/env python3
"""Every test that tests/FOUND.md names is there: `Suite.Name` in a C++ test, `integration/NAME test_function` in the script of that name,
`conformance/...` as a file. A table that names what is gone holds nothing."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)", re.M)
NAMES = re.compile(r"`([A-Z]\w+\.\w+|(?:integration|fault)/\w+ test_\w+|conformance/[\w/]+\.test)`")


def cpp_tests(root):
    return {f"{suite}.{name}" for path in (root / "tests").rglob("*_test.cc") for suite, name in CPP.findall(path.read_text())}


def is_there(root, name, known):
    if name.startswith("conformance/"):
        return (root / "tests" / name).is_file()
    if "/" not in name:
        return name in known
    folder, rest = name.split("/")
    script, function = rest.split()
    paths = [*(root / "tests" / folder).glob(f"test_{script}.py"), *(root / "tests" / folder).glob(f"*/test_{script}.py")]
    return any(f"def {function}(" in path.read_text() for path in paths)


def breaches(root):
    known = cpp_tests(root)
    table = root / "tests/FOUND.md"
    for number, line in enumerate(table.read_text().splitlines(), 1):
        cells = line.split(" | ")
        if line.startswith("| ") and not line.startswith("| found") and not NAMES.search(cells[1] if len(cells) > 1 else ""):
            yield f"tests/FOUND.md:{number}: no test holds this line"
        for name in NAMES.findall(line):
            if not is_there(root, name, known):
                yield f"tests/FOUND.md:{number}: there is no test {name}"


def main(root=ROOT):
    found = list(breaches(root))
    print("\n".join(found) if found else "every test that tests/FOUND.md names is there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
