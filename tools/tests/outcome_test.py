import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "suite"))
import outcome  # noqa: E402

GREEN = """[doctest] doctest version is "2.4.9"
[doctest] test cases:  4 |  4 passed | 0 failed |
[doctest] assertions: 9 | 9 passed | 0 failed |
"""
RED = """===============
../../tests/a_test.cc:7:
TEST CASE:  order: one publisher is kept in order

../../tests/a_test.cc:8: ERROR: CHECK( 1 == 2 ) is NOT correct!

===============
[doctest] test cases:  4 |  2 passed | 1 failed | 1 skipped
"""


def meson(**fields):
    return json.dumps({"name": "spanwire:unit / a", "result": "OK", "returncode": 0, **fields})


class Outcome(unittest.TestCase):
    def check(self, found, passed, failures=(), skips=()):
        self.assertEqual((found.passed, found.failures, found.skips),
                         (passed, list(failures), list(skips)))

    def test_each_doctest_case_counts(self):
        self.check(outcome.from_meson(meson(stdout=GREEN)), 4)

    def test_a_failed_doctest_case_is_named(self):
        self.check(outcome.from_meson(meson(stdout=RED, result="FAIL", returncode=1)), 2,
                   ["unit / a: order: one publisher is kept in order"],
                   ["unit / a: left out by its own filter"])

    def test_a_crash_behind_passed_cases_is_a_failure(self):
        self.check(outcome.from_meson(meson(stdout=GREEN, result="FAIL", returncode=1)), 4,
                   ["unit / a: FAIL, exit status 1"])

    def test_a_crash_before_the_summary_is_a_failure(self):
        self.check(outcome.from_meson(meson(stdout="", result="FAIL", returncode=-6)), 0,
                   ["unit / a: FAIL, exit status -6"])

    def test_a_time_out_is_a_failure(self):
        self.check(outcome.from_meson(meson(result="TIMEOUT", returncode=-15)), 0,
                   ["unit / a: TIMEOUT, exit status -15"])

    def test_a_plain_program_counts_as_one(self):
        self.check(outcome.from_meson(meson(stdout="4 inputs replayed\n")), 1)

    def test_a_skipped_program_says_why(self):
        self.check(outcome.from_meson(meson(stdout="no IPv6 here\n", result="SKIP")), 0,
                   skips=["unit / a: no IPv6 here"])

    def test_lines_are_counted_and_named(self):
        text = "PASS a\n  PASS is not at the front\nFAIL b: broke\nSKIP c: no network\nPASS d\n"
        self.check(outcome.from_lines(text), 2, ["b: broke"], ["c: no network"])
        self.check(outcome.from_meson(meson(stdout=text)), 2, ["b: broke"], ["c: no network"])

    def test_unittest_results_are_counted(self):
        text = ("test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... FAIL\n"
                "test_c (m.C.test_c) ... ERROR\ntest_d (m.C.test_d) ... skipped 'why'\n")
        self.check(outcome.from_unittest(text), 1, ["test_b", "test_c"],
                   ["test_d: skipped 'why'"])

    def test_the_last_line_has_the_three_counts(self):
        self.assertEqual(str(outcome.Outcome(3, ["a"], ["b", "c"])),
                         "3 passed, 1 failed, 2 skipped")


if __name__ == "__main__":
    unittest.main()
