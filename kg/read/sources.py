"""Finds what is to be read: files, folders, patterns, standard input; and reads it, each with the reader of its type."""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path, PurePath
from typing import BinaryIO

from kg.errors import NotFound, UnreadableDocument, UsageError
from kg.model import Document, Problem, Source
from kg.plugins import Reader, list_plugins, load_plugin
from kg.read.content import as_problem, document_id, require_id, shown
from kg.settings import Settings

__all__ = ["Reading", "read_paths", "read_source"]

STDIN = "-"
_STDIN_SOURCE = Source("standard input", b"", "stdin", "text/plain")
_LARGEST_FILE = 2**30
_YIELDED = -1
_MOST_PLACES = 5

Item = Document | Problem


def read_paths(paths: Sequence[str], settings: Settings, *, id: str | None = None, stdin: BinaryIO | None = None) -> Reading:
    """What files, folders (with all that is below them), patterns and ``-`` hold, as documents and problems.

    Raises NotFound for a path that isn't there and UsageError for an `id` with several files, before anything is read.
    """
    return Reading(paths, settings, id=id, stdin=stdin)


def read_source(source: Source, settings: Settings) -> Iterator[Item]:
    """What one source holds; its reader is chosen by media type, else by the suffix of its origin."""
    yield from _items(_reader_for(source, _readers(settings)), source)


@dataclass(slots=True)
class _File:
    """A file that was found: named on the command line, or come upon in a folder."""

    path: str
    named: bool
    error: str = ""
    reader: Reader | None = None


@dataclass(slots=True)
class _Held:
    """A document that is held back because others have its id; `origins` are where the same one was read."""

    document: Document
    origins: set[str] = field(default_factory=set)


class Reading:
    """Documents and problems, read when iterated over; a folder's files come in the order of their names.

    Two documents with one id that differ are both problems, whichever comes first: so ids are gathered before documents are
    read. Where every file is one document they follow from the names; other files are read twice. Only what shares its id with
    another is held back, to the end; all else streams.
    """

    def __init__(self, paths: Sequence[str], settings: Settings, *, id: str | None = None, stdin: BinaryIO | None = None) -> None:
        self._id = _given_id(id)
        self._stdin = stdin
        readers = _readers(settings)
        found = _find(paths)
        for file in found:
            file.reader = _by_suffix(PurePath(file.path).name, readers)
        self.ignored = sum(file.reader is None and not file.named and not file.error for file in found)
        """Files of unknown type that folders hold."""
        self._files = [file for file in found if file.reader or file.named or file.error]
        if STDIN in paths:
            self._files.append(_File(STDIN, named=True, reader=_reader_for(_STDIN_SOURCE, readers)))
        if id is not None and len(self._files) > 1:
            raise UsageError(f"--id names one document, but there are {len(self._files)} files", hint="give one file, or leave --id out")

    @property
    def total(self) -> int:
        """How many documents and problems will come, but for repeated ids (for a progress bar)."""
        return self._expected.total()

    @cached_property
    def _expected(self) -> Counter[str]:
        """How often each id will come; the empty one stands for problems."""
        return Counter(id for file in self._files for id in self._ids(file))

    def _ids(self, file: _File) -> Iterable[str]:
        if file.reader is None or not getattr(file.reader, "one_each", False):
            return (item.id if isinstance(item, Document) else "" for item in self._read(file))
        try:
            return (document_id(self._source(file), file.reader.suffixes),)
        except UnreadableDocument:
            return ("",)

    def __iter__(self) -> Iterator[Item]:
        expected = Counter(self._expected)
        held: dict[str, dict[str, _Held]] = {}
        for file in self._files:
            for item in self._read(file):
                if isinstance(item, Problem):
                    yield item
                elif expected[item.id] == 1:
                    expected[item.id] = _YIELDED
                    yield item
                else:
                    held.setdefault(item.id, {}).setdefault(item.digest, _Held(item)).origins.add(shown(file.path))
        for id in sorted(held):
            yield from _settled(id, list(held[id].values()), first=expected[id] != _YIELDED)

    def _read(self, file: _File) -> Iterator[Item]:
        source = self._source(file)
        try:
            if file.error:
                raise UnreadableDocument(f"can't be read: {file.error}", category="unreadable", hint="check its permissions")
            if file.reader is None:
                raise UnreadableDocument("is of a type that no reader knows", category="unknown-type", hint="`kg plugins` lists readers")
            content = self._standard_input if file.path == STDIN else _content(Path(file.path))
            source = replace(source, content=content)
        except UnreadableDocument as error:
            yield as_problem(source, error)
        else:
            yield from _items(file.reader, source)

    def _source(self, file: _File) -> Source:
        if file.path == STDIN:
            return Source(_STDIN_SOURCE.origin, b"", self._id or _STDIN_SOURCE.id, _STDIN_SOURCE.media_type)
        return Source(file.path, b"", self._id)

    @cached_property
    def _standard_input(self) -> bytes:
        stream = self._stdin or (sys.stdin.buffer if sys.stdin else None)
        if stream is None:
            raise UnreadableDocument("is closed", category="unreadable", hint="pipe a text into the command")
        return stream.read(_LARGEST_FILE)


