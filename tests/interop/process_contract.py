"""What tools that start servers rely on: flags, signals, exit status, files, log lines."""

import os
import re
import signal
import socket
import subprocess
import tempfile

import nats

from harness import Failure, case, expect, expect_in, until

STAMP = r"\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[INF\] "


def run(bench, *arguments, name="nats-server"):
    """A run that ends by itself: status, standard output, standard error."""
    done = subprocess.run([name, *map(str, arguments)], executable=bench.binary, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=10)
    return done.returncode, done.stdout, done.stderr


def check_config(bench, text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        status, _, said = run(bench, "-t", "-c", path)
    return status, said.replace(path, "server.conf")


@case("process: -v prints the version that tools look for")
def version(bench):
    for flag in ("-v", "--version"):
        expect(run(bench, flag), (0, "nats-server: v2.14.5\n", ""), flag)


@case("process: -h prints the usage")
def usage(bench):
    status, out, _ = run(bench, "--help")
    expect(status, 0, "exit status")
    expect_in("Usage: nats-server [options]", out, "output")


@case("process: a flag nobody knows ends it with the usage")
def unknown_flag(bench):
    _, out, said = run(bench, "--no_such_flag")
    expect_in("no_such_flag", said, "standard error")
    expect_in("Usage", said + out, "output")


@case("process: the log says where it listens and when it is ready")
def log_lines(bench):
    server = bench.start(name="nats-server")
    log, port = server.log(), server.port("nats")
    for line in (r"Starting nats-server$", r"  Version:  2\.14\.5$",
                 rf"Listening for client connections on 127\.0\.0\.1:{port}$", r"Server is ready$"):
        if not re.search(f"^{STAMP}{line}", log, re.MULTILINE):
            raise Failure(f"no line {line!r} in the log: {log!r}")


@case("process: -p -1 takes a free port, and the ports file says which")
def free_port(bench):
    # The file is named after the program: where tools that start a nats-server look for it.
    servers = [bench.start(name="nats-server", arguments=["-p", "-1"]) for _ in range(2)]
    first, second = (server.port("nats") for server in servers)
    if first == second:
        raise Failure(f"both servers listen on {first}")
    for port in (first, second):
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            expect(client.recv(5), b"INFO ", "the first bytes")


@case("process: the ports file goes with the server, the pid file stays")
def files(bench):
    server = bench.start(name="nats-server", arguments=["--pid", "server.pid"])
    pid_file, ports_file = server.folder / "server.pid", server.ports_file()
    expect(pid_file.read_text(), str(server.process.pid), "pid file")
    expect(server.stop(), 0, "exit status")
    expect(ports_file.exists(), False, "the ports file is still there")
    expect(pid_file.exists(), True, "the pid file is still there")


@case("process: SIGTERM and SIGINT end it with 0")
def ends(bench):
    for number in (signal.SIGTERM, signal.SIGINT):
        server = bench.start()
        expect(server.stop(number), 0, f"exit status after signal {number}")
        expect_in("Server Exiting..", server.log(), "log")


@case("process: --signal reaches a server by its pid and by its pid file")
def signal_command(bench):
    for command in ("term={pid}", "quit={file}"):
        server = bench.start(name="nats-server", arguments=["--pid", "server.pid"])
        words = command.format(pid=server.process.pid, file=server.folder / "server.pid")
        expect(run(bench, "--signal", words)[0], 0, f"exit status of --signal {words}")
        expect(server.process.wait(10), 0, "exit status of the server")


@case("process: --signal to nobody fails and says so")
def signal_nobody(bench):
    with subprocess.Popen(["true"]) as gone:
        pass
    status, _, said = run(bench, "--signal", f"term={gone.pid}")
    expect(status, 1, "exit status")
    expect_in(str(gone.pid), said, "standard error")


@case("process: store check tells a well store from one with a byte flipped, and changes neither")
async def store_check(bench):
    server = bench.start('jetstream { store_dir: "store" }\n')
    async with await nats.connect(server.url("nats")) as nc:
        js = nc.jetstream()
        await js.add_stream(name="ORDERS", subjects=["orders.*"])
        for number in range(100):
            await js.publish("orders.new", b"order %d" % number)
    store = server.folder / "store"
    status, _, said = run(bench, "store", "check", store)
    expect(status, 2, "exit status while the server runs")
    expect_in("in use by process", said, "standard error")
    expect(server.stop(), 0, "exit status of the server")
    status, out, said = run(bench, "store", "check", store)
    expect((status, said), (0, ""), "exit status and standard error of a check")
    expect_in("ORDERS of account $G: well; 100 messages (1 to 100)", out, "output")
    status, out, _ = run(bench, "store", "dump", store, "ORDERS", "--from", 50, "--limit", 1)
    expect(status, 0, "exit status of a dump")
    expect_in('orders.new, headers 0, payload 8 "order 49"', out, "dump")

    path = next(found for found in sorted(store.rglob("*.seg"))
                if b"order 50" in found.read_bytes())
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"order 50")] ^= 1
    path.write_bytes(damaged)
    status, out, _ = run(bench, "store", "check", store)
    expect(status, 1, "exit status of a check of damage")
    expect_in(f"DAMAGE: streams/1/{path.name}: ", out, "output")
    expect(path.read_bytes(), bytes(damaged), "the damaged segment")
    expect(run(bench, "store", "check", server.folder)[0], 2, "exit status where no store is")


