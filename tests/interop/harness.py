"""Cases, each bounded in time, and how a failing one says what was expected and what came."""

import asyncio
import dataclasses
import inspect
import signal
import sys
import time
import traceback
import typing

PATIENCE = 10  # seconds for what should come at once, on a machine that does other things as well
cases = []


class Failure(Exception):
    pass


class Skip(Exception):
    pass


class OutOfTime(BaseException):
    """No Exception, so that no client's catch-all takes it."""


@dataclasses.dataclass
class Case:
    name: str
    run: typing.Callable
    limit: int


def case(name, limit=40):
    """Registers a function, plain or async, that takes the Bench."""

    def register(function):
        cases.append(Case(name, function, limit))
        return function

    return register


def shown(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


def expect(got, expected, what):
    if got != expected:
        raise Failure(f"{what}: expected {shown(expected)}, got {shown(got)}")


def expect_in(part, whole, what):
    if part not in whole:
        raise Failure(f"{what}: expected {shown(part)} in {shown(whole)}")


async def within(awaitable, what, seconds=PATIENCE):
    """Its result; a failure that says what did not come."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except (asyncio.TimeoutError, TimeoutError):
        raise Failure(f"{what}: nothing came in {seconds} s") from None


def until(holds, what, seconds=PATIENCE):
    """Waits for what another process does, and nothing tells us of."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not so after {seconds} s")
        time.sleep(0.02)
    return found


def out_of_time(_number, _frame):
    raise OutOfTime


def one_line(text):
    return " ".join(text.split())


def place(error):
    """The line of the case that failed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/interop/" in frame.filename and
           "/venv/" not in frame.filename and "harness" not in frame.filename]
    return f" ({own[-1].filename.rsplit('/', 1)[-1]}:{own[-1].lineno})" if own else ""


def run_case(case, bench):
    """PASS, FAIL or SKIP, and why."""
    signal.signal(signal.SIGALRM, out_of_time)
    # Again and again, should the client's own end of it hang as well.
    signal.setitimer(signal.ITIMER_REAL, case.limit, PATIENCE)
    try:
        outcome = case.run(bench)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
        bench.check_alive()
        return "PASS", ""
    except Skip as reason:
        return "SKIP", one_line(str(reason))
    except Failure as failure:
        return "FAIL", one_line(str(failure)) + place(failure)
    except OutOfTime as late:
        return "FAIL", f"not done after {case.limit} s{place(late)}"
    except Exception as error:
        return "FAIL", f"{type(error).__name__}: {one_line(str(error))}{place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        bench.clean_up()


def run_all(bench, words):
    """The number of cases that failed."""
    failed = 0
    for each in cases:
        if words and not any(word in each.name for word in words):
            continue
        begin = time.monotonic()
        verdict, why = run_case(each, bench)
        failed += verdict == "FAIL"
        print(f"{verdict} {each.name}{': ' if why else ''}{why}", flush=True)
        print(f"  {time.monotonic() - begin:.2f} s", file=sys.stderr, flush=True)
    return failed
