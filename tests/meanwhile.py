"""Two transactions at once: one begins when the other is about to execute a certain statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connection, connections


@contextmanager
def meanwhile(
    act: Callable[[], Any], *, before: Callable[[str], bool], at_most: float = 1
) -> Iterator[Callable[[], Any]]:
    """Have `act` begin, on a connection of its own, before the first statement of the block for which `before` holds.

    The statement waits until `act` is done, or so many seconds where that has to wait itself. Gives what waits for the
    end of `act` and returns, or raises, what it does.
    """
    begun: list[Future[Any]] = []

    def on_its_own() -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    def execute(run: Any, sql: str, *args: Any) -> Any:
        if not begun and before(sql):
            begun.append(pool.submit(on_its_own))
            with suppress(TimeoutError):
                begun[0].exception(timeout=at_most)
        return run(sql, *args)

    with ThreadPoolExecutor(1) as pool, connection.execute_wrapper(execute):
        yield lambda: begun[0].result()