def _settled(id: str, versions: list[_Held], *, first: bool) -> Iterator[Item]:
    """The document, where all of one id say the same; else a problem for every place where one of them was read."""
    if len(versions) == 1 and first:
        yield versions[0].document
        return
    places = sorted(origin for version in versions for origin in version.origins)
    named = list(dict.fromkeys(places))
    listed = ", ".join(named[:_MOST_PLACES]) + (f" and {len(named) - _MOST_PLACES} more" if len(named) > _MOST_PLACES else "")
    message = f"different documents of this run have the id {id!r} (read in {listed})"
    hint = "none was built: rename one of them, or build one alone with --id ANOTHER-ID"
    for place in places:
        error = UnreadableDocument(message, category="duplicate-id", hint=hint)
        yield as_problem(Source(place, b"", id), error)


def _given_id(id: str | None) -> str | None:
    try:
        return None if id is None else require_id(id)
    except UnreadableDocument as error:
        raise UsageError(f"--id: {error.message}", hint="give an id of printable characters") from error


def _readers(settings: Settings) -> list[Reader]:
    return [load_plugin("readers", plugin.name, settings) for plugin in list_plugins(["readers"])]


def _by_suffix(name: str, readers: Iterable[Reader]) -> Reader | None:
    """The reader with the longest suffix that the name ends in."""
    fitting = [(len(suffix), reader) for reader in readers for suffix in reader.suffixes if name.lower().endswith(suffix)]
    return max(fitting, key=lambda fit: fit[0])[1] if fitting else None


def _reader_for(source: Source, readers: Sequence[Reader]) -> Reader | None:
    by_type = next((reader for reader in readers if source.media_type in reader.media_types), None)
    return by_type or _by_suffix(PurePath(source.origin).name, readers)


def _items(reader: Reader | None, source: Source) -> Iterator[Item]:
    try:
        if reader is None:
            raise UnreadableDocument("is of a type that no reader knows", category="unknown-type", hint="`kg plugins` lists readers")
        yield from reader(source)
    except UnreadableDocument as error:
        yield as_problem(source, error)


def _content(path: Path) -> bytes:
    try:
        if not path.exists():
            raise UnreadableDocument("is gone, or a link to nothing", category="unreadable", hint="mend or remove it")
        if not path.is_file():
            raise UnreadableDocument("is no file", category="unreadable", hint="pipe its content into `kg build -`")
        if path.stat().st_size > _LARGEST_FILE:
            raise UnreadableDocument(f"has more than {_LARGEST_FILE:,} bytes", category="too-long", hint="split it")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableDocument(f"can't be read: {reason}", category="unreadable", hint="check its permissions") from error


def _find(paths: Sequence[str]) -> list[_File]:
    """All files, each once; a file is told by its folder and name, so that links with another name are documents of their own."""
    found: dict[tuple[str, str], _File] = {}
    seen: set[str] = set()
    real = cache(os.path.realpath)
    for path in _present(paths):
        files = _walk(path, seen) if Path(path).is_dir() else [_File(path, named=True)]
        for file in files:
            key = real(PurePath(file.path).parent), PurePath(file.path).name
            found.setdefault(key, file).named |= file.named
    return list(found.values())


def _present(paths: Sequence[str]) -> list[str]:
    """The paths, with patterns spelled out; raises NotFound for one that isn't there."""
    present: list[str] = []
    for path in paths:
        if path == STDIN:
            continue
        matches = [path] if "\0" not in path and os.path.lexists(path) else sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - absolute too
        if not matches:
            raise _missing(path)
        present.extend(matches)
    return present


def _missing(path: str) -> NotFound:
    if glob.has_magic(path):
        return NotFound(f"no file matches {shown(path)!r}", hint="put a pattern in quotes, and check it")
    folder = PurePath(path).parent
    try:
        near = get_close_matches(PurePath(path).name, sorted(os.listdir(folder)), n=3, cutoff=0.5)  # noqa: PTH208 - names only
    except (OSError, ValueError):
        near = []
    hint = f"did you mean {', '.join(shown(str(folder / name)) for name in near)}?" if near else "check the path"
    return NotFound(f"there is no file or folder {shown(path)!r}", hint=hint)


def _walk(folder: str, seen: set[str]) -> Iterator[_File]:
    """Files below a folder in the order of their names, hidden ones left out; each real folder is entered once."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if (real := os.path.realpath(path)) in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(path) as scan:
                entries = sorted((entry for entry in scan if not entry.name.startswith(".")), key=lambda entry: entry.name)
        except OSError as error:
            yield _File(path, named=True, error=error.strerror or type(error).__name__)
            continue
        yield from (_File(entry.path, named=False) for entry in entries if not _is_folder(entry))
        waiting.extend(entry.path for entry in reversed(entries) if _is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: told when it is read
        return False
