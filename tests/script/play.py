#!/usr/bin/env python3
"""Plays protocol scripts against a server over TCP. README.md in this folder has the format.

usage: play.py --server PATH [--wire nats|mqtt|http] [--reference] [--cut] [--only TEXT]
               [--longest SECONDS] FILE...
"""

import argparse
import select
import socket
import sys
import time

import script_match
import script_parse
from script_match import MATCH, MISMATCH
from script_server import Servers, fill

PATIENCE = 5.0  # seconds that an expected byte may take on a busy machine
FENCES = {"nats": (b"PING\r\n", b"PONG\r\n"), "mqtt": (b"\xc0\x00", b"\xd0\x00")}
MAX_CUTS = 300  # of one scenario, from the front; inputs are rarely longer
SERVER_PING_AFTER = 1.0  # seconds: an earlier PING from a NATS server would be an answer


class Failure(Exception):
    """What was expected and what came, for people."""


class Link:
    """One connection. Bytes are taken off the socket whenever the player waits."""

    def __init__(self, name, wire, port):
        self.name, self.wire = name, wire
        self.data = bytearray()
        self.ended = self.stalled = False
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.opened = time.monotonic()

    def read(self):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.data += data
        self.ended = self.ended or not data


class Play:
    """One scenario, once, against one running server."""

    def __init__(self, scenario, server, cut):
        self.scenario, self.server, self.cut = scenario, server, cut
        self.wires, self.links = {}, {}

    def run(self):
        try:
            for step in joined(self.scenario.steps):
                try:
                    getattr(self, "do_" + OPS.get(step.op, step.op))(step)
                except Failure as failure:
                    raise Failure(f"line {step.line}: {failure}") from None
                except script_parse.ScriptError as error:
                    raise Failure(f"line {step.line}: in the script: {error}") from None
            for link in self.links.values():
                self.skip_pings(link)
                if link.data and not link.stalled:
                    raise Failure(f"at the end {link.name} has also received\n"
                                  f"{script_match.show(bytes(link.data))}")
        finally:
            self.close_all()

    def close_all(self):
        """Waits until the server has closed as well, so that the next scenario meets no rest."""
        for link in self.links.values():
            link.stalled = False
            try:
                link.socket.shutdown(socket.SHUT_WR)
            except OSError:
                link.ended = True
        deadline = time.monotonic() + 1
        while not all(link.ended for link in self.links.values()):
            if time.monotonic() > deadline:
                break
            self.pump(0.05)
        for link in self.links.values():
            link.socket.close()

    def link(self, name):
        if name not in self.links:
            wire = self.wires.get(name, self.scenario.keys["wire"])
            self.links[name] = Link(name, wire, self.server.ports[wire + "_port"])
        return self.links[name]

    def pump(self, patience, writing=None):
        """Reads what is there, waiting at most `patience`; true if `writing` can take bytes."""
        reading = [x for x in self.links.values() if not x.ended and not x.stalled]
        if not reading and writing is None:
            time.sleep(min(patience, 0.01))
            return False
        ready, writable, _ = select.select(
            [x.socket for x in reading], [writing.socket] if writing else [], [], patience)
        for link in reading:
            if link.socket in ready:
                link.read()
        return bool(writable)

    def send(self, link, data):
        view, deadline = memoryview(data), time.monotonic() + 2 * PATIENCE
        while view and time.monotonic() < deadline:
            if self.pump(0.1, link):
                try:
                    view = view[link.socket.send(view[:1 << 18]):]
                except BlockingIOError:
                    continue
                except OSError:
                    return  # the server has closed: what it sent before is still to be read
        if view and not link.ended:
            raise Failure(f"{link.name}: the server takes no more bytes, {len(view)} left")

    def parse(self, link, text):
        text = fill(text, self.server.ports)
        reader = script_parse.parse_packets if link.wire == "mqtt" else script_parse.parse_text
        return reader(text)

    def skip_pings(self, link, parts=()):
        """Answers the pings that a NATS server sends by itself, unless the script shows them."""
        if link.wire != "nats" or self.scenario.keys.get("pings") == "shown":
            return
        if parts and parts[0][0] == "bytes" and parts[0][1].startswith(b"PING"):
            return
        late = time.monotonic() - link.opened > SERVER_PING_AFTER
        while late and link.data.startswith(b"PING\r\n"):
            del link.data[:6]
            self.send(link, b"PONG\r\n")

    def take(self, link, choices):
        """Takes the first of `choices` that comes off the link's bytes; returns its index."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.skip_pings(link, choices[0])
            data = bytes(link.data)
            results = [script_match.match(parts, data) for parts in choices]
            for index, (result, end) in enumerate(results):
                if result == MATCH:
                    del link.data[:end]
                    return index, data[:end]
            late = time.monotonic() > deadline
            if all(result == MISMATCH for result, _ in results) or link.ended or late:
                wanted = "\n      or ".join(script_match.describe(parts) for parts in choices)
                came = script_match.show(data) or "nothing"
                end = ", then closed" if link.ended else f" in {PATIENCE:g} s" if late else ""
                raise Failure(f"{link.name}\nexpected {wanted}\nreceived {came}{end}")
            self.pump(0.05)

    def do_send(self, step):
        link = self.link(step.names[0])
        data = b"".join(script_parse.as_bytes(self.parse(link, text)) for text in step.text)
        if self.cut == "bytes" and len(data) <= 256:
            for index in range(len(data)):
                self.send(link, data[index:index + 1])
                self.pump(0.001)
        elif isinstance(self.cut, int) and self.cut < len(data):
            self.send(link, data[:self.cut])
            time.sleep(0.001)
            self.send(link, data[self.cut:])
        else:
            self.send(link, data)

    def do_expect(self, step):
        link = self.link(step.names[0])
        self.take(link, [self.parse(link, step.text)])

    def do_expect_any_order(self, step):
        link = self.link(step.names[0])
        choices = [self.parse(link, text) for text in step.text]
        while choices:
            choices.pop(self.take(link, choices)[0])

    def do_opens(self, step):
        self.link(step.names[0])

    def do_speaks(self, step):
        self.wires[step.names[0]] = step.text

    def do_connects(self, step):
        link = self.link(step.names[0])
        if link.wire == "mqtt":
            name = step.text or "script-" + link.name
            hello, answers = f'CONNECT[ "MQTT" 04 02 003c "{name}" ]', ["CONNACK[ 00 00 ]"]
        elif link.wire == "nats":
            options = step.text.strip()[1:-1]
            if '"verbose"' not in options:
                options = '"verbose":false,"pedantic":false' + ("," if options else "") + options
            hello, answers = "CONNECT {" + options + "}\\r\\nPING", ["PONG"]
            if '"verbose":true' in options:
                answers.insert(0, "+OK")
            if '"protocol":1' in options:
                answers.append('INFO {json {"connect_info":true}} ')
            self.do_greeted(script_parse.Step(step.line, "greeted", step.names))
        else:
            return
        self.send(link, script_parse.as_bytes(self.parse(link, hello)))
        for answer in answers:
            self.take(link, [self.parse(link, answer)])

    def do_greeted(self, step):
        link = self.link(step.names[0])
        self.take(link, [self.parse(link, "INFO {json " + (step.text or "{}") + "} ")])

    do_informed = do_greeted  # the same line; it reads better behind a PONG

    def do_closes(self, step):
        link = self.link(step.names[0])
        link.socket.close()
        link.ended = True
        del self.links[link.name]

    def do_stalls(self, step):
        self.link(step.names[0]).stalled = True

    def do_resumes(self, step):
        self.link(step.names[0]).stalled = False

    def do_closed(self, step):
        link = self.link(step.names[0])
        link.stalled = False
        deadline = time.monotonic() + PATIENCE
        while not link.ended:
            if time.monotonic() > deadline:
                raise Failure(f"{link.name} is not closed after {PATIENCE:g} s; received "
                              f"{script_match.show(bytes(link.data)) or 'nothing'}")
            self.pump(0.05)
        self.skip_pings(link)
        if link.data and not step.text:
            raise Failure(f"{link.name}\nexpected only the close\n"
                          f"received {script_match.show(bytes(link.data))}")
        link.data.clear()

    def do_nothing(self, step):
        for name in step.names:
            link = self.link(name)
            if step.text or link.wire not in FENCES:
                self.wait(script_parse.seconds(step.text or "100ms"))
                self.skip_pings(link)
                if link.data or link.ended:
                    came = script_match.show(bytes(link.data)) + ("closed" if link.ended else "")
                    raise Failure(f"{name}\nexpected nothing\nreceived {came}")
                continue
            ask, answer = FENCES[link.wire]
            self.send(link, ask)
            self.take(link, [[("bytes", answer)]])

    def do_share(self, step):
        """Counts how often each distinct text came, until every connection's fence is answered."""
        head, text = step.text.split(" parts: ", 1)
        total, parts = (int(word) for word in head.split(" in "))
        counts = {}
        for name in step.names:
            link = self.link(name)
            ask, answer = FENCES[link.wire]
            self.send(link, ask)
            choices = [self.parse(link, text), [("bytes", answer)]]
            while True:
                index, taken = self.take(link, choices)
                if index == 1:
                    break
                counts[(name, taken)] = counts.get((name, taken), 0) + 1
        if sum(counts.values()) != total or len(counts) != parts:
            lines = [f"{name} {count} of {script_match.show(taken)}"
                     for (name, taken), count in sorted(counts.items())]
            raise Failure(f"expected {total} in {parts} parts\nreceived " + ", ".join(lines))

    def do_answered(self, step):
        link = self.link(step.names[0])
        status, _, rest = step.text.partition(" ")
        head = self.head(link)
        fields = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        body = b"" if rest == "without body" else self.body(link, fields)
        shown = "\n".join(head) + "\n" + script_match.show(body)
        if head[0].split(" ")[1:2] != [status]:
            raise Failure(f"expected status {status}\nreceived {shown}")
        for wanted in step.headers:
            name, _, value = wanted.partition(":")
            parts = script_parse.parse_plain(value.strip())
            have = fields.get(name.strip().lower())
            fits = have is None if value.strip() == "{absent}" else (
                have is not None and
                script_match.match(parts, have.encode()) == (MATCH, len(have.encode())))
            if not fits:
                raise Failure(f"expected {wanted}\nreceived {shown}")
        if rest.startswith("with "):
            want = b"" if rest == "with nothing" else script_parse.as_bytes(
                script_parse.parse_plain(rest[5:]))
            if body != want:
                raise Failure(f"expected body {script_match.show(want)}\nreceived {shown}")

    def until(self, link, what, found):
        deadline = time.monotonic() + PATIENCE
        while not found():
            if link.ended or time.monotonic() > deadline:
                raise Failure(f"{link.name}: no {what}; received "
                              f"{script_match.show(bytes(link.data)) or 'nothing'}"
                              f"{', then closed' if link.ended else ''}")
            self.pump(0.05)

    def cut_off(self, link, size):
        data = bytes(link.data[:size])
        del link.data[:size]
        return data

    def head(self, link):
        self.until(link, "answer", lambda: b"\r\n\r\n" in link.data)
        text = self.cut_off(link, link.data.index(b"\r\n\r\n") + 4)
        return text.decode("latin-1")[:-4].split("\r\n")

    def body(self, link, fields):
        if fields.get("transfer-encoding") != "chunked":
            size = int(fields.get("content-length", "0"))
            self.until(link, f"body of {size} bytes", lambda: len(link.data) >= size)
            return self.cut_off(link, size)
        body = b""
        while True:
            self.until(link, "chunk", lambda: b"\r\n" in link.data)
            size = int(self.cut_off(link, link.data.index(b"\r\n") + 2), 16)
            self.until(link, "chunk", lambda: len(link.data) >= size + 2)
            body += self.cut_off(link, size + 2)[:-2]
            if size == 0:
                return body

    def wait(self, duration):
        until = time.monotonic() + duration
        while time.monotonic() < until:
            self.pump(min(0.05, max(0.0, until - time.monotonic())))

    def do_advance(self, step):
        self.wait(script_parse.seconds(step.text))


