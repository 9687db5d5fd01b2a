"""What a stage of the test run found, read from what its programs print."""

import dataclasses
import json
import re

DOCTEST = re.compile(r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed \|"
                     r"(?:\s*(\d+) skipped)?", re.MULTILINE)
DOCTEST_CASE = re.compile(r"^TEST CASE:\s+(.*)$", re.MULTILINE)
LINE = re.compile(r"^(PASS|FAIL|SKIP) (.*)$", re.MULTILINE)
UNITTEST = re.compile(r"^(\S+) \((\S+)\) \.\.\. (ok|FAIL|ERROR|skipped .*)$", re.MULTILINE)


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failures: list = dataclasses.field(default_factory=list)
    skips: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips

    def count(self):
        return self.passed + len(self.failures) + len(self.skips)

    def __str__(self):
        return f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped"


def nothing(_text):
    """Of a stage that only prepares: it counts if it fails."""
    return Outcome()


def from_lines(text):
    """Of programs that print `PASS name`, `FAIL name: why` and `SKIP name: why`."""
    found = Outcome()
    for verdict, name in LINE.findall(text):
        if verdict == "PASS":
            found.passed += 1
        else:
            (found.failures if verdict == "FAIL" else found.skips).append(name)
    return found


def from_unittest(text):
    """Of `python3 -m unittest -v`."""
    found = Outcome()
    for name, _, verdict in UNITTEST.findall(text):
        if verdict == "ok":
            found.passed += 1
        elif verdict in ("FAIL", "ERROR"):
            found.failures.append(name)
        else:
            found.skips.append(f"{name}: {verdict}")
    return found


def from_doctest(name, text):
    """Of one doctest binary that came to its end: a count for each test case."""
    cases = DOCTEST.search(text)
    passed, failed, left_out = int(cases[2]), int(cases[3]), int(cases[4] or 0)
    titles = list(dict.fromkeys(DOCTEST_CASE.findall(text)))
    failures = [f"{name}: {title}" for title in titles[:failed]]
    failures += [f"{name}: a test case"] * (failed - len(failures))
    return Outcome(passed, failures, [f"{name}: left out by its own filter"] * left_out)


def from_meson_test(entry):
    """Of one test in meson's log: its test cases if it says what they were, else itself."""
    name = entry["name"].partition(":")[2] or entry["name"]
    text, result = entry.get("stdout", ""), entry["result"]
    if result == "SKIP":
        lines = (text.strip() or "it gave no reason").splitlines()
        return Outcome(skips=[f"{name}: {lines[-1]}"])
    if DOCTEST.search(text):
        found = from_doctest(name, text)
    else:
        found = from_lines(text)
    if result == "OK":
        return found if found.count() else Outcome(passed=1)
    # A crash, a leak at the end, a time-out: no test case says so.
    if not found.failures:
        found.failures.append(f"{name}: {result}, exit status {entry.get('returncode')}")
    return found


def from_meson(text):
    """Of `meson test`: its log, one JSON object a line."""
    found = Outcome()
    for line in text.splitlines():
        if line.startswith("{"):
            found.add(from_meson_test(json.loads(line)))
    return found
