"""Two transactions at once, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, connections

Parameters = ParamSpec("Parameters")
ResultT = TypeVar("ResultT")


def in_a_thread(act: Callable[Parameters, ResultT]) -> Callable[Parameters, ResultT]:
    """Decorate what runs in a thread of its own: its connections are closed at its end."""

    @wraps(act)
    def closing(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResultT:
        try:
            return act(*args, **kwargs)
        finally:
            connections.close_all()

    return closing


@contextmanager
def meanwhile(
    act: Callable[[], ResultT], *, before: Callable[[str], bool], at_most: float = 1
) -> Iterator[Callable[[], ResultT]]:
    """Have ``act`` begin, in a thread, before the first statement of the block for which ``before`` holds.

    The statement waits until ``act`` is done, or so many seconds where that has to wait itself. Gives what waits for
    the end of ``act`` and returns, or raises, what it does.
    """
    begun: list[Future[ResultT]] = []

    def execute(run: Callable[..., object], sql: str, *args: object) -> object:
        if not begun and before(sql):
            begun.append(pool.submit(in_a_thread(act)))
            with suppress(TimeoutError):
                begun[0].exception(timeout=at_most)
        return run(sql, *args)

    with ThreadPoolExecutor(1) as pool, connection.execute_wrapper(execute):
        yield lambda: begun[0].result()
