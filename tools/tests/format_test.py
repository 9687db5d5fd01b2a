import unittest

from scratch import CheckTest


class Format(CheckTest):
    def setUp(self):
        super().setUp()
        self.write(".clang-format", "BasedOnStyle: Google\n")

    def test_a_formatted_file_passes(self):
        self.write("a.cc", "int f() { return 1; }\n")
        self.assert_passes("format")

    def test_another_format_fails_with_its_line(self):
        self.write("a.cc", "int f() { return 1; }\nint  g( );\n")
        self.assert_fails("format", "a.cc:2: not formatted")


if __name__ == "__main__":
    unittest.main()
