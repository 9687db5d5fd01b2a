import unittest

from scratch import CheckTest


class Style(CheckTest):
    def refuses(self, text, why, path="server/a.cc"):
        self.write(path, text)
        self.assert_fails("style", why)

    def test_sizes_at_the_limit_pass(self):
        self.write("server/a.cc", ("x" * 100 + "\n") * 600)
        self.assert_passes("style")

    def test_a_line_over_the_limit_fails(self):
        self.refuses("\n" + "x" * 101 + "\n", "server/a.cc:2: 101 columns")

    def test_columns_are_counted_in_characters(self):
        self.write("server/a.cc", "é" * 100 + "\n")
        self.assert_passes("style")

    def test_a_file_over_the_limit_fails(self):
        self.refuses("x\n" * 601, "601 lines, 600 are the limit")

    def test_a_note_to_oneself_fails(self):
        self.refuses("// TO" "DO: later\n", "server/a.cc:1: a note to oneself")
        self.refuses("# FIX" "ME\n", "tools/a.py:1: a note to oneself", "tools/a.py")

    def test_a_script_without_a_suffix_is_looked_at(self):
        self.refuses("#!/bin/sh\n# XX" "X\n", "tools/run:2: a note to oneself", "tools/run")

    def test_a_test_that_is_switched_off_fails(self):
        self.refuses('TEST_CASE("a" * doctest::skip()) {}\n', "switched off", "tests/a.cc")

    def test_a_file_ends_in_a_newline_and_a_line_in_no_blank(self):
        self.refuses("int a;", "no newline at the end")
        self.refuses("int a; \n", "blanks at the end")

    def test_a_corpus_may_hold_anything(self):
        self.write("tests/fuzz/corpus/nats/long", "#!" + "x" * 500)
        self.assert_passes("style")


if __name__ == "__main__":
    unittest.main()
