"""Threads that make requests and never keep a process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")


class Threads(Generic[ResultT]):
    """A number of daemon threads that run submitted calls, in order.

    The executors of the standard library wait for their threads when the interpreter exits, so a stopped worker would
    wait for a provider that hangs.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self._queue: SimpleQueue[tuple[Future[ResultT], Callable[[], ResultT]] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True).start()

    def submit(self, work: Callable[[], ResultT]) -> Future[ResultT]:
        """Have the call made by a thread. Until one begins, the future can be cancelled."""
        future: Future[ResultT] = Future()
        self._queue.put((future, work))
        return future

    def close(self) -> None:
        """Let the threads end after all submitted calls. Does not wait for them."""
        for _ in range(self._count):
            self._queue.put(None)

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            future, work = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again when the result is read
                future.set_exception(error)
