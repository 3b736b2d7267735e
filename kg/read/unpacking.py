"""Unpacks with bounds: how much a packed file may become, in bytes and against its own size, counted while it is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from kg.errors import UnreadableDocument

__all__ = ["DAMAGE", "PACKERS", "Allowance", "Unpacked", "bounded_lines", "damaged", "open_package", "unpack"]

RATIO = 200
"""A file that unpacks to more than so many times its size is taken for a bomb: news as HTML or JSON packs to a fifth, a table to a 50th."""

HARMLESS = 2**24
"""Bytes that anything may unpack to."""

DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile)
"""What the libraries raise on broken packed content, besides OSError."""

_CHUNK = 2**16
_ZSTD_WINDOW = 27  # of 128 MiB, as two's logarithm: what a frame may keep in memory


class Allowance:
    """How much one file on disk may unpack to, whatever is packed in it; shared by all that is nested in it."""

    def __init__(self, packed: int, most: int) -> None:
        self._packed = packed
        self._most = most
        self.taken = 0

    def take(self, count: int) -> None:
        """Counts unpacked bytes; raises UnreadableDocument (``archive-bomb``) past the bounds."""
        self.taken += count
        if self.taken > self._most:
            message = f"unpacks to more than the {self._most:,} bytes that the setting archive_bytes allows"
            raise UnreadableDocument(message, category="archive-bomb", hint="split it, or raise KG_ARCHIVE_BYTES")
        if self.taken > HARMLESS and self.taken > RATIO * self._packed:
            message = f"unpacks to more than {RATIO} times its size"
            raise UnreadableDocument(message, category="archive-bomb", hint="it is a bomb, or no text; unpack it by hand if you trust it")


class Unpacked(io.RawIOBase):
    """A stream that counts what comes out against an allowance, and whose damage is an UnreadableDocument."""

    def __init__(self, stream: Any, allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads on; raises UnreadableDocument (``archive-bomb``, ``damaged``)."""
        try:
            data = self._stream.read1(min(len(buffer), _CHUNK))  # not more at once, so that what stands before damage comes out
        except (*DAMAGE, OSError) as error:
            raise damaged() from error
        except _zstd_errors() as error:
            raise damaged() from error
        self._allowance.take(len(data))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Closes what lies below too."""
        self._stream.close()
        super().close()


def damaged(what: str = "is damaged: it can't be unpacked") -> UnreadableDocument:
    """The error for packed content that breaks off or makes no sense."""
    return UnreadableDocument(what, category="damaged", hint="fetch or pack it again")


def _open_zstd(stream: BinaryIO) -> Any:
    zstd = _zstd()
    return zstd.ZstdFile(stream, options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW})


def _zstd() -> Any:
    """The module of the standard library, or its backport before Python 3.14."""
    from importlib import import_module

    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _zstd_errors() -> tuple[type[Exception], ...]:
    return (_zstd().ZstdError,)


PACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream, mode="rb"),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _open_zstd,
}
"""How a stream packed under each suffix is opened."""


def unpack(stream: BinaryIO, suffix: str, allowance: Allowance) -> BinaryIO:
    """The content of a stream that is packed as its suffix says."""
    return cast(BinaryIO, io.BufferedReader(Unpacked(PACKERS[suffix](stream), allowance), _CHUNK))


def open_package(stream: BinaryIO, size: int, most: int) -> zipfile.ZipFile:
    """A document that is a ZIP file (DOCX, EPUB). Raises UnreadableDocument (``damaged``, ``encrypted``, ``archive-bomb``).

    What its directory claims is what can be read of it: zipfile stops there, whatever is packed.
    """
    try:
        package = zipfile.ZipFile(stream)
    except (*DAMAGE, OSError, ValueError, NotImplementedError, LookupError) as error:
        raise damaged("is damaged, or of another type than its name says") from error
    allowance = Allowance(size, most)
    for info in package.infolist():
        allowance.take(info.file_size)
        if info.flag_bits & 1:
            raise UnreadableDocument("is encrypted", category="encrypted", hint="save it without a password")
    return package


def bounded_lines(stream: BinaryIO, most: int) -> Iterator[tuple[int, bytes | int]]:
    """The lines of a stream with their numbers from 1; of a line longer than `most` bytes only the length, so that memory stays flat."""
    number = 0
    while line := stream.readline(most + 1):
        number += 1
        if len(line) <= most or line.endswith(b"\n"):
            yield number, line
            continue
        length = len(line)
        while rest := stream.readline(_CHUNK):
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        yield number, length
