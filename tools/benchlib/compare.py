"""tools/bench compare: the same load on Spanwire and on its peers, in turns."""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from benchlib import load, machine, servers, streams, summary, table

QUICK = ("pub-16", "1-1-16", "1-1-128", "1-1-1k", "10-10-128", "fan-128", "queue-10-128", "rr-1",
         "rr-100", "single-10-10-128", "churn-100k", "half-1-1-128", "idle", "mqtt-1-1-128",
         "http-get-1")
# Slow to set up and steady from run to run: two rounds are enough.
FEW_ROUNDS = ("connections", "subscriptions", "assets")
# The share of the machine that other processes may use before a table warns of it.
DISTURBED = 0.1


def parse(arguments):
    reader = argparse.ArgumentParser(prog="tools/bench compare", description=__doc__)
    reader.add_argument("--shapes", default="", help="names with commas; 'list' shows them; "
                        "'nats', 'mqtt', 'http' and 'streams' stand for all of a kind; without it "
                        "all run but those of streams, which write to the disk")
    reader.add_argument("--rounds", type=int, help="runs of each shape on each server: 3")
    reader.add_argument("--seconds", type=float, help="measured in each run: 1")
    reader.add_argument("--quick", action="store_true", help="few shapes, in about two minutes")
    reader.add_argument("--budget", type=float, default=600,
                        help="begin no further round that would end later than this, in seconds")
    reader.add_argument("--cores", type=int, choices=(1, 2), default=1,
                        help="of each server; with 2 Spanwire also runs with 1, beside it")
    reader.add_argument("--window", type=int, help="bytes of deliveries under way at most")
    reader.add_argument("--last-values", action="store_true",
                        help="run Spanwire also as it keeps last values, and print that beside")
    reader.add_argument("--set", action="append", default=[], metavar="'KEY: VALUE'",
                        help="a line of Spanwire's configuration, such as 'coalesce: 20us'")
    reader.add_argument("--server", help="the Spanwire binary; default: tools/build makes it")
    reader.add_argument("--peer", help="the nats-server binary, or NATS_SERVER; default: "
                        f"{servers.NATS_VERSION}, from its Go module")
    reader.add_argument("--mosquitto", help="the mosquitto binary; default: the installed one")
    reader.add_argument("--nginx", help="the nginx binary; default: the installed one")
    reader.add_argument("--store", help="a folder on a disk, for the stores of streams; default: "
                        "the first of those for temporary files that is on one")
    reader.add_argument("--json", type=pathlib.Path, help="write all that was measured here")
    reader.add_argument("--markdown", type=pathlib.Path, help="write the tables here")
    reader.add_argument("--no-namespace", action="store_true",
                        help="use the machine's own loopback")
    return reader.parse_args(arguments)