@case("process: USR1 and --signal reopen begin a new log file")
def reopen(bench):
    server = bench.start(arguments=["-l", "server.log"])
    log, moved = server.output, server.folder / "moved.log"
    sends = {"USR1": lambda: server.process.send_signal(signal.SIGUSR1),
             "--signal": lambda: run(bench, "--signal", f"reopen={server.process.pid}")}
    for how, send in sends.items():
        log.rename(moved)
        send()
        until(lambda: log.exists() and "File log re-opened" in log.read_text(),
              f"{how}: a new log file that says so")
        expect_in("Trapped", moved.read_text(), "the log file that was moved away")


@case("process: -t accepts a good file and says so")
def good_config(bench):
    status, said = check_config(bench, "port: -1\n")
    expect(status, 0, "exit status")
    expect_in("nats-server: configuration file server.conf is valid (sha256:", said, "output")


@case("process: -t names file, line and column of an error")
def bad_syntax(bench):
    status, said = check_config(bench, "port: -1\nmqtt {\n  port: }\n}\n")
    expect(status, 1, "exit status")
    expect_in("nats-server: Parse error: server.conf:3:9: ", said, "output")


@case("process: -t refuses a key that nobody knows")
def unknown_key(bench):
    status, said = check_config(bench, "port: -1\n  max_paylod: 1MB\n")
    expect(status, 1, "exit status")
    expect_in("server.conf:2:3: ", said, "output")
    expect_in("max_paylod", said, "output")


@case("process: a key of nats-server that is not honoured is refused, not ignored")
def refused_key(bench):
    status, said = check_config(bench, "cluster { name: c }\n")
    expect(status, 1, "exit status")
    expect_in("server.conf:1:1: ", said, "output")
    expect_in("not support", said, "output")


@case("process: it does not start with a file that has errors, and reports them all")
def all_errors(bench):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("port: here\nno_such_key: 1\n")
        status, _, said = run(bench, "-c", path)
    expect(status, 1, "exit status")
    for place in (":1:", ":2:"):
        expect_in(f"server.conf{place}", said, "standard error")


@case("process: a port that is taken ends it with 1 and a line that says which")
def taken_port(bench):
    port = bench.server.port("nats")
    status, _, said = run(bench, "-a", "127.0.0.1", "-p", port)
    expect(status, 1, "exit status")
    expect_in(f"Error listening on port: 127.0.0.1:{port}", said, "standard error")
