"""Seconds that stages take."""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping

__all__ = ["Clock", "add_seconds"]


class Clock:
    """Seconds of wall time between laps, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Counts the time since the last lap as this stage's."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def add_seconds(seconds: MutableMapping[str, float], more: Mapping[str, float]) -> None:
    """Adds seconds by stage to those that are counted already."""
    for stage, value in more.items():
        seconds[stage] = seconds.get(stage, 0.0) + value
