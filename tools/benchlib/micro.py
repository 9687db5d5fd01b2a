"""tools/bench micro: the micro-benchmarks of tests/bench, from the release build, on one core."""

import argparse
import json
import os
import subprocess
import sys

from benchlib import load, machine

FOLDER = load.ROOT / "build" / "release"


def targets():
    """The benchmarks that meson knows, by name; none if Google Benchmark is not installed."""
    listed = subprocess.run(["meson", "introspect", "--targets", FOLDER], capture_output=True,
                            text=True, check=True)
    return {target["name"]: target["filename"][0] for target in json.loads(listed.stdout)
            if target["type"] == "executable" and target["name"].startswith("bench_")}


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
        print(f"\n{name}", flush=True)
        done = subprocess.run(
            [known[name], f"--benchmark_filter={options.filter or '.'}",
             f"--benchmark_repetitions={options.repetitions}",
             "--benchmark_report_aggregates_only=true"],
            check=False, env={**os.environ, "LC_ALL": "C"}, preexec_fn=machine.start_on(core))
        failed += done.returncode != 0
    return 1 if failed else 0
