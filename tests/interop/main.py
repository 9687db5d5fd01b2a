"""usage: main.py SERVER WORK [WORD...]; tests/interop/run prepares WORK and calls it."""

import pathlib
import signal
import sys

import harness
from bench import Bench

# Each registers its cases, in the order in which they run.
import process_contract  # noqa: F401
import seed_nats  # noqa: F401
import seed_http  # noqa: F401
import nats_clients  # noqa: F401
import jetstream_clients  # noqa: F401
import stored_messages  # noqa: F401
import kills  # noqa: F401
import mqtt_clients  # noqa: F401
import cross_protocol  # noqa: F401
import logins  # noqa: F401
import traces  # noqa: F401
import programs  # noqa: F401
import soak  # noqa: F401


def ended(number, _frame):
    sys.exit(128 + number)  # on the way out the servers are ended


def main():
    signal.signal(signal.SIGTERM, ended)
    bench = Bench(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    try:
        failed = harness.run_all(bench, sys.argv[3:])
    finally:
        bench.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
