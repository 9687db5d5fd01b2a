"""The server under test: a process with a configuration of its own, on free ports."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from harness import Failure, until

LISTENERS = """
host: "127.0.0.1"
port: {nats}
http: "127.0.0.1:{monitoring}"
plus_wildcard: true
mqtt {{ host: "127.0.0.1", port: {mqtt} }}
http_broker {{ host: "127.0.0.1", port: {http_broker} }}
"""
ANY_PORTS = {"nats": -1, "monitoring": -1, "mqtt": -1, "http_broker": -1}
START_LIMIT = 60  # seconds: a large store, on a machine that does other things as well
STOP_LIMIT = 15


class Server:
    """Runs until stop(). Its folder has server.conf, the ports file and the log."""

    def __init__(self, binary, settings="", arguments=(), name="spanwire", listeners=LISTENERS):
        self.binary, self.settings, self.name, self.listeners = binary, settings, name, listeners
        self.arguments = list(arguments)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="interop-"))
        self.output = self.folder / "server.log"  # also where `-l server.log` writes
        self.ports = dict(ANY_PORTS)
        self.process = None
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def start(self):
        """On any free ports the first time, on the same ones afterwards."""
        self.process = self.begin()
        until(self.is_ready, "the server is ready", START_LIMIT)
        self.ports.update(self.read_ports())

    def begin(self):
        """The process, which is not ready yet."""
        config = self.folder / "server.conf"
        config.write_text(self.listeners.format(**self.ports) + self.settings)
        command = [self.name, "-c", str(config), "--ports_file_dir", str(self.folder)]
        with self.output.open("ab") as out:
            return subprocess.Popen(
                command + self.arguments, executable=self.binary, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, cwd=self.folder)

    def is_ready(self):
        if self.process.poll() is not None:
            raise Failure(f"the server ended with {self.process.returncode}: {self.log()[-1000:]}")
        return self.ports_file().exists() and "Server is ready" in self.log_of_this_start()

    def ports_file(self):
        return self.folder / f"{self.name}_{self.process.pid}.ports"

    def read_ports(self):
        groups = json.loads(self.ports_file().read_text())
        return {group: urllib.parse.urlsplit(urls[0]).port for group, urls in groups.items()}

    def log(self):
        return self.output.read_text(errors="replace")

    def log_of_this_start(self):
        log = self.log()
        return log[log.rfind("Starting "):] if "Starting " in log else ""

    def port(self, group):
        if self.ports[group] < 0:
            raise Failure(f"the ports file has no '{group}': {self.ports_file().read_text()}")
        return self.ports[group]

    def url(self, group, user=""):
        scheme = "nats" if group == "nats" else "http"
        return f"{scheme}://{user + '@' if user else ''}127.0.0.1:{self.port(group)}"

    def stop(self, number=signal.SIGTERM):
        """Its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the server did not end in {STOP_LIMIT} s after signal {number}"
                          ) from None

    def restart(self):
        self.stop()
        self.start()

    def remove(self):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
