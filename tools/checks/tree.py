"""What the checks share: the project's files, and how a check reports."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(root, *suffixes):
    """The files of the tree with these suffixes, relative to root: tracked, or new and not
    ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    paths = (pathlib.Path(name) for name in sorted(set(listed.split("\0"))) if name)
    return [path for path in paths if path.suffix in suffixes and (root / path).exists()]


def report(check, looked_at, problems):
    """Prints a line for each problem, else one that says what was looked at; exits accordingly."""
    for problem in problems:
        print(f"FAIL {check}: {problem}")
    if not problems:
        print(f"PASS {check}: {looked_at}")
    sys.exit(1 if problems else 0)
