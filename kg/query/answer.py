"""Answers of queries on their way out: written as the engine finds them, counted, and never kept in memory as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

import pyoxigraph as ox

from kg.errors import ResultTooLarge, ServiceFailed, StoreError
from kg.query.results import FORMATS, prefixes
from kg.rdf.iris import Namespace
from kg.settings import Settings

__all__ = ["Answer", "Solutions", "engine_errors"]

Solutions = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
"""What the engine answers."""

_FEW = 1000


class Stream(Protocol):
    """What an answer is written to."""

    def write(self, part: bytes, /) -> Any:
        """Takes a part."""


@contextmanager
def engine_errors(reaches_out: bool = False) -> Iterator[None]:
    """Errors of the engine become errors of the tree; where the query asks other services, it is one of them that failed."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if reaches_out:
            raise ServiceFailed("a service that the query asks gave no answer that can be used", hint="ask it by itself") from error
        raise StoreError(f"the query could not be run: {' '.join(str(error).split())}", hint="`kg doctor` checks the store") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine answers, to be written once."""

    solutions: Solutions
    namespace: Namespace
    reaches_out: bool = False

    @property
    def form(self) -> str:
        """``rows``, ``boolean`` or ``graph``."""
        if isinstance(self.solutions, ox.QuerySolutions):
            return "rows"
        return "boolean" if isinstance(self.solutions, ox.QueryBoolean) else "graph"

    def write(self, format: str, stream: Stream, *, settings: Settings) -> int:
        """Writes it in a format by its name; how many rows or triples were counted.

        Raises ResultTooLarge past the settings' rows or bytes; what was written by then is void.
        """
        sink = _SINKS.get(format, _Sink)(stream, settings.query_rows, settings.query_bytes)
        writer = FORMATS[format].writer
        out = cast(IO[bytes], sink)  # the engine calls write and flush
        with engine_errors(self.reaches_out):
            if isinstance(self.solutions, ox.QueryTriples) and isinstance(writer, ox.RdfFormat):
                self._write_graph(self.solutions, writer, sink)
            elif not isinstance(self.solutions, ox.QueryTriples) and isinstance(writer, ox.QueryResultsFormat):
                self.solutions.serialize(out, format=writer)
            else:
                raise TypeError(f"{format} can't hold a {self.form}")
        return sink.rows

    def _write_graph(self, triples: ox.QueryTriples, writer: ox.RdfFormat, sink: _Sink) -> None:
        if writer in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS):
            triples.serialize(cast(IO[bytes], sink), format=writer)
            return
        counted = sink.counted(triples)
        first = list(itertools.islice(counted, _FEW))
        seen = "\n".join(map(str, first))
        used = {name: iri for name, iri in prefixes(self.namespace).items() if name != "res" and f"<{iri}" in seen}
        ox.serialize(itertools.chain(first, counted), cast(IO[bytes], sink), format=writer, prefixes=used)


# -- counting ------------------------------------------------------------------------------------------------------


class _Sink:
    """Passes on what is written, and ends it past a number of bytes or rows. This one counts no rows by itself."""

    mark = b""

    def __init__(self, stream: Stream, rows: int, size: int) -> None:
        self.stream = stream
        self.rows, self.most_rows = 0, rows
        self.size, self.most_size = 0, size
        self.tail = b""

    def write(self, part: bytes) -> int:
        """Takes a part."""
        self.size += len(part)
        if self.size > self.most_size:
            raise ResultTooLarge(f"the answer has more than {self.most_size:,} bytes", hint=f"{_NARROW} query_bytes")
        self.count(part)
        self.stream.write(part)
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def count(self, part: bytes) -> None:
        """Counts the rows of a part by a mark that stands in every row and nowhere else, even if it is cut by parts."""
        if self.mark:
            tail = self.tail
            self.add((tail + part).count(self.mark) - tail.count(self.mark))
            self.tail = (tail + part)[1 - len(self.mark) :] if len(self.mark) > 1 else b""

    def add(self, rows: int) -> None:
        """Takes note of rows."""
        self.rows += rows
        if self.rows > self.most_rows:
            raise ResultTooLarge(f"the answer has more than {self.most_rows:,} rows", hint=f"{_NARROW} query_rows")

    def counted(self, triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
        """The triples, each taken note of."""
        for triple in triples:
            self.add(1)
            yield triple


_NARROW = "narrow it, or ask in parts with ORDER BY, LIMIT and OFFSET; or raise the setting"


class _Lines(_Sink):
    """A line a triple."""

    mark = b"\n"


class _Tsv(_Lines):
    """A line a row, and one for the header; a yes or no has none."""

    def __init__(self, stream: Stream, rows: int, size: int) -> None:
        super().__init__(stream, rows, size)
        self.rows = -1


class _Xml(_Sink):
    """``<`` stands for itself nowhere in a text."""

    mark = b"<result>"


class _Json(_Sink):
    """Inside a string no quote follows a brace at once, for it is escaped. The first row has no comma; rows without values don't count."""

    mark = b',{"'

    def __init__(self, stream: Stream, rows: int, size: int) -> None:
        super().__init__(stream, rows - 1, size)

    def add(self, rows: int) -> None:
        """Tells the limit as it was set."""
        self.rows += rows
        if self.rows > self.most_rows:
            raise ResultTooLarge(f"the answer has more than {self.most_rows + 1:,} rows", hint=f"{_NARROW} query_rows")


class _Csv(_Sink):
    """Ends of lines outside quotes; the first is that of the header."""

    def __init__(self, stream: Stream, rows: int, size: int) -> None:
        super().__init__(stream, rows, size)
        self.rows, self.is_quoted = -1, False

    def count(self, part: bytes) -> None:
        """Counts line ends; a quote inside quotes is written twice, which leaves them as they were."""
        if b'"' not in part:
            self.add(0 if self.is_quoted else part.count(b"\n"))
            return
        pieces = part.split(b'"')
        self.add(sum(piece.count(b"\n") for piece in pieces[self.is_quoted :: 2]))
        self.is_quoted ^= len(pieces) % 2 == 0


_SINKS: dict[str, type[_Sink]] = {"csv": _Csv, "tsv": _Tsv, "json": _Json, "xml": _Xml, "ntriples": _Lines, "nquads": _Lines}
