#!/usr/bin/env python3
"""Every relative link of our Markdown resolves, its heading too, and so does every path that stands in backticks.

A word in backticks is taken for a path when it has a slash in it, begins with one of our top folders or with something that lies
beside the file, or ends as our files do. It resolves from the root, from the file's folder, or from a folder above that; a name
without an ending stands for the header or source of that name. `LABEL/NAME` may be a test as ctest calls it: then NAME (without the
`_replay` of a corpus) stands in a file of that folder of tests. Placeholders pass: what has `<`, `>`, `*`, `{`, `$`, `...` or a part
in capitals (`tests/fuzz/NAME/corpus`, `tools/NAME.md`) in it, what is made by a build or a run (`build/`, `bin/`), and absolute names, which are of
a machine or a URL. Fenced blocks are not read.
"""
import posixpath
import re
import sys

import source_text

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
TICKS = re.compile(r"`([^`\n]+)`")
ENDINGS = (".md", ".h", ".cc", ".py", ".txt", ".yaml", ".json", ".cmake", ".mjs", ".cjs", ".html")
MADE = ("build/", "bin/", "node_modules/")
PLACEHOLDER = re.compile(r"[<>*{}$]|\.\.\.|(^|/)([A-Z][A-Z_]*(/|$|\.(?!md\b))|NAME\b)")


def without_blocks(text):
    """`text` with fenced blocks as empty lines."""
    return re.sub(r"^```.*?^```", lambda match: "\n" * match.group().count("\n"), text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The names that headings can be linked by."""
    headings = re.findall(r"^#+\s+(.*)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


class Tree:
    def __init__(self, root):
        self.root = root
        self.names = set(source_text.names(root))
        self.all = set(self.names)
        for name in self.names:
            while "/" in name:
                name = name.rpartition("/")[0]
                self.all.add(name)
        self.tops = {name.split("/")[0] for name in self.all if not name.startswith(".")}

    def above(self, path):
        """The folder of `path`, the one around it, and so on to the root."""
        folder = path.rpartition("/")[0]
        while folder:
            yield folder + "/"
            folder = folder.rpartition("/")[0]
        yield ""

    def resolves(self, path, name):
        name = name.rstrip("/")
        if name.startswith(("./", "../")):
            return posixpath.normpath(posixpath.join(path.rpartition("/")[0], name)) in self.all
        for folder in self.above(path):
            for ending in ("", ".h", ".cc", ".py"):
                if folder + name + ending in self.all:
                    return True
        return self.is_test(name)

    def is_test(self, name):
        match = re.fullmatch(r"(unit|conformance|fuzz|integration|fault|layering)/(\w+?)(_replay)?", name)
        if match is None:
            return False
        word = re.compile(rf"\b{match.group(2)}\b")
        return any(path.startswith(f"tests/{match.group(1)}/") and path.endswith(("CMakeLists.txt", ".cc")) and
                   word.search(source_text.read(self.root, path)) for path in self.names)

    def is_path(self, path, word):
        if "/" not in word.strip("/") or word.startswith(("/", "http", "-", "@", "~")) or word.startswith(MADE):
            return False
        if PLACEHOLDER.search(word) or not re.fullmatch(r"[\w.+\-/]+", word):
            return False
        first = word.split("/")[0]
        return first in self.tops or path.rpartition("/")[0] + "/" + first in self.all or word.endswith(ENDINGS)

    def check(self, path, text, report):
        lines = without_blocks(text).split("\n")
        for number, line in enumerate(lines, 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, heading = target.partition("#")
                place = posixpath.normpath(posixpath.join(path.rpartition("/")[0], file)) if file else path
                if place not in self.all:
                    report(path, number, f"the link {target} leads nowhere")
                elif heading and heading not in anchors(source_text.read(self.root, place)):
                    report(path, number, f"{place} has no heading #{heading}")
            for ticked in TICKS.findall(line):
                for word in ticked.split():
                    word = word.rstrip(".,;:")
                    if self.is_path(path, word) and not self.resolves(path, word):
                        report(path, number, f"there is no {word}")


def breaches_of(root=source_text.ROOT):
    breaches = []
    tree = Tree(root)
    for path in sorted(tree.names):
        if path.endswith(".md"):
            tree.check(path, source_text.read(root, path), lambda name, number, why: breaches.append(f"{name}:{number}: {why}"))
    return breaches


if __name__ == "__main__":
    found = breaches_of()
    print("\n".join(found) if found else "links resolve")
    sys.exit(1 if found else 0)
