"""Starts the server under test with one scenario's settings, and stops it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PORTS = ("nats_port", "mqtt_port", "http_port")
LISTENERS = {  # what is added for a wire whose port the settings do not name
    "nats": 'listen: "127.0.0.1:{nats_port}"\n',
    "mqtt": 'mqtt { host: "127.0.0.1", port: {mqtt_port} }\n',
    "http": 'http_broker { host: "127.0.0.1", port: {http_port} }\n'}


def free_ports():
    """A port for each listener; all are held until all are chosen, so that none comes twice."""
    sockets = [socket.socket() for _ in PORTS]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    ports = {name: held.getsockname()[1] for name, held in zip(PORTS, sockets)}
    for held in sockets:
        held.close()
    return ports


def fill(text, ports):
    for name, port in ports.items():
        text = text.replace("{" + name + "}", str(port))
    return text


class Server:
    """One process. Every wire that its settings name has accepted a connection before use."""

    def __init__(self, binary, settings, wires):
        self.ports = free_ports()
        self.folder = tempfile.mkdtemp(prefix="script-")
        self.log_path = os.path.join(self.folder, "log")
        config = os.path.join(self.folder, "server.conf")
        self.mosquitto = os.path.basename(binary) == "mosquitto"
        with open(config, "w", encoding="utf-8") as file:
            file.write(self.configuration(settings, wires))
        self.process = subprocess.Popen(
            [binary, "-c", config], stdout=open(self.log_path, "wb"), stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, cwd=self.folder)
        try:
            for wire in wires:
                self.wait_for(self.ports[wire + "_port"])
        except OSError:
            self.stop()
            raise

    def configuration(self, settings, wires):
        if self.mosquitto:
            return f"listener {self.ports['mqtt_port']} 127.0.0.1\nallow_anonymous true\n"
        for wire in sorted({"nats", *wires}):
            if "{" + wire + "_port}" not in settings:
                settings = LISTENERS[wire] + settings
        return fill(settings, self.ports)

    def wait_for(self, port):
        deadline = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as probe:
                    probe.shutdown(socket.SHUT_WR)
                    while probe.recv(4096):
                        pass  # until the server has closed as well: it may count connections
                time.sleep(0.02)
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(self.log_path, encoding="utf-8", errors="replace") as log:
                        raise OSError("the server did not start:\n" + log.read()[-2000:]) from None
                time.sleep(0.01)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        if self.running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Servers:
    """A server for each distinct block of settings, started when it is first needed."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)  # servers run in folders of their own
        if not os.access(self.binary, os.X_OK):
            raise OSError(f"no program to start: {self.binary}")
        self.running = {}

    def get(self, settings, wires):
        key = (settings, tuple(sorted(wires)))
        if key in self.running and not self.running[key].running():
            raise OSError("the server has died")
        if key not in self.running:
            self.running[key] = Server(self.binary, settings, wires)
        return self.running[key]

    def stop(self):
        for server in self.running.values():
            server.stop()
        self.running.clear()
