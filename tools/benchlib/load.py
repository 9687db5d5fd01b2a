"""Runs of the load generator against one server, and the selection of shapes."""

import json
import pathlib
import subprocess
import tempfile

from benchlib import machine, servers

ROOT = servers.ROOT
LOADGEN = ROOT / "build" / "release" / "tools" / "loadgen" / "loadgen"
# Beyond the measured time: connecting, warming up, draining, and the silence of idle connections.
SPARE_SECONDS = 60

# Latency at half of what the peer can do at most: the paced shape, and the one that finds the rate.
HALF = {"half-1-1-128": ("pace-1-1-128", "1-1-128"),
        "half-10-10-128": ("pace-10-10-128", "10-10-128")}
# Shapes in which one subscriber stops reading, and the same without it.
STALLED = {"stall-100": "all-100"}
# What is set in the configuration of both NATS servers for a shape: with the default of 64 MB no
# run of a second comes to the limit that a subscriber meets who does not read.
SETTINGS = {name: ("max_pending: 2MB",) for pair in STALLED.items() for name in pair}


class Shape:
    """One row of a comparison: a shape of the generator's table, as it is run here."""

    def __init__(self, name, entry, rate_from=None):
        self.name, self.entry, self.rate_from = name, entry, rate_from
        self.rate = None  # set once for all rounds where rate_from names a shape
        self.run_name = entry["shape"]
        self.protocol, self.kind, self.unit = entry["protocol"], entry["kind"], entry["unit"]
        self.settings = SETTINGS.get(name, ())
        self.method = entry.get("method")
        self.connections = entry.get("connections", 0)


    @property
    def title(self):
        if not self.rate_from:
            rate = self.entry.get("rate")
            return f"{self.entry['title']}, {rate:,}/s" if rate else self.entry["title"]
        return f"{self.entry['title']}, half of the peer's highest rate: {self.rate or 0:,}/s"


def all_shapes(loadgen=LOADGEN):
    listed = subprocess.run([loadgen, "--list"], capture_output=True, text=True, check=True)
    entries = {entry["shape"]: entry for entry in map(json.loads, listed.stdout.splitlines())}
    shapes = {}
    for name, entry in entries.items():
        shapes[name] = Shape(name, entry)
        for half, (paced, source) in HALF.items():
            if paced == name:
                shapes[half] = Shape(half, entry, rate_from=source)
    return shapes


class Runner:
    """Starts a server of a kind, puts a shape's load on it, and returns what was measured."""

    def __init__(self, cores, seconds, warm_up=0.3, window=None, loadgen=LOADGEN):
        self.server_cores, self.client_cores = machine.placement(cores)
        self.seconds, self.warm_up, self.window, self.loadgen = seconds, warm_up, window, loadgen
        self.unable = {}  # why a kind of server did not start for a protocol: not tried again

    def run(self, kind, shape, extra=()):
        """A row of JSON. A void run has the key "void" with the reason, and no figures."""
        purpose = (kind.name, shape.protocol)
        row = {"void": self.unable[purpose]} if purpose in self.unable else None
        try:
            row = row or self.start_and_measure(kind, shape, extra)
        except servers.Failed as failure:
            self.unable[purpose] = str(failure)
            row = {"void": str(failure)}
        return {**row, "server": kind.name, "row": shape.name}

    def start_and_measure(self, kind, shape, extra):
        with tempfile.TemporaryDirectory(prefix="spanwire-bench-") as folder:
            with servers.Running(kind, shape, pathlib.Path(folder), self.server_cores) as server:
                row = self.measure(server, shape, extra)
                return {**row, "start_ns": int(server.start_seconds * 1e9)}

    def measure(self, server, shape, extra):
        command = [str(self.loadgen), server.kind.stands_in(shape.run_name),
                   "--port", str(server.port), "--pid", str(server.process.pid),
                   "--seconds", str(self.seconds),
                   "--warm-up", str(self.warm_up), *server.kind.options(shape), *extra]
        if shape.rate:
            command += ["--rate", str(shape.rate)]
        if self.window:
            command += ["--window", str(self.window)]
        others = machine.Others(server.process.pid)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=self.seconds + SPARE_SECONDS,
                                  preexec_fn=machine.start_on(self.client_cores))
        except subprocess.TimeoutExpired:
            return {"void": f"not done after {self.seconds + SPARE_SECONDS} s"}
        if done.returncode not in (0, 3):
            return {"void": f"the load generator ended with {done.returncode}: {done.stderr[:300]}"}
        row = json.loads(done.stdout)
        row["others_share"] = others.share()
        return row
