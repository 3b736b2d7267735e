"""The registry of export formats, and the one way to write a file in any of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from kg.errors import NotFound, UsageError
from kg.export.view import Selection, View, read_view
from kg.plugins import list_plugins, load_plugin
from kg.settings import Settings
from kg.store import Store

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Exporter", "FolderExporter", "ListingExporter", "TableExporter", "list_formats", "load_exporter", "write_file"]


@runtime_checkable
class Exporter(Protocol):
    """Writes the selected part of a store in one format, as bytes that are the same for the same graph.

    `name` is what ``--format`` takes, `suffix` ends a file's name (with its dot), `media_type` goes with it over HTTP.
    The entry point is a callable that takes the settings and gives an exporter.
    """

    name: str
    media_type: str
    suffix: str

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        """Writes to a binary stream; leaves it open."""


@runtime_checkable
class TableExporter(Exporter, Protocol):
    """An exporter whose format is several files: a stream takes all of them as one archive, a path takes them side by side."""

    tables: Mapping[str, Callable[[View, BinaryIO], None]]
    table_suffix: str


@runtime_checkable
class FolderExporter(Exporter, Protocol):
    """An exporter whose format is a folder of files; a stream takes it as one archive."""

    marker: str

    def files(self, store: Store, selection: Selection) -> Iterator[tuple[str, bytes]]:
        """Name, with slashes, and content of each file. One is called `marker`: a folder that has it may be replaced."""


@runtime_checkable
class ListingExporter(Exporter, Protocol):
    """An exporter that can tell beforehand, row by row, what it would write and what not (rows are dataclasses)."""

    def propose(self, store: Store, selection: Selection) -> Iterable[DataclassInstance]:
        """What would be written."""


def list_formats() -> list[str]:
    """Names of all export formats, sorted: those that come with kg and those of plug-ins."""
    return [plugin.name for plugin in list_plugins(["exporters"])]


def load_exporter(name: str, settings: Settings) -> Exporter:
    """The exporter of this name, made ready for use. NotFound names the known ones."""
    known = list_formats()
    if name not in known:
        raise NotFound.among("export format", name, known)
    exporter: Exporter = load_plugin("exporters", name, settings)
    return exporter


def write_file(
    exporter: Exporter, store: Store, selection: Selection, path: Path, *, watch: Callable[[BinaryIO], BinaryIO] = lambda stream: stream
) -> list[Path]:
    """Writes a file, or where the format is tables one file a table (``NAME-nodes.csv``), and says which.

    An exporter of folders makes a folder, unless the path ends like its archive. A file or folder appears whole or not at all.
    `watch` is given each stream that is written to, and gives one to be used in its place.
    UsageError where it can't be written.
    """
    if isinstance(exporter, FolderExporter) and path.suffix != exporter.suffix:
        return [_write_folder(exporter, store, selection, path, watch)]
    parts: dict[Path, Callable[[BinaryIO], None]]
    if isinstance(exporter, TableExporter) and path.suffix != exporter.suffix:
        view = read_view(store, selection)
        parts = {
            path.with_name(f"{path.stem}-{table}{exporter.table_suffix}"): partial(write, view) for table, write in exporter.tables.items()
        }
    else:
        parts = {path: partial(exporter, store, selection)}
    for place, write in parts.items():
        fresh = place.with_name(f".{place.name}.part")
        try:
            with fresh.open("wb") as stream:
                write(watch(stream))
            fresh.replace(place)
        except OSError as error:
            raise UsageError(f"{place} can't be written: {error.strerror}", hint="name another place with -o") from error
        finally:
            fresh.unlink(missing_ok=True)
    return list(parts)


def _write_folder(exporter: FolderExporter, store: Store, selection: Selection, path: Path, watch: Callable[[BinaryIO], BinaryIO]) -> Path:
    """Writes a folder beside its place and then moves it there; only an empty folder, or one of the same kind, is replaced."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        if path.exists() and not (path / exporter.marker).is_file() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"{path} is there and is no {exporter.name} of kg", hint="name a new or an empty folder with -o")
        shutil.rmtree(fresh, ignore_errors=True)
        for name, content in exporter.files(store, selection):
            place = fresh / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as stream:
                watch(stream).write(content)
        if path.exists():
            shutil.rmtree(path)
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}", hint="name another place with -o") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return path
