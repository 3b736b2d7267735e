"""Runs a pure function over many items in several processes, the results in the order of the items."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from kg.errors import KgError

__all__ = ["in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4
_function: Callable[[Any], Any] | None = None


def in_order(
    make: Callable[..., Callable[[Item], Result]], settings: tuple[object, ...], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Results of the function that ``make(*settings)`` gives, which each process makes for itself.

    Only a few items wait at a time, and `items` is read in the caller's thread. Raises KgError where a process is killed.
    """
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (make, settings))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            with _ctrl_c_held_back():  # the processes inherit this, so that Ctrl-C on a terminal reaches the caller alone
                waiting.append(pool.submit(_work, item))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        hint = "what is done is stored; run the same command again, with fewer workers if memory is short"
        raise KgError("a worker process was killed", hint=hint) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _start(make: Callable[..., Callable[[Any], Any]], settings: tuple[object, ...]) -> None:
    global _function
    _function = make(*settings)


def _work(item: Any) -> Any:
    if _function is None:
        raise RuntimeError("the process has not been started")
    return _function(item)
