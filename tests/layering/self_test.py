#!/usr/bin/env python3
"""Do the checks of this folder find what they are there for? Each gets a small tree with a breach of each kind."""
import contextlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import check
import duplicates
import file_length
import folder_size
import function_length
import links
import named_tests
import ratchet
import readmes
import source_text
import words


class Tree(unittest.TestCase):
    """A git repository with the files of a test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "-q", folder.name], check=True)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class NamedTests(Tree):
    def found(self, cell):
        self.write("tests/unit/a_test.cc", "TEST_F(SuiteTest,\n       DoesIt) {}\n")
        self.write("tests/integration/alerts/test_some.py", "def test_it():\n")
        self.write("tests/FOUND.md", f"| found | held by | where |\n|---|---|---|\n| a | {cell} | b |\n")
        return list(named_tests.breaches(self.root))

    def test_names_that_are_there(self):
        self.assertEqual(self.found("`SuiteTest.DoesIt`, `integration/some test_it`"), [])

    def test_names_that_are_not(self):
        for name in ("SuiteTest.DoesItNot", "integration/some test_that", "integration/other test_it", "conformance/a.test"):
            self.assertEqual(self.found(f"`{name}`"), [f"tests/FOUND.md:3: there is no test {name}"])

    def test_a_line_without_a_test(self):
        self.assertEqual(self.found("a promise"), ["tests/FOUND.md:3: no test holds this line"])


class Layering(Tree):
    ROWS = {"storage/base": set(), "query/api": {"storage/base"}, "tests/**": {"**"}}

    def setUp(self):
        super().setUp()
        self.write("storage/base/one.h", "#pragma once\n")
        self.write("query/api/two.h", '#pragma once\n#include "storage/base/one.h"\n#include "query/api/two.h"\n#include <vector>\n')
        self.write("tests/unit/query/api/test.cc", '#include "query/api/two.h"\n#include "tests/unit/fixture.h"\n')

    def found(self, rows=None):
        return check.breaches_of(self.root, self.ROWS if rows is None else rows)

    def assert_found(self, *breaches):
        self.assertEqual(sorted(self.found()), sorted(breaches))

    def test_a_good_tree_has_no_breach(self):
        self.assert_found()

    def test_an_edge_that_is_not_there(self):
        self.write("storage/base/up.cc", '#include "query/api/two.h"\n')
        self.assert_found("storage/base/up.cc:1: storage/base may not include query/api/two.h")

    def test_an_edge_in_angle_brackets(self):
        self.write("storage/base/up.cc", "\n#include <query/api/two.h>\n")
        self.assert_found("storage/base/up.cc:2: storage/base may not include query/api/two.h")

    def test_a_folder_without_a_row(self):
        self.write("ingest/toy/parser.cc", '#include "query/api/two.h"\n')
        self.assert_found("ingest/toy:1: a folder with C++ source and without a row in MAY_INCLUDE")

    def test_a_folder_inside_of_one_with_a_row(self):
        self.write("query/api/inner/three.cc", '#include "storage/base/one.h"\n')
        self.assert_found("query/api/inner:1: a folder with C++ source and without a row in MAY_INCLUDE")

    def test_source_at_the_top(self):
        self.write("main.cc", "")
        self.assert_found("main.cc:1: the top level is fixed", ".:1: a folder with C++ source and without a row in MAY_INCLUDE")

    def test_an_edge_says_nothing_about_the_folders_inside(self):
        self.write("storage/base/inner/three.h", "#pragma once\n")
        self.write("query/api/use.cc", '#include "storage/base/inner/three.h"\n')
        self.assertIn("query/api/use.cc:1: query/api may not include storage/base/inner/three.h", self.found())

    def test_a_row_and_an_edge_of_nothing(self):
        self.assertEqual(self.found({**self.ROWS, "query/gone": set(), "query/api": {"storage/base", "storage/gone"}}),
                         ["tests/layering/check.py:1: query/api may include storage/gone, which is not there",
                          "tests/layering/check.py:1: the row query/gone is of a folder without C++ source"])

    def test_an_edge_that_no_include_takes(self):
        self.write("query/plan/three.h", "#pragma once\n")
        rows = {**self.ROWS, "query/plan": set(), "query/api": {"storage/base", "query/plan"}}
        self.assertEqual(check.edges_without_includes(self.root, rows),
                         ["tests/layering/check.py:1: query/api may include query/plan, and does not"])
        self.write("query/api/use.cc", '#include <query/plan/three.h>\n')
        self.assertEqual(check.edges_without_includes(self.root, rows), [])

    def test_an_include_from_elsewhere(self):
        self.write("query/api/use.cc", '#include "two.h"\n#include "../api/two.h"\n#include "lost.h"\n')
        self.assert_found("query/api/use.cc:2: ../api/two.h is neither named from the root nor beside the file",
                          "query/api/use.cc:3: lost.h is neither named from the root nor beside the file")

    def test_a_library_behind_its_fence(self):
        self.write("query/api/use.cc", "#include <rocksdb/db.h>\n")
        self.assert_found("query/api/use.cc:1: RocksDB stays in storage")

    def test_bans(self):
        lines = {"std::mutex m;": "use Mutex of storage/base/mutex.h, which the thread-safety analysis understands",
                 "std::regex r;": "use RE2, whose time is linear in its input",
                 "co_await f(Options{1});": "g++ 12 destroys a temporary inside co_await twice: name it first",
                 "assert(x);": "use TM_CHECK, which holds in every build",
                 "const auto rows = state->view().Scan(refs, range);": 
                     "read rows with scan::RowReader, which says what is missing where rows are gone",
                 "std::atomic<std::shared_ptr<int>> p;": "share a snapshot under a mutex",
                 "// TODO: more": "finish it or name it in the README"}
        self.write("query/api/use.cc", "\n".join(lines) + "\n")
        self.assert_found(*(f"query/api/use.cc:{at}: {why}" for at, why in enumerate(lines.values(), 1)))

    def test_names_tops_endings_and_guards(self):
        self.write("query/api/string_utils.cc", "")
        self.write("query/api/more.cpp", "")
        self.write("query/api/bare.h", "")
        self.write("extra/file.txt", "")
        self.assert_found("query/api/string_utils.cc:1: a name that says nothing: name the thing that it does",
                          "query/api/more.cpp:1: C++ is in .h and .cc, which the checks read",
                          "query/api/bare.h:1: a header begins with #pragma once", "extra/file.txt:1: the top level is fixed")

    def test_every_folder_of_this_tree_has_a_row_and_is_read(self):
        self.assertGreater(sum(name.endswith(check.CPP) for name in source_text.names()), 500)


class Functions(Tree):
    def test_what_is_a_function_and_how_long(self):
        text = """#define BEGIN {
