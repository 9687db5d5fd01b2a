"""The few words of NATS that tell whether a server has found its streams again."""

import json
import socket
import time

PATIENCE_SECONDS = 60
HELLO = (b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
         b"SUB _INBOX.info 1\r\n")
ASK = b"PUB $JS.API.INFO _INBOX.info 0\r\n\r\n"


def await_streams(port, streams, consumers):
    """Waits until the server knows so many streams and consumers. Returns what is wrong, or
    None."""
    seen = "it does not answer"
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(HELLO)
                lines = connection.makefile("rb")
                while time.monotonic() < until:
                    connection.sendall(ASK)
                    info = read_answer(lines)
                    found = (info.get("streams"), info.get("consumers"))
                    if found == (streams, consumers):
                        return None
                    seen = f"it knows {found[0]} streams and {found[1]} consumers"
                    time.sleep(0.005)
        except (OSError, ValueError) as error:
            seen = str(error)
            time.sleep(0.005)
    return seen


def read_answer(lines):
    """The object in the next message; what says that nobody answers yet is an empty one."""
    while line := lines.readline():
        words = line.split()
        if words and words[0] in (b"MSG", b"HMSG"):
            body = lines.read(int(words[-1]) + 2)
            return json.loads(body) if words[0] == b"MSG" else {}
        if words and words[0] == b"-ERR":
            raise ValueError(line.decode(errors="replace").strip())
    raise ValueError("the server closed the connection")
