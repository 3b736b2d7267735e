"""Finds what is to be read: files, folders, patterns, standard input; and reads it, each with the reader of its type."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path, PurePath
from typing import BinaryIO

from kg.errors import NotFound, UnreadableDocument, UsageError
from kg.model import Document, Problem, Source
from kg.plugins import Reader
from kg.read.content import as_problem, document_id, looks_like, require_id, shown
from kg.read.fetch import Fetcher
from kg.read.readers import Item, Readers, expected_ids, unknown_type
from kg.read.remote import RemoteFiles, is_remote, local_path
from kg.settings import Settings

__all__ = ["Reading", "read_paths", "read_source"]

STDIN = "-"
_STDIN_NAME = "standard input"
_SAMPLE = 4096
_YIELDED = -1
_MOST_PLACES = 5
_UNKNOWN = ("unknown-type", "unknown-columns")


def read_paths(paths: Sequence[str], settings: Settings, *, id: str | None = None, stdin: BinaryIO | None = None) -> Reading:
    """What files, folders (with all that is below them), patterns and ``-`` hold, as documents and problems.

    Raises NotFound for a path that isn't there and UsageError for an `id` with several files, before anything is read.
    """
    return Reading(paths, settings, id=id, stdin=stdin)


def read_source(source: Source, settings: Settings) -> Iterator[Item]:
    """What one source holds; its reader is chosen by media type, else by the suffix of its origin."""
    readers = Readers(settings)
    yield from readers.items(readers.of(source), source)


@dataclass(slots=True)
class _File:
    """A file that was found: named on the command line, or come upon in a folder."""

    path: str
    named: bool
    error: str = ""
    reader: Reader | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is no file here: standard input, or an address."""
        return self.path == STDIN or _is_address(self.path) or is_remote(self.path)


@dataclass(slots=True)
class _Held:
    """A document that is held back because others have its id (only the first is kept); `origins` are where the same one was read."""

    document: Document | None
    origins: set[str] = field(default_factory=set)