namespace a {
// } a brace in a comment
struct S : Base {
  S(int x)
      : x_{x},
        y_(x) {
    Run("}", '{', R"x(}})x");
  }
  int x_ = 0;
  std::vector<int> v_{1,
                      2};
};
enum class E { kA, kB };
constexpr Row kRows[] = {
    {1, F()},
};
const auto kLambda = [](int i) {
  return i;
};
template <typename T, typename U = std::vector<T>>
bool Outer<T>::operator==(const Outer& other) const noexcept {
  auto f = [&] {
    return 1'000'000;
  };
  if (other) {
  }
  return f();
}
TEST(Suite, Name) {
}
}  // namespace a
"""
        self.assertEqual(function_length.functions(text), [("S", 5, 5), ("kLambda", 18, 3), ("Outer<T>::operator==", 21, 9),
                                                           ("TEST(Suite,Name)", 30, 2)])

    def test_the_limit_is_that_of_the_place(self):
        for lines, place, breach in ((80, "storage/base", False), (81, "storage/base", True), (81, "query/api", True),
                                     (70, "tools/cli", False), (71, "tools/cli", True)):
            self.write(f"{place}/f.cc", "int F() {\n" + "  Go();\n" * (lines - 2) + "}\n")
            found = [found for found in function_length.over(self.root) if found[2].startswith(place)]
            self.assertEqual(bool(found), breach, (lines, place))
            if breach:
                self.assertEqual(found[0][:2], ("f.cc F", lines))


class Sizes(Tree):
    def test_a_long_file(self):
        self.write("query/api/a.py", "\n" * 500)
        self.write("query/api/b.cc", "\n" * 501)
        self.assertEqual([found[:2] for found in file_length.over(self.root)], [("b.cc", 501)])

    def test_a_full_folder(self):
        for at in range(41):
            self.write(f"query/api/a{at}.h", "")
            self.write(f"query/api/inner/a{at}.md", "")
        self.assertEqual([found[:2] for found in folder_size.over(self.root)], [("query/api", 41)])

    def test_duplicates(self):
        lines = [f"  call_number({at});" for at in range(12)]
        self.write("query/api/a.cc", "#include <x>\n" + "\n".join(lines) + "\n")
        self.write("query/api/b.cc", "first();\n\n// Why.\n" + "\n  // Why.\n}\n".join(line.strip() for line in lines))
        self.write("query/api/c.cc", "\n".join(lines[:11]))
        self.assertEqual([found[:2] for found in duplicates.over(self.root)], [("a.cc b.cc", 12)])

    def test_a_folder_without_a_readme(self):
        for name in ("query/api/a.cc", "query/plan/a.h", "query/plan/README.md", "tests/unit/deep/down/a.cc", "tools/dev/notes.txt"):
            self.write(name, "")
        self.assertEqual([found[0] for found in readmes.over(self.root)], ["query/api", "tests/unit"])


class Words(Tree):
    SECOND = {
        "duration units": ('{{"ns", 1}, {"ms", 2}, {"s", 3}, {"m", 4}}', "case 'd': case 'h': case 'm': case 's':"),
        "byte sizes": ('{"MiB", 1 << 20}', 'Format("{}KB", n)', 'Format("{} MiB", n)'),
        "times": ("std::chrono::hh_mm_ss clock{t};", "gmtime_r(&t, &utc);", 'strftime(b, 9, "%F", &utc);'),
        "JSON escapes": (r'Format("\\u{:04x}", c)', r'out += "\\u00";', r"{'\\', 'u', '0'}"),
        "percent escapes": ("if (c == '%') {", 'printf("%%%02X", c)', 'Format("%{:02X}", c)'),
        "ASCII's digits and spaces": ("bool IsDigit(char c) { return c >= '0' && c <= '9'; }", "constexpr bool IsSpace(char letter) {"),
        "the stale marker": ("uint64_t{0x7ff0000000000002}", "0x7FF0'0000'0000'0002"),
    }
    FIRST = ('// "ns", "us", "ms", "s", "m"; MiB; hh_mm_ss; 0x7ff0000000000002\n{"ms", "s", "m"}\nText("over 1 MiB, 5% of it");\n'
             'Text("times, hours");\nuint64_t{0x7ff0000000000003};\n')

    def test_a_second_definition_of_each(self):
        self.assertEqual(set(self.SECOND), set(words.WORDS))
        for word, seconds in self.SECOND.items():
            home = words.WORDS[word][0]
            for second in seconds:
                self.write(home, second + "\n")
                self.write("query/api/a.cc", "\n" + second + "\n")
                self.write("tests/unit/a.cc", second + "\n")
                rows = {word: (*words.WORDS[word][:3], {})}
                self.assertEqual(words.breaches_of(self.root, rows), [f"query/api/a.cc:2: the one definition of {word} is in {home}"])
                rows = {word: (*words.WORDS[word][:3], {"query/api/a.cc": "why"})}
                self.assertEqual(words.breaches_of(self.root, rows), [])
                self.write("query/api/a.cc", self.FIRST)
                self.assertEqual(words.breaches_of(self.root, rows), [f"tests/layering/words.py:1: query/api/a.cc shows no sign of {word}"])


class Ratchets(Tree):
    def breaches(self, *found):
        return ratchet.compare([(key, size, "place:1", 10) for key, size in found], {"old": 20}, "list.txt", "lines")

    def test_only_what_the_list_says_passes(self):
        self.assertEqual(self.breaches(("old", 20)), [])

    def test_new_larger_smaller_and_gone_are_breaches(self):
        self.assertEqual(self.breaches(("old", 20), ("new", 11)), ["place:1: new has 11 lines, 10 are the limit"])
        self.assertEqual(self.breaches(("old", 21)), ["place:1: old has 21 lines, it had 20 when the list was made"])
        self.assertEqual(self.breaches(("old", 19)), ["list.txt: old has 19 lines only: write that instead of 20"])
        self.assertEqual(self.breaches(), ["list.txt: old is within the limit or gone: take it out"])

    def test_shrinking_never_adds(self):
        self.write("list.txt", "# Why.\nold: 20\ngone: 30\ngrown: 12\n")
        ratchet.shrink(self.root / "list.txt", [("old", 15, "", 10), ("new", 40, "", 10), ("grown", 13, "", 10)])
        self.assertEqual((self.root / "list.txt").read_text(), "# Why.\nold: 15\ngrown: 12\n")


class Links(Tree):
    def test_good_ones(self):
        self.write("storage/base/result.h", "")
        self.write("storage/FORMAT.md", "# The bytes\n")
        self.write("tests/fuzz/CMakeLists.txt", "tm_fuzz(page)\n")
        self.write("tests/README.md", "`fuzz/page_replay` `ctest -R fuzz/page`\n")
        self.write("storage/README.md", "[a](FORMAT.md) [b](FORMAT.md#the-bytes) [c](https://x.org/y) `storage/base/result` `base/result.h`\n"
                                        "`storage/base/` `tests/NAME/corpus` `storage/*/x.h` `/api/v1` `text/plain` `a/b` `build/x.h`\n"
                                        "```\nstorage/lost.h\n```\n`cat storage/FORMAT.md`, [d](#e)\n## E\n")
        self.assertEqual(links.breaches_of(self.root), [])

    def test_bad_ones(self):
        self.write("storage/base/result.h", "")
        self.write("tests/fuzz/CMakeLists.txt", "tm_fuzz(page)\n")
        self.write("tests/README.md", "`fuzz/toy_replay`\n")
        self.write("storage/README.md", "[a](LOST.md) [b](README.md#lost)\n`storage/base/lost` `cat base/lost.h`\n`tools/x.py` `../lost/x.h`\n")
        self.assertEqual(links.breaches_of(self.root), [
            "storage/README.md:1: the link LOST.md leads nowhere", "storage/README.md:1: storage/README.md has no heading #lost",
            "storage/README.md:2: there is no storage/base/lost", "storage/README.md:2: there is no base/lost.h",
            "storage/README.md:3: there is no tools/x.py", "storage/README.md:3: there is no ../lost/x.h",
            "tests/README.md:1: there is no fuzz/toy_replay"])


class Tools(Tree):
    """tools/dev/thread_safety and tools/dev/retried, copied into the tree: they look at the one that they stand in."""

    def run_tool(self, name, *arguments):
        (self.root / "tools/dev").mkdir(parents=True, exist_ok=True)
        shutil.copy(source_text.ROOT / "tools/dev" / name, self.root / "tools/dev" / name)
        run = subprocess.run([sys.executable, f"tools/dev/{name}", *arguments], cwd=self.root, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    @unittest.skipUnless(shutil.which("clang++-19"), "clang++-19 is missing")
    def test_a_field_that_is_read_without_its_lock(self):
        shutil.copytree(source_text.ROOT / "storage/base", self.root / "storage/base")
        text = """#include "storage/base/mutex.h"
