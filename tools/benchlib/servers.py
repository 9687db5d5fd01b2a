"""Servers under load: each is started afresh for a run, on its cores and a free port of 127.0.0.1,
and ended by its process id."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

from benchlib import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
NATS_VERSION = "v2.14.5"
NATS_MODULE = "github.com/nats-io/nats-server/v2"
START_SECONDS = 60  # thousands of streams may have to be found again
END_SECONDS = 30  # a server with many streams writes down where they stand
# Protocols whose servers greet a client with INFO.
GREETING = ("nats", "streams")


class Failed(Exception):
    """A server that did not start."""


class Kind:
    """A program that can be measured. Subclasses write its configuration and its command."""

    name = ""

    def __init__(self, path):
        self.path = str(path)

    def version(self):
        raise NotImplementedError

    def command(self, folder, shape, port, cores):
        """The command line; what it needs is written into `folder`."""
        raise NotImplementedError

    def options(self, shape):
        """What the load generator has to be told about this kind of server."""
        return ()

    def stands_in(self, run_name):
        """The generator's shape that runs here for another one."""
        return run_name

    def environment(self, cores):
        return dict(os.environ)

    def own_figures(self):
        """What the running server says of itself, for the row of its run."""
        return {}


def store_lines(folder, shape, more=""):
    """The configuration of a store in the run's own folder, for both servers with streams."""
    if shape.protocol != "streams":
        return []
    return [f'jetstream {{ store_dir: "{folder}/store"{more} }}']


class Spanwire(Kind):
    name = "spanwire"

    def __init__(self, path, last_values=False, settings=()):
        super().__init__(path)
        self.last_values, self.settings = last_values, tuple(settings)
        self.monitor_port = None

    def version(self):
        return output_of(self.path, "-v")

    def command(self, folder, shape, port, cores):
        """The listener of a bridge opens only when it is configured, and last values are kept only
        for the one of HTTP: so the configuration names no more than the run needs."""
        protocol = shape.protocol
        nats_port = port if protocol in GREETING else machine.free_port()
        lines = [f"loops: {cores}", *self.settings, *shape.settings, *store_lines(folder, shape)]
        self.monitor_port = None
        if protocol == "streams":
            self.monitor_port = machine.free_port()
            lines.append(f'http: "127.0.0.1:{self.monitor_port}"')
        if protocol == "mqtt":
            lines.append(f'mqtt {{ listen: "127.0.0.1:{port}" }}')
        if protocol == "http" or self.last_values:
            http_port = port if protocol == "http" else machine.free_port()
            kept = "" if self.last_values else ", last_values: [nothing.of.the.load]"
            lines.append(f'http_broker {{ listen: "127.0.0.1:{http_port}"{kept} }}')
        config = folder / "spanwire.conf"
        config.write_text("\n".join(lines) + "\n")
        return [self.path, "-c", str(config), "-a", "127.0.0.1", "-p", str(nats_port)]

    def options(self, shape):
        """Where last values are not kept, GET finds what was posted as retained."""
        if shape.method != "GET" or self.last_values:
            return ()
        return ("--path", "/broker/load?retained=true")


    def own_figures(self):
        """How long messages took from the server's reading them to its acknowledging them."""
        if not self.monitor_port:
            return {}
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_port}/jsz",
                                    timeout=10) as page:
            stored = json.load(page)["spanwire"]["stored_after"]
        return {"stored_after_ns": stored["total_ns"] / stored["messages"]} if stored["messages"] \
            else {}


