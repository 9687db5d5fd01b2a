import json
import os
import pathlib
import shutil
import subprocess
import unittest

from scratch import CHECKS, CheckTest


class Lint(CheckTest):
    """The check looks at the tree that it stands in, so it is copied into the small one."""

    def setUp(self):
        super().setUp()
        for name in ("lint", "tree.py"):
            (self.root / "tools/checks").mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKS / name, self.root / "tools/checks")
        shutil.copy(CHECKS.parents[1] / ".clang-tidy", self.root)
        self.write("server/a.h", "#pragma once\nint twice(int number);\n")
        self.write("server/a.cc", '#include "a.h"\nint twice(int number) { return 2 * number; }\n')
        self.write("build/release/compile_commands.json", json.dumps([
            {"directory": str(self.root / "build/release"), "file": "../../server/a.cc",
             "command": "g++ -std=c++20 -I../../server -c ../../server/a.cc"}]))
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q",
                        "--allow-empty", "-m", "first"], cwd=self.root, check=True)

    def run_check(self, name, *arguments):
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.root / "cache")}
        return subprocess.run([self.root / "tools/checks" / name, *arguments], timeout=120,
                              capture_output=True, text=True, env=environment, check=False)

    def test_a_clean_file_passes_and_is_remembered(self):
        self.assertIn("1 files, 1 of them new", self.run_check("lint").stdout)
        self.assertIn("1 files, 0 of them new", self.run_check("lint").stdout)

    def test_a_changed_header_is_looked_at_again(self):
        self.assert_passes("lint")
        self.write("server/a.h", "#pragma once\nint Twice(int);\nint twice(int number);\n")
        self.assert_fails("lint", "server/a.h:2: invalid case style for function 'Twice'")

    def test_a_bug_fails_every_time(self):
        self.write("server/a.cc", "#include <string>\n#include <utility>\n"
                   "std::size_t f(std::string a) {\n  std::string b = std::move(a);\n"
                   "  return a.size() + b.size();\n}\n")
        self.assert_fails("lint", "server/a.cc:5: 'a' used after it was moved")
        self.assert_fails("lint", "server/a.cc:5: 'a' used after it was moved")

    def test_a_long_function_fails(self):
        self.write("server/a.cc", "int f() {\n" + "\n" * 71 + "  return 1;\n}\n")
        self.assert_fails("lint", "function 'f' exceeds recommended size")

    def test_a_budget_that_is_spent_is_a_skip_with_its_reason(self):
        done = self.run_check("lint", "--budget", "-1")
        self.assertEqual(done.returncode, 0)
        self.assertIn("SKIP lint: 1 files not looked at", done.stdout)

    def test_a_broken_configuration_fails(self):
        pathlib.Path(self.root / ".clang-tidy").write_text("Checks: [\n")
        self.assert_fails("lint", "Error parsing")


if __name__ == "__main__":
    unittest.main()
