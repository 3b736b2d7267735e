"""What the service tells of its work: one line of JSON a request, slow queries, and figures for Prometheus."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

__all__ = ["Watch"]

_log = logging.getLogger(__name__)

_BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
_QUERY = "query_text"
_SHOWN = 2000


class Watch:
    """Notes every request. `log` takes the access log, a line each; requests longer than `slow_seconds` are told to the log of warnings."""

    def __init__(self, log: TextIO | None = None, *, slow_seconds: float = 5.0) -> None:
        self.log = log
        self.slow_seconds = slow_seconds
        self._registry = CollectorRegistry()
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter("kg_requests", "Requests answered", ["route", "status"], registry=self._registry)
        self._seconds = Histogram("kg_request_seconds", "Time to answer", ["route"], buckets=_BOUNDS, registry=self._registry)
        self._ended = Counter("kg_requests_ended", "Requests ended by the service", ["reason"], registry=self._registry)
        self._cached = Counter("kg_cache_hits", "Answers given again without evaluation", registry=self._registry)
        self._waiting = Gauge("kg_requests_waiting", "Requests that wait for a process", registry=self._registry)
        self._busy = Gauge("kg_requests_running", "Requests that are being answered", registry=self._registry)
        self._processes = Gauge("kg_processes", "Processes that answer", registry=self._registry)
        self._state = Gauge("kg_store_state", "Number of the last change of the store that is shown", registry=self._registry)

    def note(self, fields: dict[str, Any], address: Sequence[Any]) -> None:
        """Takes what is known of a request."""
        route = "/" + str(fields.get("path", "")).lstrip("/").partition("/")[0]
        status = fields.get("status", 0)
        if status == 404:
            route = "unknown"
        if (route, status) not in self._known:
            self._known[route, status] = (self._requests.labels(route, status), self._seconds.labels(route))
        requests, seconds = self._known[route, status]
        requests.inc()
        if "ms" in fields:
            seconds.observe(fields["ms"] / 1000)
        if "outcome" in fields:
            self._ended.labels(fields["outcome"]).inc()
        if fields.get("cached"):
            self._cached.inc()
        if fields.get("ms", 0) > 1000 * self.slow_seconds:
            _log.warning("%.1f s: %s %s", fields["ms"] / 1000, fields.get("path", ""), str(fields.get(_QUERY, ""))[:_SHOWN])
        if self.log is not None:
            line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "address": address[0] if address else ""}
            self.log.write(json.dumps(line | {name: value for name, value in fields.items() if name != _QUERY}) + "\n")
            self.log.flush()

    def exposition(self, waiting: int, busy: int, processes: int, state: int) -> bytes:
        """The figures as a whole answer in the text format of Prometheus."""
        for gauge, value in ((self._waiting, waiting), (self._busy, busy), (self._processes, processes), (self._state, state)):
            gauge.set(value)
        body = generate_latest(self._registry)
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE_PLAIN_0_0_4}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n\r\n"
        )
        return head.encode() + body
