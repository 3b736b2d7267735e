"""What a run took: seconds by stage, and memory."""

from __future__ import annotations

import resource
import sys
import time

__all__ = ["Clock", "peak_memory"]


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


def peak_memory() -> int:
    """Most bytes of memory that this process has held, or one of those it has waited for, whichever is more."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
