"""tools/bench micro: the micro-benchmarks of tests/bench, from the release build, on one core."""

import argparse
import json
import subprocess
import sys

from benchlib import load, machine, table

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
FOLDER = load.ROOT / "build" / "release"


def targets():
    """The benchmarks that meson knows, by name; none if Google Benchmark is not installed."""
    listed = subprocess.run(["meson", "introspect", "--targets", FOLDER], capture_output=True,
                            text=True, check=True)
    return {target["name"]: target["filename"][0] for target in json.loads(listed.stdout)
            if target["type"] == "executable" and target["name"].startswith("bench_")}


def results(text):
    """A row for each case: the processor time of an item (of an iteration, where a case does not
    count items) as the median, and the coefficient of variation."""
    cases = {}
    for entry in json.loads(text)["benchmarks"] if text else ():
        cases.setdefault(entry["run_name"], {})[entry.get("aggregate_name")] = entry
    rows = []
    for name, found in cases.items():
        median, spread = found.get("median"), found.get("cv")
        if not median:
            continue
        items = median.get("items_per_second")
        spent = 1e9 / items if items else median["cpu_time"] * NANOSECONDS[median["time_unit"]]
        rows.append([name, table.duration(spent), f"{100 * spread['cpu_time']:.1f} %"])
    return rows


def main(arguments):
    reader = argparse.ArgumentParser(prog="tools/bench micro", description=__doc__)
    reader.add_argument("names", nargs="*", help="benchmarks to run, without bench_; default: all")
    reader.add_argument("--filter", default="", help="a regular expression on their cases")
    reader.add_argument("--repetitions", type=int, default=3)
    options = reader.parse_args(arguments)

    subprocess.run([load.ROOT / "tools" / "install", "bench"], check=True)
    subprocess.run([load.ROOT / "tools" / "build", "release", "benches"], check=True,
                   stdout=subprocess.DEVNULL)
    known = targets()
    wanted = [f"bench_{name.removeprefix('bench_')}" for name in options.names] or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown or not known:
        sys.exit(f"tools/bench: no such benchmark: {' '.join(unknown) or 'none is built'}")
    core, _ = machine.placement(1)
    failed = 0
    for name in wanted:
        done = subprocess.run(
            [known[name], f"--benchmark_filter={options.filter or '.'}",
             f"--benchmark_repetitions={options.repetitions}", "--benchmark_format=json",
             "--benchmark_report_aggregates_only=true"],
            stdout=subprocess.PIPE, text=True, check=False, preexec_fn=machine.start_on(core))
        failed += done.returncode != 0
        rows = results(done.stdout)
        if rows:
            print("\n" + table.as_text([name, "CPU of an item", "spread"], rows), flush=True)
    return 1 if failed else 0
