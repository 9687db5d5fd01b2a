"""tools/bench selftest: a server compared with itself must come out equal, and a run in which the
server drops messages must be void."""

import argparse
import sys

from benchlib import compare, load, machine, servers, summary, table

SHAPES = ("1-1-16", "10-10-128", "fan-128", "queue-10-128", "rr-10")
MQTT_SHAPES = ("mqtt-1-1-128",)
STREAM_SHAPES = ("js-memory-256", "js-pull-256", "kv-get")
# These machines are shared: below 20 % no difference is to be believed, and a short run doubles it.
TOLERANCE = 1.4


class SmallPending(servers.NatsServer):
    """A server that closes a subscriber for which 64 KiB wait: the load must notice."""

    name = "nats-server with small buffers"

    def command(self, folder, shape, port, cores):
        config = folder / "small.conf"
        config.write_text("max_pending: 65536\nmax_payload: 32768\n")
        return [*super().command(folder, shape, port, cores), "-c", str(config)]


def parse(arguments):
    reader = argparse.ArgumentParser(prog="tools/bench selftest", description=__doc__)
    reader.add_argument("--peer", help="the nats-server binary, or NATS_SERVER")
    reader.add_argument("--mosquitto", help="the mosquitto binary")
    return reader.parse_args(arguments)


def equal_to_itself(runner, kind, names):
    """Problems of a comparison of `kind` with itself."""
    known = load.all_shapes()
    shapes = [known[name] for name in names]
    comparison = compare.Comparison(runner, shapes, kind,
                                    {shape.protocol: kind for shape in shapes})
    comparison.run(rounds=3, budget=120)
    lines = summary.lines(shapes, comparison.rows)
    problems = table.voids(lines)
    for line in lines:
        ratio = line.ratio(summary.cpu_of)
        print(f"{kind.name} against itself, {line.shape.name}: {table.times(ratio)}", flush=True)
        if ratio.value is None or not 1 / TOLERANCE < ratio.value < TOLERANCE:
            problems.append(f"{line.shape.name}: {kind.name} is not equal to itself")
    return problems


def void_when_dropped(runner, peer):
    """Problems of a run against a server that cuts its subscribers."""
    row = runner.run(SmallPending(peer), load.all_shapes()["1-1-16k"], ("--window", "100000000"))
    found = row.get("void", "not noticed")
    print(f"a server that drops messages: {found}", flush=True)
    noticed = "closed" in found or "missing" in found or "reset" in found
    return [] if noticed else ["a run with lost messages was not void"]


def main(arguments):
    options = parse(arguments)
    compare.build("tools/loadgen/loadgen")
    peer = servers.find_nats_server(options.peer)
    mosquitto = servers.find_installed("mosquitto", options.mosquitto)
    machine.enter_private_network()
    runner = load.Runner(cores=1, seconds=0.5, warm_up=0.2, store=machine.disk_folder())
    problems = equal_to_itself(runner, servers.NatsServer(peer), SHAPES)
    problems += equal_to_itself(runner, servers.NatsServer(peer), STREAM_SHAPES)
    if mosquitto:
        problems += equal_to_itself(runner, servers.Mosquitto(mosquitto), MQTT_SHAPES)
    problems += void_when_dropped(runner, peer)
    for problem in problems:
        print(f"FAIL {problem}", file=sys.stderr)
    return 1 if problems else 0