class Counter {
 public:
  int Read() { LOCK return count_; }
 private:
  tidemark::Mutex mutex_;
  int count_ TM_GUARDED_BY(mutex_) = 0;
};
int F(Counter* counter) { return counter->Read(); }
"""
        self.write("storage/toy.cc", text.replace("LOCK", ""))
        self.write("query/unseen.cc", text.replace("LOCK", ""))
        self.write("build/dev/compile_commands.json", json.dumps([
            {"directory": str(self.root), "file": name,
             "command": f"ccache g++ -std=gnu++23 -I. -Wall -Werror -O2 -o x.o -c {name}"} for name in ("storage/toy.cc", "query/unseen.cc")]))
        code, said = self.run_tool("thread_safety")
        self.assertEqual(code, 1, said)
        self.assertIn("requires holding mutex 'mutex_'", said)
        self.assertNotIn("unseen", said)
        self.write("storage/toy.cc", text.replace("LOCK", "tidemark::MutexLock lock(mutex_);"))
        for looked in (1, 0):
            code, said = self.run_tool("thread_safety")
            self.assertEqual((code, said.strip()), (0, f"thread safety: 1 sources, {looked} of them looked at, 0 with faults"))
        self.write("storage/base/mutex.h", (self.root / "storage/base/mutex.h").read_text() + "// changed\n")
        self.assertIn("1 of them looked at", self.run_tool("thread_safety")[1])

    def test_a_test_that_needed_its_second_run(self):
        def run(name, output, end):
            return (f"1/3 Testing: {name}\n1/3 Test: {name}\nCommand: \"x\"\nOutput:\n{'-' * 58}\n{output}\n<end of output>\n"
                    f"Test time =   0.01 sec\n{'-' * 58}\nTest {end}.\n\"{name}\" end time: now\n{'-' * 58}\n\n")

        self.write("log", run("unit/Good.A", "fine", "Passed") + run("unit/Flaky.B", "lost a race", "Failed") +
                   run("unit/Flaky.B", "fine again", "Passed") + run("unit/Bad.C", "wrong", "Failed") * 2)
        code, said = self.run_tool("retried", "log")
        self.assertEqual((code, said), (0, "FAULT: unit/Flaky.B passed only at its second run. The first one said:\n    lost a race\n"
                                           "FAULTS: 1 tests needed a second run\n"))
        self.write("log", run("unit/Good.A", "fine", "Passed"))
        self.assertEqual(self.run_tool("retried", "log"), (0, ""))


class Exit(unittest.TestCase):
    def test_a_breach_makes_a_ratchet_fail(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            pathlib.Path(folder, "toy.txt").write_text("")
            script = str(pathlib.Path(folder, "toy.py"))
            self.assertEqual(ratchet.run(script, [], "lines"), 0)
            self.assertEqual(ratchet.run(script, [("a", 2, "a:1", 1)], "lines"), 1)
        self.assertIn("a:1: a has 2 lines, 1 are the limit", out.getvalue())


if __name__ == "__main__":
    unittest.main()
