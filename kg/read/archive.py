"""Reader of archives (zip, tar, WACZ) and of packed files (gz, bz2, xz, zst): each member goes to the reader of its type."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, cast

from kg.errors import UnreadableDocument
from kg.model import Source
from kg.read.content import as_problem, require_content
from kg.read.readers import Item, Readers, expected_ids, most_bytes, unknown_type
from kg.read.unpacking import DAMAGE, HARMLESS, PACKERS, RATIO, Allowance, Unpacked, damaged, unpack
from kg.settings import Settings

__all__ = ["Archive", "create"]

_DEEPEST = 4
_MOST_BOMBS = 3  # members that go past the bounds; then the whole archive is given up
_MOST_MEMBERS = 10_000_000
_CHUNK = 2**16
_TARS = {".tar": "", ".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst", **{f".tar{pack}": pack for pack in PACKERS}}
_LINK = 0o120000
_WRONG = (*DAMAGE, tarfile.TarError, RuntimeError, NotImplementedError, ValueError, LookupError, OSError)


@dataclass(slots=True)
class _Member:
    """A file in an archive: its path there, and how it is opened; or why it isn't."""

    path: str
    open: Callable[[], Any]
    error: UnreadableDocument | None = None


class Archive:
    """Nothing is written under a name that an archive gives, and nothing is unpacked past the bounds (`archive_bytes`, 200 times).

    A document is called as its path in the archive (``2024/a.txt``, in an archive in it ``inner.zip/a.txt``), that of a packed
    file as the file (``a.txt.gz``: ``a``). Links and hidden files are passed over; files of unknown type are counted.
    """

    suffixes = (".zip", ".wacz", *_TARS, *PACKERS)
    media_types = (
        "application/zip",
        "application/x-tar",
        "application/gzip",
        "application/zstd",
        "application/x-xz",
        "application/x-bzip2",
    )
    one_each = False
    streams = True

    def __init__(self, settings: Settings) -> None:
        self._most = settings.archive_bytes
        self._readers = Readers(settings)
        self._skip: Callable[[str], bool] = lambda id: False
        self._ignored: Counter[str] = Counter()

    @property
    def left_out(self) -> Counter[str]:
        """How many files of each archive are of no known type."""
        inner = (reader.left_out for reader in self._readers.all if not isinstance(reader, Archive) and hasattr(reader, "left_out"))
        return sum(inner, Counter(self._ignored))

    @property
    def skip(self) -> Callable[[str], bool]:
        """True of ids that need not be read."""
        return self._skip

    @skip.setter
    def skip(self, skip: Callable[[str], bool]) -> None:
        self._skip = skip
        for reader in self._readers.all:
            if not isinstance(reader, Archive) and hasattr(reader, "skip"):
                reader.skip = skip

    def __call__(self, source: Source) -> Iterator[Item]:
        """Yields the members' documents and problems; raises UnreadableDocument where the archive can't be opened."""
        self._ignored.pop(source.origin, None)
        allowance = self._begun(source)
        if pack := self._packed(source):
            with self._content(source, pack, allowance) as inner:
                yield from self._readers.items(self._readers.by_name(inner.origin), inner)
            return
        if source.id is not None:
            hint = "leave --id out: documents are called as their paths in it"
            raise UnreadableDocument("is an archive, and --id names one document", category="duplicate-id", hint=hint)
        yield from self._members(source, allowance, 1)

    def ids(self, source: Source) -> Iterator[str]:
        """The ids of the members: of those of one document each by their paths, of others as their readers tell."""
        allowance = self._begun(source)
        if pack := self._packed(source):
            with self._content(source, pack, allowance) as inner:
                reader = self._readers.by_name(inner.origin)
                told = expected_ids(reader, inner) if reader else None
                yield from told if told is not None else (getattr(item, "id", "") for item in self._readers.items(reader, inner))
            return
        yield from self._member_ids(source, allowance, 1)

    def _begun(self, source: Source) -> Allowance:
        with source.open() as stream:
            require_content(stream.read(4096))
        return Allowance(source.size, self._most)

    def _packed(self, source: Source) -> str | None:
        """The suffix of a file that is packed but no archive."""
        name = source.origin.lower()
        if any(name.endswith(suffix) for suffix in (".zip", ".wacz", *_TARS)):
            return None
        return next((suffix for suffix in PACKERS if name.endswith(suffix)), None)

    @contextmanager
    def _content(self, source: Source, pack: str, allowance: Allowance) -> Iterator[Source]:
        """What a packed file holds, under its name without the suffix."""
        name = source.name[: -len(pack)] if source.name and source.name.lower().endswith(pack) else source.name
        with source.open() as packed, closing(unpack(packed, pack, allowance)) as stream:
            reader = self._readers.by_name(source.origin[: -len(pack)])
            if reader is None:
                raise unknown_type()
            with _kept(stream, Source(source.origin[: -len(pack)], id=source.id, name=name), most_bytes(reader)) as inner:
                yield inner

    # -- Members -----------------------------------------------------------------------------------------------------

    def _members(self, source: Source, allowance: Allowance, depth: int) -> Iterator[Item]:
        if depth > _DEEPEST:
            message = f"lies in {_DEEPEST} other archives"
            raise UnreadableDocument(message, category="archive-bomb", hint="unpack the outer ones")
        bombs = 0
        for member in self._listed(source, allowance):
            id = _joined(source, member.path)
            place = Source(f"{source.origin}/{member.path}", name=id)
            reader = self._readers.by_name(PurePosixPath(member.path).name)
            if member.error is None and reader is None:
                self._ignored[source.origin] += 1
                continue
            if getattr(reader, "one_each", False) and self._skip(id):
                continue
            taken = allowance.taken
            try:
                with self._opened(member, place, (allowance, most_bytes(reader))) as inner:
                    if isinstance(reader, Archive) and not self._packed(inner):
                        yield from self._members(inner, allowance, depth + 1)
                    elif isinstance(reader, Archive):
                        yield from self._unpacked(inner, allowance)
                    else:
                        yield from self._readers.items(reader, inner)
            except UnreadableDocument as error:
                yield as_problem(place, error)
                bombs += error.category == "archive-bomb"
                if bombs == _MOST_BOMBS:
                    return
                allowance.taken = taken  # what comes after a bomb is not to suffer from it

    def _unpacked(self, source: Source, allowance: Allowance) -> Iterator[Item]:
        with self._content(source, self._packed(source) or "", allowance) as inner:
            yield from self._readers.items(self._readers.by_name(inner.origin), inner)

    def _member_ids(self, source: Source, allowance: Allowance, depth: int) -> Iterator[str]:
        for member in () if depth > _DEEPEST else self._listed(source, allowance):
            reader = self._readers.by_name(PurePosixPath(member.path).name)
            if member.error is not None or reader is None:
                continue
            id = _joined(source, member.path)
            if getattr(reader, "one_each", False):
                yield id
                continue
            place = Source(f"{source.origin}/{member.path}", name=id)
            with suppress(UnreadableDocument), self._opened(member, place, (allowance, most_bytes(reader))) as inner:
                if isinstance(reader, Archive) and not self._packed(inner):
                    yield from self._member_ids(inner, allowance, depth + 1)
                    continue
                told = expected_ids(reader, inner)
                yield from told if told is not None else (getattr(item, "id", "") for item in self._readers.items(reader, inner))

    @contextmanager
    def _opened(self, member: _Member, place: Source, bounds: tuple[Allowance, int]) -> Iterator[Source]:
        """A member's content for as long as it is read. Raises UnreadableDocument for one that can't be, or must not."""
        if member.error is not None:
            raise member.error
        try:
            opened = member.open()
        except _WRONG as error:
            raise _locked() if "password" in str(error) or "encrypted" in str(error) else damaged() from error
        with (
            closing(cast(BinaryIO, io.BufferedReader(Unpacked(opened, bounds[0]), _CHUNK))) as stream,
            _kept(stream, place, bounds[1]) as inner,
        ):
            yield inner

    def _listed(self, source: Source, allowance: Allowance) -> Iterator[_Member]:
        """The files of an archive in their order, with unsafe and encrypted ones as errors; hidden ones and links left out."""
        suffix = max((each for each in (".zip", ".wacz", *_TARS) if source.origin.lower().endswith(each)), key=len, default=".zip")
        with source.open() as stream:
            found = _in_zip(stream) if suffix in (".zip", ".wacz") else _in_tar(stream, _TARS[suffix], allowance)
            try:
                for number, member in enumerate(found):
                    if number >= _MOST_MEMBERS:
                        message = f"has more than {_MOST_MEMBERS:,} members"
                        raise UnreadableDocument(message, category="archive-bomb", hint="split it")
                    parts = PurePosixPath(member.path).parts
                    if any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts):
                        continue
                    if suffix == ".wacz" and parts[:1] != ("archive",):
                        continue
                    if not _is_safe(member.path):
                        message = "has a path that leads out of its archive"
                        member.error = UnreadableDocument(message, category="unsafe-path", hint="pack it again under a plain name")
                    yield member
            except _WRONG as error:
                raise damaged("is damaged, or of another type than its name says") from error


