"""One stage of the test run: a command with a limit, and how to read what it found."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import time
import typing

import outcome

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build/test-logs"
GRACE = 5  # seconds between asking a stage to end and ending it
running = set()  # the process groups of the stages that run now


@dataclasses.dataclass
class Stage:
    name: str
    command: list
    read: typing.Callable = outcome.from_lines
    needs: tuple = ()  # names of stages that must have ended well
    limit: int = 600  # seconds
    environment: dict = dataclasses.field(default_factory=dict)
    report: pathlib.Path | None = None  # where the findings are, if not in what it prints
    background: bool = False  # gives way to the stages that run beside it


@dataclasses.dataclass
class Result:
    stage: Stage
    found: outcome.Outcome
    seconds: float
    log: pathlib.Path | None = None

    @property
    def good(self):
        return not self.found.failures


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def stop_all():
    """Ends what runs now, with the chance to leave its files in order."""
    for group in list(running):
        signal_group(group, signal.SIGTERM)


def wait_bounded(process, seconds):
    """The exit status, or None if it had to be ended."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    return None


def run_bounded(stage, log):
    """Runs the stage's command, and ends all that it has left behind."""
    command = [str(word) for word in stage.command]
    if stage.background:
        command = ["nice", "-n", "10", *command]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, **stage.environment})
        running.add(process.pid)
        try:
            return wait_bounded(process, stage.limit)
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
            running.discard(process.pid)


def run(stage):
    log = LOGS / (stage.name.replace(" ", "-") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    if stage.report:
        stage.report.unlink(missing_ok=True)
    begin = time.monotonic()
    status = run_bounded(stage, log)
    seconds = time.monotonic() - begin
    source = stage.report or log
    found = stage.read(source.read_text(errors="replace") if source.exists() else "")
    if status is None:
        found.failures.append(f"{stage.name}: not done after {stage.limit} s")
    elif status != 0 and not found.failures:
        found.failures.append(f"{stage.name}: ended with {status}")
    elif found.count() == 0 and stage.read is not outcome.nothing:
        found.failures.append(f"{stage.name}: ran no test")
    return Result(stage, found, seconds, log)


def left_out(stage, broken):
    """The result of a stage whose need failed: what it would have found is not known."""
    return Result(stage, outcome.Outcome(failures=[f"{stage.name}: not run, {broken} failed"]), 0.0)
