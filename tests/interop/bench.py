"""What a case works with: servers, client programs, and the end of both when the case is over."""

import subprocess

from harness import PATIENCE, Failure, Skip
from server import Server


class Bench:
    def __init__(self, binary, work):
        self.binary, self.work = binary, work
        self.shared = None  # the server of all cases that ask for no other
        self.own = []
        self.children = []
        self.closing = []

    @property
    def server(self):
        if self.shared is None or self.shared.process.poll() is not None:
            self.shared = Server(self.binary)
        return self.shared

    def check_alive(self):
        """No case may end the shared server; the next one gets a new one."""
        if self.shared and self.shared.process.poll() is not None:
            raise Failure(f"the server has died, status {self.shared.process.returncode}: "
                          f"{self.shared.log()[-1000:]}")

    def start(self, settings="", **options):
        """A server for this case alone."""
        server = Server(self.binary, settings, **options)
        self.own.append(server)
        return server

    def on_end(self, action):
        """For what a case has opened, whether it ends well or not."""
        self.closing.append(action)

    def program(self, name):
        """The path of one of our own client programs: `run` builds the one in Go, meson the other,
        beside the server."""
        built = {"nats_go": self.work / "nats_go",
                 "paho_cpp": self.binary.parents[2] / "tests/interop/paho_cpp"}[name]
        if built.exists():
            return built
        if name == "nats_go":
            raise Skip((self.work / "go.log").read_text())
        raise Skip(f"{built} is not there: libpaho-mqttpp-dev was not installed when meson ran")

    def child(self, command, **options):
        """Starts a program; its output is text, its lines come as they are printed."""
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1, **options)
        self.children.append(process)
        return process

    def output(self, command, data=b"", status=0, seconds=PATIENCE):
        """What a program prints, once it has ended as expected."""
        words = [str(word) for word in command]
        try:
            done = subprocess.run(words, input=data, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(words)}: not done after {seconds} s") from None
        except FileNotFoundError:
            raise Skip(f"{words[0]} is not installed") from None
        if done.returncode != status:
            said = (done.stderr or done.stdout).decode(errors="replace")
            raise Failure(f"{' '.join(words)}: ended with {done.returncode}, not {status}: {said}")
        return done.stdout

    def clean_up(self):
        for action in reversed(self.closing):
            try:
                action()
            except Exception as error:  # the case has its verdict; its clients are on their way out
                print(f"  while cleaning up: {error}", flush=True)
        for process in self.children:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        for server in self.own:
            server.remove()
        self.closing, self.children, self.own = [], [], []

    def close(self):
        self.clean_up()
        if self.shared:
            self.shared.remove()
