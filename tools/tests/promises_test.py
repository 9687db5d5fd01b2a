import unittest

from scratch import CheckTest


class Promises(CheckTest):
    def setUp(self):
        super().setUp()
        self.write("tests/unit/a_test.cc", 'TEST_CASE("order: kept for one publisher") {}\n')

    def promise(self, text):
        self.write("docs/promises.md", "# Promises\n\nSome words.\n\n" + text)

    def test_a_promise_that_names_a_test_case_or_a_file_passes(self):
        self.promise("- Order is kept.\n  Test: `order: kept for one publisher`.\n"
                     "- And again. Test: `tests/unit/a_test.cc`.\n")
        self.assert_passes("promises")

    def test_a_promise_without_a_test_fails(self):
        self.promise("- Order is `kept`.\n")
        self.assert_fails("promises", "docs/promises.md:5: names no test: - Order is `kept`.")

    def test_a_promise_whose_test_is_gone_fails(self):
        self.promise("- Order. Test: `order: kept for one publisher`, `order: lost`.\n")
        self.assert_fails("promises", "there is no test `order: lost`")

    def test_a_missing_or_empty_page_fails(self):
        self.assert_fails("promises", "promises nothing")
        self.promise("")
        self.assert_fails("promises", "promises nothing")


if __name__ == "__main__":
    unittest.main()