OPS = {">": "send", "<": "expect", "<~": "expect_any_order"}


def joined(steps):
    """Sends that follow each other on one connection are one write; so are `<~` one set."""
    out = []
    for step in steps:
        if step.op not in (">", "<~"):
            out.append(step)
        elif out and out[-1].op == step.op and out[-1].names == step.names:
            out[-1].text.append(step.text)
        else:
            out.append(script_parse.Step(step.line, step.op, step.names, [step.text]))
    return out


def cuts(scenario, options):
    """None for the scenario as it stands, then a position for each cut, then every byte alone."""
    wanted = scenario.keys.get("cut", "")
    if wanted.startswith("no") or (wanted != "every byte" and not options.cut):
        return [None]
    if options.reference and scenario.keys.get("reference", "").startswith("uncut"):
        return [None]
    sends = [step for step in joined(scenario.steps) if step.op == ">"]
    longest = max((sum(len(text) + 2 for text in step.text) for step in sends), default=0)
    return [None, *range(1, min(longest, MAX_CUTS)), "bytes"]


def why_skipped(scenario, options):
    """A scenario's own reason not to be played here, or nothing."""
    if options.reference and scenario.keys.get("reference", "").startswith("no"):
        return "reference: " + scenario.keys["reference"]
    if scenario.keys.get("player", "").startswith("runner"):
        return "player: " + scenario.keys["player"]
    waits = sum(script_parse.seconds(step.text) for step in scenario.steps if step.op == "advance")
    return f"waits {waits:g} s" if waits > options.longest else ""


