"""Progress on a terminal's stderr: how much is done, how fast, how long it will take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from kg.read import Reading

__all__ = ["progress", "waiting"]


@contextmanager
def progress(verb: str, reading: Reading, *, verbosity: int = 0) -> Iterator[Callable[[str], None]]:
    """Gives a function to be called after each document; silent where stderr is no terminal, and with ``-q``."""
    if not sys.stderr.isatty() or verbosity < 0:
        yield lambda document_id: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (
        TextColumn(verb),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(verb, total=reading.total, rate="", last="")

        def advance(document_id: str) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, advance=1, rate=f"{speed:.1f}/s" if speed else "", last=Text(document_id[:40]).markup)

        yield advance


@contextmanager
def waiting(what: str, *, verbosity: int = 0) -> Iterator[Callable[[BinaryIO], BinaryIO]]:
    """Shows seconds and bytes written on a terminal; gives a function that makes a stream count what goes through it."""
    if not sys.stderr.isatty() or verbosity < 0:
        yield lambda stream: stream
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(what), TimeElapsedColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda stream: cast("BinaryIO", _Counting(stream, lambda size: bar.update(task, advance=size)))


class _Counting:
    """A binary stream that tells how many bytes were written to it."""

    def __init__(self, stream: BinaryIO, tell: Callable[[int], None]) -> None:
        self._stream, self._tell = stream, tell

    def write(self, content: bytes) -> int:
        self._tell(len(content))
        return self._stream.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
