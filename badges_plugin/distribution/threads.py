"""Threads that make requests, and never keep a process that has to end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")


class Threads(Generic[ResultT]):
    """So many daemon threads that do what is submitted, in order.

    The executors of the standard library wait for their threads when the interpreter ends, and so would a stopped
    worker wait for a provider that never comes to an end.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self._queue: SimpleQueue[tuple[Future[ResultT], Callable[[], ResultT]] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True).start()

    def submit(self, work: Callable[[], ResultT]) -> Future[ResultT]:
        """Have the work done. As long as no thread has begun with it, the future can be cancelled."""
        future: Future[ResultT] = Future()
        self._queue.put((future, work))
        return future

    def close(self) -> None:
        """Let the threads end once they have done what was submitted. Does not wait for them."""
        for _ in range(self._count):
            self._queue.put(None)

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            future, work = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
                future.set_exception(error)