def play(scenario, servers, options):
    """Plays one scenario with all its cuts; raises Failure at the first that goes wrong."""
    wires = {scenario.keys["wire"]}
    wires.update(step.text for step in scenario.steps if step.op == "speaks")
    server = servers.get(scenario.keys.get("settings", ""), wires)
    for cut in cuts(scenario, options):
        try:
            Play(scenario, server, cut).run()
        except Failure as failure:
            where = "" if cut is None else f" (input cut at {cut})"
            raise Failure(f"{failure}{where}") from None


def play_file(path, servers, options, counts):
    for scenario in script_parse.parse_file(path):
        if options.only and options.only not in scenario.name:
            continue
        if options.wire and scenario.keys["wire"] != options.wire:
            continue
        label = f"{path}:{scenario.line} {scenario.name}"
        reason = why_skipped(scenario, options)
        if reason:
            counts["skipped"] += 1
            print(f"SKIP {label} ({reason})", flush=True)
            continue
        try:
            play(scenario, servers, options)
            counts["passed"] += 1
            print(f"PASS {label}", flush=True)
        except (Failure, OSError) as failure:
            counts["failed"] += 1
            print(f"FAIL {label}\n  " + str(failure).replace("\n", "\n  "), flush=True)


def main():
    reader = argparse.ArgumentParser(description="Plays protocol scripts over TCP.")
    reader.add_argument("--server", required=True, help="the server's binary")
    reader.add_argument("--wire", choices=("nats", "mqtt", "http"), help="only scripts of it")
    reader.add_argument("--reference", action="store_true",
                        help="the server is another one: skip what is marked 'reference: no'")
    reader.add_argument("--cut", action="store_true", help="cut every scenario at every byte")
    reader.add_argument("--only", help="only scenarios with this text in their name")
    reader.add_argument("--longest", type=float, default=10.0,
                        help="skip scenarios that wait for more seconds than this")
    reader.add_argument("files", nargs="+")
    options = reader.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in options.files:
        try:
            servers = Servers(options.server)  # of its own: retained messages outlive a scenario
        except OSError as error:
            print(f"FAIL {error}\n0 passed, 1 failed, 0 skipped")
            return 1
        try:
            play_file(path, servers, options, counts)
        except script_parse.ScriptError as error:
            print(f"FAIL {error}")
            counts["failed"] += 1
        finally:
            servers.stop()
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