class NatsServer(Kind):
    """With `synced` it syncs every write into its store, otherwise, by default, every two
    minutes."""

    name = "nats-server"

    def __init__(self, path, synced=False):
        super().__init__(path)
        self.store = ", sync_interval: always" if synced else ""
        if synced:
            self.name = "nats-server, every write synced"

    def version(self):
        return output_of(self.path, "-v")

    def command(self, folder, shape, port, cores):
        command = [self.path, "-a", "127.0.0.1", "-p", str(port)]
        lines = [*shape.settings, *store_lines(folder, shape, self.store)]
        if lines:
            config = folder / "nats.conf"
            config.write_text("\n".join(lines) + "\n")
            command += ["-c", str(config)]
        return command

    def environment(self, cores):
        return {**os.environ, "GOMAXPROCS": str(cores)}


class Mosquitto(Kind):
    name = "mosquitto"

    def version(self):
        return output_of(self.path, "-h").splitlines()[0]

    def command(self, folder, shape, port, cores):
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        return [self.path, "-c", str(config)]


class Nginx(Kind):
    """A file of 16 B, at its best: the file is kept open, nothing is logged, and a connection is
    not closed after a number of requests. One process, however many cores: what is compared is the
    cost of a request."""

    name = "nginx"

    def version(self):
        return output_of(self.path, "-v").replace("nginx version: ", "")

    def command(self, folder, shape, port, cores):
        (folder / "files").mkdir()
        (folder / "files" / "load").write_text("x" * 16)
        temporary = " ".join(f"{what}_temp_path {folder}/{what};"
                             for what in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi"))
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; master_process off; worker_processes 1;\n"
            f"pid {folder}/nginx.pid; error_log stderr crit;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ {temporary} access_log off; open_file_cache max=16;\n"
            "keepalive_requests 1000000000; keepalive_timeout 300s;\n"
            f"server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}\n")
        return [self.path, "-c", str(config), "-p", str(folder), "-e", "stderr"]

    def options(self, shape):
        return ("--path", "/load")

    def stands_in(self, run_name):
        """Files take no POST: a GET stands beside it."""
        return run_name.replace("-post-", "-get-")


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return (done.stdout + done.stderr).strip()


class Running:
    """A started server, ended on leaving the block."""

    def __init__(self, kind, shape, folder, cores):
        self.kind, self.shape, self.folder, self.cores = kind, shape, folder, cores
        self.protocol = shape.protocol
        self.port = machine.free_port()
        self.process = None
        self.start_seconds = 0.0

    def __enter__(self):
        command = self.kind.command(self.folder, self.shape, self.port, len(self.cores))
        with open(self.folder / "server.log", "wb") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=self.kind.environment(len(self.cores)),
                preexec_fn=machine.start_on(self.cores))
        try:
            self.await_ready(began)
        except Failed:
            self.end()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.end()

    def await_ready(self, began):
        """Ready is: it accepts, and (NATS) it has greeted."""
        while time.monotonic() - began < START_SECONDS:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                    if self.protocol not in GREETING or probe.recv(5) == b"INFO ":
                        return
            except OSError:
                pass
            time.sleep(0.001)
        log = " ".join((self.folder / "server.log").read_text(errors="replace").split())
        raise Failed(f"{self.kind.name} did not get ready for {self.protocol}; its log ends: "
                     f"{log[-160:]}")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "spanwire"


def built_nats_server():
    return cache_folder() / f"nats-server-{NATS_VERSION}" / "nats-server"


def find_nats_server(given):
    """The reference server: a path that was given, or built once from its Go module."""
    given = given or os.environ.get("NATS_SERVER")
    if given:
        return given
    target = built_nats_server()
    if target.exists():
        return str(target)
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        raise SystemExit("tools/bench: nats-server comes from its Go module, and there is no go;\n"
                         "install Go, or name a binary with --peer or NATS_SERVER")
    print(f"building nats-server {NATS_VERSION} from its Go module", flush=True)
    subprocess.run([go, "install", f"{NATS_MODULE}@{NATS_VERSION}"], check=True,
                   env={**os.environ, "GOBIN": str(target.parent)})
    return str(target)


def find_installed(name, given):
    return given or shutil.which(name) or shutil.which(name, path="/usr/sbin")