def _in_zip(stream: BinaryIO) -> Iterator[_Member]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if info.is_dir() or (info.external_attr >> 16) & 0o170000 == _LINK:
                continue
            error = _locked() if info.flag_bits & 1 else None
            if info.file_size > max(HARMLESS, RATIO * info.compress_size):
                message = f"unpacks to {info.file_size:,} bytes, more than {RATIO} times its size"
                error = UnreadableDocument(
                    message, category="archive-bomb", hint="it is a bomb, or no text; unpack it by hand if you trust it"
                )
            yield _Member(info.orig_filename.replace("\\", "/"), partial(archive.open, info), error)


def _in_tar(stream: BinaryIO, pack: str, allowance: Allowance) -> Iterator[_Member]:
    """The members as the stream comes by; each has to be read before the next one."""
    plain = unpack(stream, pack, allowance) if pack else stream
    with closing(plain), tarfile.open(fileobj=plain, mode="r|") as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined] # else it remembers every one
            if info.isreg():
                yield _Member(info.name, partial(archive.extractfile, info))


def _is_safe(path: str) -> bool:
    """Whether a member's path stays in its archive, on any system."""
    pure = PurePosixPath(path)
    absolute = pure.is_absolute() or bool(PureWindowsPath(path).drive)
    return not absolute and ".." not in pure.parts and "\0" not in path and bool(pure.parts)