class Reading:
    """Documents and problems, read when iterated over; a folder's files come in the order of their names.

    Two documents with one id that differ are both problems, whichever comes first: so ids are gathered before documents are
    read. Most readers tell them without reading; other files are read twice. Only what shares its id with another is held back,
    to the end; all else streams.
    """

    def __init__(self, paths: Sequence[str], settings: Settings, *, id: str | None = None, stdin: BinaryIO | None = None) -> None:
        self._id = _given_id(id)
        self._stdin = stdin
        self._readers = Readers(settings)
        self._fetcher = Fetcher(settings)
        self._since: str | None = None
        self._skip: Callable[[str], bool] = lambda id: False
        self.left_out = 0
        """Documents that were not read, or not given, for what `leave_out` says."""
        self._remote = RemoteFiles()
        found = _find([local_path(path) for path in paths if not _is_address(path) and not is_remote(path)])
        found += [_File(url, named) for path in dict.fromkeys(paths) if is_remote(path) for url, named in self._remote.find(path)]
        found += [_File(path, named=True) for path in dict.fromkeys(paths) if path == STDIN or _is_address(path)]
        for file in found:
            if not file.is_elsewhere or is_remote(file.path):
                file.reader = self._readers.by_name(PurePath(file.path).name)
        self._files = [file for file in found if file.reader or file.named or file.error]
        self._unknown = {file.path for file in found if file not in self._files}
        if id is not None and len(self._files) > 1:
            raise UsageError(f"--id names one document, but there are {len(self._files)} files", hint="give one file, or leave --id out")

    @property
    def ignored(self) -> int:
        """Files of unknown type that folders and archives hold; those in archives are known when they have been read."""
        return len(self._unknown) + sum(sum(getattr(reader, "left_out", {}).values()) for reader in self._readers.all)

    @property
    def total(self) -> int:
        """How many documents and problems will come, but for repeated ids (for a progress bar)."""
        return self._expected.total()

    def leave_out(self, *, since: str | None = None, stored: Callable[[str], bool] | None = None) -> None:
        """Gives no document that was published before a date (ISO 8601) or has no date, and none whose id `stored` is true of.

        Of these, files and members of archives that are one document each are then not even read.
        """
        self._since = since or self._since
        if stored is not None:
            self._skip = stored
            for reader in self._readers.all:
                if hasattr(reader, "skip"):
                    reader.skip = stored

    @cached_property
    def _expected(self) -> Counter[str]:
        """How often each id will come; the empty one stands for problems."""
        return Counter(id for file in self._files for id in self._ids(file))

    def _ids(self, file: _File) -> Iterator[str]:
        try:
            if file.reader and getattr(file.reader, "one_each", False):
                yield document_id(self._place(file), file.reader.suffixes)
                return
            reader, source = self._opened(file)
            told = expected_ids(reader, source)
        except UnreadableDocument as error:
            if not self._is_ignored(file, error.category):
                yield ""
            return
        if told is None:
            yield from (item.id if isinstance(item, Document) else "" for item in self._readers.items(reader, source))
            return
        try:
            yield from told
        except (UnreadableDocument, OSError) as error:
            if not self._is_ignored(file, getattr(error, "category", "")):
                yield ""

    def __iter__(self) -> Iterator[Item]:
        expected = Counter(self._expected)
        held: dict[str, dict[str, _Held]] = {}
        self.left_out = 0
        for file in self._files:
            for item in self._read(file):
                if isinstance(item, Problem):
                    yield item
                elif expected[item.id] == 1:
                    expected[item.id] = _YIELDED
                    yield from self._wanted(item)
                else:
                    versions = held.setdefault(item.id, {})
                    versions.setdefault(item.digest, _Held(None if versions else item)).origins.add(shown(file.path))
        for id in sorted(held):
            for item in _settled(id, list(held[id].values()), first=expected[id] != _YIELDED):
                yield from self._wanted(item)

    def _wanted(self, item: Item) -> Iterator[Item]:
        """The item, but for a document that is left out."""
        if isinstance(item, Document) and self._since is not None and (item.published or "") < self._since[: len(item.published or "0")]:
            self.left_out += 1
        else:
            yield item

    def _read(self, file: _File) -> Iterator[Item]:
        try:
            reader, source = self._opened(file)
            if getattr(reader, "one_each", False) and self._skip(document_id(source, reader.suffixes)):
                self.left_out += 1
                return
        except UnreadableDocument as error:
            if not self._is_ignored(file, error.category):
                yield as_problem(self._place(file), error)
            return
        for item in self._readers.items(reader, source):
            if isinstance(item, Problem) and self._is_ignored(file, item.category):
                continue
            if isinstance(item, Document) and self._skip(item.id):
                self.left_out += 1
            else:
                yield item

    def _is_ignored(self, file: _File, category: str) -> bool:
        """Whether a file of a folder turned out to be of unknown type: it is counted then."""
        if file.named or category not in _UNKNOWN:
            return False
        self._unknown.add(file.path)
        return True

    def _place(self, file: _File) -> Source:
        """Where a file lies and what its document is to be called, without its content."""
        if file.path == STDIN:
            return Source(_STDIN_NAME, id=self._id, name="stdin")
        return Source(file.path, id=self._id, name=file.path if _is_address(file.path) else None)

    def _opened(self, file: _File) -> tuple[Reader, Source]:
        """A file's reader, and the source for it; raises UnreadableDocument."""
        place = self._place(file)
        if file.error:
            raise UnreadableDocument(f"can't be read: {file.error}", category="unreadable", hint="check its permissions")
        reader = file.reader
        if file.path == STDIN:
            source, reader = self._from_input
        elif is_remote(file.path):
            if reader is None:
                raise unknown_type()
            source = replace(place, path=str(self._remote.fetch(file.path)))
        elif file.is_elsewhere:
            source = replace(self._fetcher.fetch(file.path), id=self._id, name=file.path)
            reader = self._readers.of(source)
        else:
            if reader is None:
                raise unknown_type()
            _require_file(Path(file.path))
            source = replace(place, path=file.path)
        if reader is None:
            raise unknown_type()
        return reader, source

    @cached_property
    def _from_input(self) -> tuple[Source, Reader | None]:
        """Standard input, kept in a file so that it can be read again; what it is tells its beginning, plain text if nothing else."""
        stream = self._stdin or (sys.stdin.buffer if sys.stdin else None)
        if stream is None:
            raise UnreadableDocument("is closed", category="unreadable", hint="pipe a text into the command")
        folder = Path(tempfile.mkdtemp(prefix="kg-stdin-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = folder / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        with path.open("rb") as file:
            suffix = _suffix_of_text(file.read(_SAMPLE))
        source = Source(_STDIN_NAME if suffix == ".txt" else f"{_STDIN_NAME}{suffix}", id=self._id, name="stdin", path=str(path))
        return source, self._readers.by_name(f"stdin{suffix}")


def _suffix_of_text(head: bytes) -> str:
    """The suffix of what comes without a name."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if found := looks_like(head):
        return {".gz": ".txt.gz", ".bz2": ".txt.bz2", ".xz": ".txt.xz", ".zst": ".txt.zst"}.get(found, found)
    if start.startswith((b"<!doctype html", b"<html")):
        return ".html"
    if start.startswith((b"<?xml", b"<rss", b"<feed")):
        return ".xml"
    return ".jsonl" if start.startswith(b'{"') and b'"text"' in head else ".txt"


def _is_address(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


def _settled(id: str, versions: list[_Held], *, first: bool) -> Iterator[Item]:
    """The document, where all of one id say the same; else a problem for every place where one of them was read."""
    if len(versions) == 1 and first and versions[0].document is not None:
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


def _require_file(path: Path) -> None:
    """Raises UnreadableDocument for what is gone, no file (a pipe would never end), or not to be opened."""
    try:
        if not path.exists():
            raise UnreadableDocument("is gone, or a link to nothing", category="unreadable", hint="mend or remove it")
        if not path.is_file():
            raise UnreadableDocument("is no file", category="unreadable", hint="pipe its content into `kg build -`")
        with path.open("rb"):
            pass
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
