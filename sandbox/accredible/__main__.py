"""Serve until SIGTERM or SIGINT. The base URL of the API is printed, on one line, when it is ready."""

from __future__ import annotations

import argparse
import signal
import threading

from sandbox.accredible.simulator import AccredibleSimulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.accredible", description="Accredible API simulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    arguments = parser.parse_args()
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leave.set())
    with AccredibleSimulator(host=arguments.host, port=arguments.port) as simulator:
        print(simulator.url, flush=True)
        leave.wait()


if __name__ == "__main__":
    main()