def _joined(source: Source, path: str) -> str:
    """The id of a member: its path, after that of the archive where this is itself in one."""
    inner = str(PurePosixPath(path))
    return f"{source.name}/{inner}" if source.name and not source.name.startswith(("http://", "https://")) else inner


def _locked() -> UnreadableDocument:
    return UnreadableDocument("is encrypted", category="encrypted", hint="unpack it by hand with its password")


@contextmanager
def _kept(stream: BinaryIO, place: Source, most: int) -> Iterator[Source]:
    """A source with what a stream holds: in memory while it is small, else in a file that goes when it is read.

    Raises UnreadableDocument (``too-long``) past `most` bytes.
    """
    head = stream.read(min(HARMLESS, most + 1))
    if len(head) < HARMLESS and len(head) <= most:
        yield Source(place.origin, head, id=place.id, name=place.name)
        return
    with tempfile.TemporaryDirectory(prefix="kg-read-") as folder:
        path = Path(folder) / "member"
        with path.open("wb") as file:
            file.write(head)
            while file.tell() <= most and (chunk := stream.read(_CHUNK)):
                file.write(chunk)
            if file.tell() > most:
                raise UnreadableDocument(f"has more than {most:,} bytes", category="too-long", hint="split it")
        yield Source(place.origin, id=place.id, name=place.name, path=str(path))


def create(settings: Settings) -> Archive:
    """The reader, as the settings in force want it."""
    return Archive(settings)