def build(*targets):
    """The release build, up to date; returns the path of the server."""
    done = subprocess.run([load.ROOT / "tools" / "build", "release", *targets], check=False,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("tools/bench: the build failed")
    return done.stdout.splitlines()[-1]


def choose(names, quick):
    known = load.all_shapes()
    if names == "list":
        for shape in known.values():
            print(f"{shape.name:20} {shape.title}")
        sys.exit(0)
    if not names:
        return [shape for name, shape in known.items()
                if name in QUICK or not quick and shape.protocol != "streams"]
    chosen = []
    for name in names.split(","):
        group = [shape for shape in known.values() if name in (shape.name, shape.protocol)]
        if not group:
            sys.exit(f"tools/bench: no shape is called {name}; --shapes list shows them")
        chosen += group
    return chosen


def left_out(shapes, files):
    """Why shapes cannot run if a process may have so many files open, by their names."""
    spare = 64  # beside the connections
    return {shape.name: f"its {shape.connections:,} connections and {spare} files more do not fit "
            f"into the {files:,} that a process may open here (ulimit -Hn)"
            for shape in shapes if shape.connections + spare > files}


class Comparison:
    """Runs the shapes in rounds. In each round a shape runs on every side, one after the other, and
    the order of the sides changes from round to round. The sides are ours and the peer if there is
    one, for some shapes also the peer as it syncs every write; if that is asked for, also ours as
    it keeps last values, and ours under a runner of one core."""

    def __init__(self, runner, shapes, ours, peers, kept=None, single=None, synced=None):
        self.runner, self.shapes, self.ours, self.peers = runner, shapes, ours, peers
        self.kept, self.single, self.synced, self.rows = kept, single, synced, []

    def peer_of(self, shape):
        return self.peers.get(shape.protocol)

    def run(self, rounds, budget):
        """Returns how many rounds were run: the first always, others while time is left."""
        began = time.monotonic()
        for number in range(rounds):
            round_began = time.monotonic()
            if number and round_began - began + (round_began - began) / number > budget:
                return number
            for shape in self.shapes:
                if number < 2 or shape.kind not in FEW_ROUNDS:
                    self.run_shape(shape, number)
        return rounds

    def run_shape(self, shape, number):
        if shape.kind == "disk":
            self.rows.append({**self.runner.run_bare(shape), "side": "disk", "round": number})
            self.tell(self.rows[-1])
            return
        sides = [("ours", self.ours)]
        if self.peer_of(shape):
            sides.append(("peer", self.peer_of(shape)))
        if self.synced and shape.name in streams.SYNCED:
            sides.append(("synced", self.synced))
        if self.kept:
            sides.append(("kept", self.kept))
        if self.single:
            sides.append(("single", self.ours))
        if shape.rate_from and not shape.rate and not self.find_rate(shape):
            return
        for side, kind in sides if number % 2 == 0 else reversed(sides):
            runner = self.single if side == "single" else self.runner
            row = runner.run(kind, shape)
            self.rows.append({**row, "side": side, "round": number})
            self.tell(self.rows[-1])

    def find_rate(self, shape):
        """Half of the peer's highest rate, once for all rounds; from a run of its own if the shape
        that shows it was not run."""
        peer = self.peer_of(shape)
        if not peer:
            return False
        seen = [row for row in self.rows
                if row["row"] == shape.rate_from and row["side"] == "peer" and "void" not in row]
        row = seen[0] if seen else self.runner.run(peer, load.all_shapes()[shape.rate_from])
        if "void" in row:
            return False
        shape.rate = int(summary.rate_of(row) / 2)
        return True

    @staticmethod
    def tell(row):
        who = f"round {row['round'] + 1}  {row['row']:18} {row['server']:12}"
        if "void" in row:
            print(f"{who} void: {row['void']}", flush=True)
            return
        special = {"kept": "  last values kept", "single": "  one core"}.get(row["side"], "")
        generator = table.duration(row["client_cpu_ns"] / row["units"])
        print(f"{who} {table.rate(summary.rate_of(row)):>11}"
              f" {table.duration(summary.cpu_of(row)):>9}  generator {generator:>9}"
              f"  others {100 * row.get('others_share', 0):.0f} %{special}", flush=True)


def conditions(comparison, private, rounds, missing):
    """What a reader has to know beside the figures."""
    versions = {kind.name: kind.version()
                for kind in (comparison.ours, *comparison.peers.values())}
    shares = [row["others_share"] for row in comparison.rows if "others_share" in row]
    return {**machine.describe(), "date": datetime.date.today().isoformat(),
            "versions": versions, "server_cores": comparison.runner.server_cores,
            "client_cores": comparison.runner.client_cores,
            "congestion_control": machine.congestion_control(), "private_network": private,
            "rounds": rounds, "seconds": comparison.runner.seconds,
            "store": comparison.runner.store and [comparison.runner.store,
                                                  *machine.file_system(comparison.runner.store)],
            "settings": comparison.ours.settings, "last_values": bool(comparison.kept),
            "start_ns": start_times(comparison.rows), "left_out": missing,
            "others_share": statistics.median(shares) if shares else None}


def start_times(rows):
    """The median of each server's time from start to ready: it accepts and greets."""
    names = dict.fromkeys(row["server"] for row in rows if "start_ns" in row)
    return {name: statistics.median(row["start_ns"] for row in rows
                                    if row["server"] == name and "start_ns" in row)
            for name in names}


def sentences(about):
    """The conditions, for people."""
    network = "a private network namespace"
    if not about["private_network"]:
        network = "the machine's own network"
    apart = set(about["server_cores"]).isdisjoint(about["client_cores"])
    where = "a core of its own" if apart else "the same cores"
    count = len(about["server_cores"])
    rounds = "1 round" if about["rounds"] == 1 else f"{about['rounds']} rounds"
    cores = "1 core" if count == 1 else f"{count} cores"
    found = [f"{about['date']}; {'; '.join(about['versions'].values())}.",
             f"{about['processor']}, {about['cores']} cores, Linux {about['kernel']}; "
             f"TCP congestion control {about['congestion_control']}, in {network}.",
             f"{cores} for each server, the load generator on {where}; "
             f"{rounds} of {about['seconds']:g} s in turns, medians.",
             "Last values were not kept" +
             (", except where the table says so." if about["last_values"] else ".")]
    if about["store"]:
        folder, kind, device = about["store"]
        found.append(f"Stores of streams in {folder}, on {kind} ({device}), fresh for each run.")
    if about["settings"]:
        found.append(f"Spanwire ran with {'; '.join(about['settings'])}.")
    found += [f"Left out: {name}: {why}." for name, why in about["left_out"].items()]
    if about["start_ns"]:
        found.append("From start to ready: " + ", ".join(
            f"{name} {table.duration(ns)}" for name, ns in about["start_ns"].items()) + ".")
    if about["others_share"] is not None and about["others_share"] > DISTURBED:
        found.append(f"Disturbed: other processes used {100 * about['others_share']:.0f} % of "
                     "the machine (median of all runs).")
    return found


def find_peers(options, shapes):
    """The peers by protocol. One that is not installed is left out, and said so."""
    peers = {}
    protocols = {shape.protocol for shape in shapes}
    if "nats" in protocols:
        peers["nats"] = servers.NatsServer(servers.find_nats_server(options.peer))
    if "streams" in protocols:
        peers["streams"] = servers.NatsServer(servers.find_nats_server(options.peer))
    for protocol, kind, given in (("mqtt", servers.Mosquitto, options.mosquitto),
                                  ("http", servers.Nginx, options.nginx)):
        path = servers.find_installed(kind.name, given) if protocol in protocols else None
        if path:
            peers[protocol] = kind(path)
        elif protocol in protocols:
            print(f"{kind.name} is not installed: {protocol.upper()} runs without a peer",
                  file=sys.stderr)
    return peers


def main(arguments):
    options = parse(arguments)
    built = build() if not options.server else build("tools/loadgen/loadgen") and options.server
    server = os.path.abspath(built)
    shapes = choose(options.shapes, options.quick)
    if not os.access(server, os.X_OK):
        sys.exit(f"tools/bench: no server at {server}")
    peers = find_peers(options, shapes)
    missing = left_out(shapes, machine.raise_file_limit())
    shapes = [shape for shape in shapes if shape.name not in missing]
    private = not options.no_namespace and machine.enter_private_network()
    seconds = options.seconds or (0.5 if options.quick else 1)
    store = None
    if any(shape.protocol == "streams" for shape in shapes):
        store = options.store or machine.disk_folder()
    runner = load.Runner(options.cores, seconds, window=options.window, store=store)
    kept = (servers.Spanwire(server, last_values=True, settings=options.set)
            if options.last_values else None)
    single = (load.Runner(1, seconds, window=options.window, store=store)
              if options.cores > 1 else None)
    synced = servers.NatsServer(peers["streams"].path, synced=True) if store else None
    comparison = Comparison(runner, shapes, servers.Spanwire(server, settings=options.set), peers,
                            kept, single, synced)
    rounds = comparison.run(options.rounds or (2 if options.quick else 3), options.budget)
    about = conditions(comparison, private, rounds, missing)
    return tell_all(options, about, comparison)


def tell_all(options, about, comparison):
    """Prints and writes what was found; returns the exit status."""
    lines = summary.lines(comparison.shapes, comparison.rows)
    goals = table.GOALS if options.cores == 1 else table.GOALS_OF_TWO_CORES
    print("\n" + "\n".join(sentences(about)))
    sections = table.sections(lines, goals) + streams.sections(lines)
    for title, header, body in sections:
        print(f"\n{title}\n{table.as_text(header, body)}")
    problems = table.voids(lines)
    print("\n".join(["", *problems]) if problems else "", end="\n" if problems else "")
    if options.json:
        everything = {"conditions": about, "runs": comparison.rows}
        options.json.write_text(json.dumps(everything, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown(about, sections, problems))
    return 1 if problems else 0


def markdown(about, sections, problems):
    parts = ["\n".join(sentences(about))]
    for title, header, body in sections:
        parts.append(f"### {title}\n\n{table.as_markdown(header, body)}")
    if problems:
        parts.append("\n".join(f"- {problem}" for problem in problems))
    return "\n\n".join(parts) + "\n"
