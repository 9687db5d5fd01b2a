import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "suite"))
import outcome  # noqa: E402
import schedule  # noqa: E402
import stage  # noqa: E402


class Schedule(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patch = mock.patch.object(stage, "LOGS", pathlib.Path(folder.name))
        patch.start()
        self.addCleanup(patch.stop)

    def run_plan(self, *plan):
        self.told = []
        return schedule.run_all(plan, 2, lambda result: self.told.append(result.stage.name))

    def script(self, name, text, **fields):
        return stage.Stage(name, ["sh", "-c", text], **fields)

    def failures(self, result):
        return result.found.failures

    def test_results_come_in_the_order_of_the_plan(self):
        slow, fast = self.run_plan(self.script("slow", "sleep 0.3; echo PASS a"),
                                   self.script("fast", "echo PASS b"))
        self.assertEqual((slow.stage.name, fast.stage.name), ("slow", "fast"))
        self.assertEqual(self.told, ["fast", "slow"])

    def test_a_stage_waits_for_what_it_needs(self):
        self.run_plan(self.script("build", "sleep 0.3", read=outcome.nothing),
                      self.script("test", "echo PASS a", needs=("build",)))
        self.assertEqual(self.told, ["build", "test"])

    def test_a_stage_whose_need_failed_fails_unrun(self):
        _, test = self.run_plan(self.script("build", "exit 1", read=outcome.nothing),
                                self.script("test", "echo PASS a", needs=("build",)))
        self.assertEqual(self.failures(test), ["test: not run, build failed"])
        self.assertEqual(test.found.passed, 0)

    def test_an_exit_status_that_nothing_explains_is_a_failure(self):
        (result,) = self.run_plan(self.script("a", "echo PASS a; exit 3"))
        self.assertEqual(self.failures(result), ["a: ended with 3"])

    def test_a_stage_that_ran_no_test_fails(self):
        (result,) = self.run_plan(self.script("a", "true"))
        self.assertEqual(self.failures(result), ["a: ran no test"])

    def test_a_stage_ends_at_its_limit_with_all_that_it_started(self):
        (result,) = self.run_plan(self.script("a", "echo PASS a; sleep 60 & sleep 60", limit=0.3))
        self.assertEqual(self.failures(result), ["a: not done after 0.3 s"])
        self.assertLess(result.seconds, 10)


if __name__ == "__main__":
    unittest.main()
