"""Serve until SIGTERM or SIGINT. The base URL of the API is printed, on one line, when it is ready."""

import argparse
import signal
import threading
from pathlib import Path

from sandbox.credly import seeds
from sandbox.credly.listing import PAGE_SIZE
from sandbox.credly.simulator import CredlySimulator
from sandbox.credly.webhooks import Schedule


def main() -> None:
    arguments = _parser().parse_args()
    simulator = CredlySimulator(
        host=arguments.host,
        port=arguments.port,
        seed=seeds.load(arguments.seed) if arguments.seed else None,
        state=arguments.state,
        random_seed=arguments.random_seed,
        page_size=arguments.page_size,
        webhooks=Schedule() if arguments.webhooks else None,
    )
    simulator.slow_down(arguments.latency)
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leave.set())
    with simulator:
        print(simulator.url, flush=True)
        leave.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.credly", description="Credly API simulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    parser.add_argument("--seed", type=Path, help="JSON file with organizations and templates, see seeds.py")
    parser.add_argument("--state", type=Path, help="file that keeps everything from one run to the next")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every request")
    parser.add_argument("--random-seed", type=int, default=0, help="for failures with a probability")
    parser.add_argument("--page-size", type=int, default=PAGE_SIZE)
    parser.add_argument("--webhooks", action="store_true", help="post events to the organizations' webhook_url")
    return parser


if __name__ == "__main__":
    main()
