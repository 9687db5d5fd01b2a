"""Runs of the load generator against one server, and the selection of shapes."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

from benchlib import jetstream, machine, servers

ROOT = servers.ROOT
LOADGEN = ROOT / "build" / "release" / "tools" / "loadgen" / "loadgen"
# Beyond the measured time: connecting, warming up, draining, and the silence of idle connections.
SPARE_SECONDS = 60
# Beyond that for streams: thousands are created, and millions of keys written.
SPARE_SECONDS_OF_STREAMS = 240

# Latency at half of what the peer can do at most: the paced shape, and the one that finds the rate.
HALF = {"half-1-1-128": ("pace-1-1-128", "1-1-128"),
        "half-10-10-128": ("pace-10-10-128", "10-10-128")}
# Shapes in which one subscriber stops reading, and the same without it.
STALLED = {"stall-100": "all-100"}
# Shapes that run again while another process writes to the same disk.
NOISY = {"js-wait-1000-noisy": "js-wait-1000", "disk-written-noisy": "disk-written"}
# Once the load has begun: a gigabyte, and then again, until it is ended.
NOISE = """
import os, sys, time
target, begun = sys.argv[1:]
os.nice(19)
block = os.urandom(1 << 20)
while not os.path.exists(begun):
    time.sleep(0.01)
while True:
    with open(target, "wb", buffering=0) as file:
        for _ in range(1 << 10):
            file.write(block)
        os.fsync(file.fileno())
"""
# What is set in the configuration of both NATS servers for a shape: with the default of 64 MB no
# run of a second comes to the limit that a subscriber meets who does not read.
SETTINGS = {name: ("max_pending: 2MB",) for pair in STALLED.items() for name in pair}


class Shape:
    """One row of a comparison: a shape of the generator's table, as it is run here."""

    def __init__(self, name, entry, rate_from=None):
        self.name, self.entry, self.rate_from = name, entry, rate_from
        self.noisy = name in NOISY
        self.rate = None  # set once for all rounds where rate_from names a shape
        self.run_name = entry["shape"]
        self.protocol, self.kind, self.unit = entry["protocol"], entry["kind"], entry["unit"]
        self.settings = SETTINGS.get(name, ())
        self.method = entry.get("method")
        self.connections = entry.get("connections", 0)

    @property
    def title(self):
        if self.noisy:
            return f"{self.entry['title']}, while another process writes gigabytes"
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
        for noisy, quiet in NOISY.items():
            if quiet == name:
                shapes[noisy] = Shape(noisy, entry)
    return shapes


class Runner:
    """Starts a server of a kind, puts a shape's load on it, and returns what was measured."""

    def __init__(self, cores, seconds, warm_up=0.3, window=None, loadgen=LOADGEN, store=None):
        """Stores are kept in folders below `store`, which must not be memory."""
        self.server_cores, self.client_cores = machine.placement(cores)
        self.seconds, self.warm_up, self.window, self.loadgen = seconds, warm_up, window, loadgen
        self.store = store
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
        place = self.store if shape.protocol == "streams" else None
        with tempfile.TemporaryDirectory(prefix="spanwire-bench-", dir=place) as folder:
            path = pathlib.Path(folder)
            with servers.Running(kind, shape, path, self.server_cores) as server:
                row = self.measure(server, shape, extra)
                row["start_ns"] = int(server.start_seconds * 1e9)
            if shape.kind == "assets" and "void" not in row:
                row |= self.restart(kind, shape, path)
            return row

    def restart(self, kind, shape, folder):
        """How long a server takes until it knows the streams again that it was ended with."""
        count = shape.entry["count"]
        began = time.monotonic()
        try:
            with servers.Running(kind, shape, folder, self.server_cores) as server:
                problem = jetstream.await_streams(server.port, count,
                                                  count * shape.entry["consumers"])
                if problem:
                    return {"void": f"started again: {problem}"}
                return {"restart_ns": int((time.monotonic() - began) * 1e9),
                        "restarted_bytes": machine.resident_bytes(server.process.pid)}
        except servers.Failed as failure:
            return {"void": f"started again: {failure}"}

    def measure(self, server, shape, extra):
        command = [server.kind.stands_in(shape.run_name),
                   "--port", str(server.port), "--pid", str(server.process.pid),
                   *server.kind.options(shape), *extra]
        if shape.rate:
            command += ["--rate", str(shape.rate)]
        if self.window:
            command += ["--window", str(self.window)]
        others = machine.Others(server.process.pid)
        row = self.generate_beside_noise(shape, command, server.folder, self.client_cores)
        if "void" not in row:
            row |= server.kind.own_figures()
        return row | {"others_share": others.share()}

    def generate_beside_noise(self, shape, command, folder, cores):
        """Runs the generator; beside a noisy shape another process writes into the folder."""
        if not shape.noisy:
            return self.generate(shape, command, cores)
        begun = folder / "begun"
        noise = self.make_noise(folder / "noise", begun)
        try:
            return self.generate(shape, [*command, "--begun", str(begun)], cores)
        finally:
            noise.kill()
            noise.wait()

    def make_noise(self, path, begun):
        return subprocess.Popen([sys.executable, "-c", NOISE, str(path), str(begun)],
                                stdin=subprocess.DEVNULL,
                                preexec_fn=machine.start_on(self.client_cores))

    def run_bare(self, shape):
        """A row of the disk alone. On the server's cores: how long a sync takes differs from core
        to core, with the one that the disk's interrupts go to."""
        with tempfile.TemporaryDirectory(prefix="spanwire-bench-", dir=self.store) as folder:
            row = self.generate_beside_noise(shape, [shape.run_name, "--path", folder],
                                             pathlib.Path(folder), self.server_cores)
        return row | {"server": "the disk alone", "row": shape.name}

    def generate(self, shape, arguments, cores):
        """Runs the load generator on these cores and reads its line."""
        limit = self.seconds + (SPARE_SECONDS_OF_STREAMS if shape.protocol == "streams"
                                else SPARE_SECONDS)
        command = [str(self.loadgen), *arguments, "--seconds", str(self.seconds),
                   "--warm-up", str(self.warm_up)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=limit, preexec_fn=machine.start_on(cores))
        except subprocess.TimeoutExpired:
            return {"void": f"not done after {limit} s"}
        if done.returncode not in (0, 3):
            return {"void": f"the load generator ended with {done.returncode}: {done.stderr[:300]}"}
        return json.loads(done.stdout)
