#!/usr/bin/env python3
"""No function is longer than a screen and a half: 80 lines in storage and query, 70 elsewhere, from the first line of its
signature to its closing brace. A lambda belongs to the function around it. What is longer stands in function_length.txt."""
import bisect
import re
import sys

import ratchet
import source_text

CONTAINER = re.compile(r"(?:export\s+|inline\s+|typedef\s+)*(?:namespace|class|struct|union|enum|extern)\b")
NAME = re.compile(r"((?:[A-Za-z_]\w*(?:<[^<>()]*>)?\s*::\s*)*(?:operator\s*\S+?|~?[A-Za-z_]\w*))\s*\(")
ACCESS = re.compile(r"^\s*(?:(?:public|private|protected)\s*:\s*)+")


def limit(name):
    return 80 if name.startswith(("storage/", "query/")) else 70


def _braces(code):
    """Where each opening brace is closed."""
    pairs, stack = {}, []
    for match in re.finditer(r"[{}]", code):
        if match.group() == "{":
            stack.append(match.start())
        elif stack:
            pairs[stack.pop()] = match.start()
    return pairs


def _without_template(head):
    head = head.lstrip()
    while head.startswith("template"):
        depth, at = 0, head.find("<")
        if at < 0:
            break
        while at < len(head):
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            at += 1
            if depth == 0:
                break
        head = head[at:].lstrip()
    return head


def _assigned(head):
    """Whether a top-level `=` stands in `head`, as in a table; defaults of parameters and operator= are none."""
    head = re.sub(r"operator\s*[=!<>+\-*/%&|^]+", "operator", head)
    depth = 0
    for at, letter in enumerate(head):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if letter == "=" and depth == 0 and head[at - 1:at] not in ("=", "!", "<", ">") and head[at + 1:at + 2] != "=":
            return at
    return None


def functions(text):
    """(name, first line, lines) of every function that `text` defines."""
    code = source_text.blank(text)
    pairs = _braces(code)
    newlines = [match.start() for match in re.finditer("\n", code)]
    found = []
    at = start = 0
    while True:
        match = re.compile(r"[{};]").search(code, at)
        if match is None:
            return found
        at = match.end()
        if match.group() != "{":
            start = at
            continue
        access = ACCESS.match(code[start:match.start()])
        begin = start + (access.end() if access else 0)
        head = _without_template(code[begin:match.start()])
        if CONTAINER.match(head):
            start = at
            continue
        end = pairs.get(match.start(), len(code) - 1)
        equals = _assigned(head)
        behind = code[end + 1:end + 200].lstrip()[:1]
        if equals is None and behind and behind in ",{(":
            # A member that is initialised with braces, in front of the constructor's body.
            at = end + 1
            continue
        at = start = end + 1
        if equals is not None and "[" not in head[equals:]:
            continue
        name = re.search(r"([A-Za-z_]\w*)\s*$", head[:equals].rstrip()) if equals is not None else NAME.search(head)
        if name is None:
            continue
        begin += len(code[begin:]) - len(code[begin:].lstrip())
        first = bisect.bisect_left(newlines, begin) + 1
        last = bisect.bisect_left(newlines, end) + 1
        title = re.sub(r"\s+", "", name.group(1))
        if title in ("TEST", "TEST_F", "TEST_P", "TYPED_TEST"):
            title = re.sub(r"\s+", "", head)
        found.append((title, first, last - first + 1))


def over(root=source_text.ROOT):
    for path in source_text.names(root):
        if not path.endswith(source_text.CPP):
            continue
        for name, line, lines in functions(source_text.read(root, path)):
            if lines > limit(path):
                yield f"{path.split('/')[-1]} {name}", lines, f"{path}:{line}", limit(path)


if __name__ == "__main__":
    sys.exit(ratchet.run(__file__, over(), "lines"))
