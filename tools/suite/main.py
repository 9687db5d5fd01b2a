"""Builds, tests and checks all that a change must pass, in under 20 minutes on two cores. --all
adds the thread sanitizer, long simulations, 200 kills under load, half an hour of mixed load, long
fuzzing and the linter without a time budget. The last line counts all that ran: `N passed,
N failed, N skipped`."""

import argparse
import os
import signal
import sys
import time

import outcome
import schedule
import stage
from stage import ROOT, Stage

sys.path.insert(0, str(ROOT / "tools"))
from benchlib import servers  # noqa: E402

LANES = 2  # stages at once: compiling fills every core by itself, and what waits does not
SERVER = ROOT / "build/release/server/app/spanwire"
MOST_LISTED = 100  # of one kind
INTEROP = ROOT / "tests/interop/run"
# Every finding ends the process, with the stack that led to it.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def reference():
    """The nats-server that tools/bench has built, if it has: what clients of streams promise is
    held against it too."""
    built = servers.built_nats_server()
    return {"NATS_SERVER": str(built)} if built.exists() and "NATS_SERVER" not in os.environ else {}


def build(kind, needs=()):
    return Stage(f"{kind} build", ["tools/build", kind], outcome.nothing, needs, limit=1800,
                 background=True)


def meson_tests(kind, name, slower, *suites, **environment):
    """The tests of a build, each allowed so many times its usual time."""
    logs = f"meson-{name.replace(' ', '-')}"
    command = ["meson", "test", "-C", f"build/{kind}", "--no-rebuild", "-t", slower,
               "--logbase", logs]
    command += [word for suite in suites for word in ("--suite", suite)]
    return Stage(name, command, outcome.from_meson, (f"{kind} build",), limit=1800,
                 environment={**SANITIZERS, **reference(), **environment},
                 report=ROOT / f"build/{kind}/meson-logs/{logs}.json")


def usual_plan(lint):
    """What every change passes. The order is that in which stages get a free lane."""
    after_release = ("release build",)
    scripts = sorted(path.relative_to(ROOT) for path in (ROOT / "tests/script").glob("*/*.script"))
    return [
        build("release"),
        Stage("tools", ["tools/tests/run"], outcome.from_unittest),
        Stage("includes", ["tools/checks/includes"]),
        Stage("format", ["tools/checks/format"]),
        Stage("style", ["tools/checks/style"]),
        Stage("promises", ["tools/checks/promises"]),
        build("asan", after_release),
        meson_tests("release", "release tests", 1),
        Stage("scripts over TCP", ["tests/script/play.py", "--server", SERVER, *scripts],
              needs=after_release),
        interop(after_release),
        meson_tests("asan", "asan tests", 4),
        Stage("lint", lint, needs=after_release, limit=1800, background=True),
    ]


def interop(needs):
    """tests/interop/run SERVER: real clients against a server that it starts on free ports; it
    prints `PASS name`, `FAIL name: why` and `SKIP name: why`."""
    if not INTEROP.exists():
        return Stage("interop", ["echo", "SKIP interop: there is no tests/interop/run"])
    return Stage("interop", [INTEROP, SERVER], needs=needs, limit=900)


def long_interop(name, limit, word, **environment):
    """The cases with this word in their name, at length."""
    return Stage(name, [INTEROP, SERVER, word], needs=("release build",), limit=limit,
                 environment=environment)


def long_plan(fuzz_seconds):
    return [
        meson_tests("release", "long simulations", 60, "sim", SPANWIRE_LONG="1"),
        long_interop("kills", 4800, "again and again", SPANWIRE_KILLS="200"),
        long_interop("soak", 2400, "soak", SPANWIRE_SOAK="30"),
        build("tsan"),
        meson_tests("tsan", "tsan tests", 15),
        Stage("fuzzing", ["tools/fuzz", fuzz_seconds], limit=7200),
    ]


def listed(items, indent):
    """One a line; a server that does not start need not fail five hundred times in print."""
    lines = [f"{indent}{item}" for item in items[:MOST_LISTED]]
    if len(items) > MOST_LISTED:
        lines.append(f"{indent}and {len(items) - MOST_LISTED} more; build/test-logs/ has them")
    return "\n".join(lines)


def tell(result):
    verdict = "ok    " if result.good else "FAILED"
    print(f"{verdict} {result.seconds:7.1f} s  {result.stage.name}: {result.found}", flush=True)
    if result.good:
        return
    print(listed(result.found.failures, " " * 9))
    if result.log:
        tail = result.log.read_text(errors="replace").splitlines()[-40:]
        print(f"    --- the end of {result.log.relative_to(ROOT)}")
        print("\n".join(f"    {line}" for line in tail), flush=True)


def summary(results, seconds):
    total = outcome.Outcome()
    print("\nStages, in seconds:")
    for result in results:
        total.add(result.found)
        print(f"  {result.seconds:7.1f}  {result.stage.name}: {result.found}")
    print(f"  {seconds:7.1f}  in all")
    if total.skips:
        print("\nSkipped:")
        print("\n".join(f"  {skip}" for skip in total.skips))
    if total.failures:
        print(f"\nFailed:\n{listed(total.failures, '  ')}")
    print(f"\n{total}", flush=True)
    return total


def interrupted(number, _frame):
    """Ends everything that was started: the stages have process groups of their own."""
    stage.stop_all()
    os._exit(128 + number)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    parser = argparse.ArgumentParser(prog="tools/test", description=__doc__)
    parser.add_argument("--all", action="store_true", help="also what takes long")
    parser.add_argument("--fuzz-seconds", type=int, default=60, metavar="N",
                        help="with --all, for each fuzz target; 60 if not said")
    asked = parser.parse_args()
    lint = ["tools/checks/lint"] if asked.all else ["tools/checks/lint", "--budget", "180"]
    plan = usual_plan(lint) + (long_plan(asked.fuzz_seconds) if asked.all else [])
    begin = time.monotonic()
    results = schedule.run_all(plan, LANES, tell)
    total = summary(results, time.monotonic() - begin)
    sys.exit(1 if total.failures else 0)


if __name__ == "__main__":
    main()
