"""What a run took: seconds by stage, and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TypeVar

__all__ = ["Clock", "add_seconds", "peak_memory", "timed"]

Item = TypeVar("Item")


class Clock:
    """Seconds of wall time between laps, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Counts the time since the last lap, or the beginning, to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def timed(items: Iterable[Item], seconds: MutableMapping[str, float], stage: str) -> Iterator[Item]:
    """The items, while the time until each is there is counted to a stage."""
    clock = Clock()
    for item in items:
        clock.lap(stage)
        seconds[stage] = clock.seconds[stage]
        yield item
        clock.lap("")


def add_seconds(seconds: MutableMapping[str, float], more: Mapping[str, float]) -> None:
    """Adds seconds by stage to those that are counted already."""
    for stage, value in more.items():
        seconds[stage] = seconds.get(stage, 0.0) + value


def peak_memory() -> int:
    """Most bytes of memory that this process has held, or one of those it has waited for, whichever is more."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
