"""What the checks of this folder read: which files there are, and C++ without its comments and literals."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = (".h", ".cc")
SOURCE = (".h", ".cc", ".py")
# What a compiler of schemas has written; tests hold that it is what it writes.
MADE = ("clients/python/tidemark/wire/",)

# In this order: the first that fits at a place wins, so that a quote inside a comment begins nothing.
_SKIPPED = re.compile(r"""
    //[^\n]*(?:\\\n[^\n]*)*           # a comment, with the lines that a backslash adds
  | /\*.*?\*/
  | R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"
  | "(?:[^"\\\n]|\\.)*"
  | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'   # not the marks between digits
  | ^[ \t]*\#[^\n]*(?:(?<=\\)\n[^\n]*)*   # a directive: braces of a macro need not match
""", re.VERBOSE | re.DOTALL | re.MULTILINE)


def names(root=ROOT):
    """The files of the tree at `root`, as git sees them: tracked, and new ones that are not ignored."""
    out = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True)
    return sorted(name for name in set(out.stdout.split("\0")) if name and not name.startswith(MADE) and (root / name).is_file())


def read(root, name):
    return (root / name).read_text(encoding="utf-8")


def without_comments(text):
    """`text` with comments as blanks, and literals as they are."""
    return _SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()) if match.group().startswith(("//", "/*")) else match.group(), text)


def blank(text):
    """`text` with comments, literals and directives as blanks; every line keeps its number and every byte its place."""
    return _SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
