"""Files that workers pass on to each other, in a folder or in object storage, by fsspec.

A file is there whole or not at all, and its name says what it was made from: who finds it need not make it again, and making it twice
does no harm.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from kg.errors import InvalidSetting, KgError

__all__ = ["Shards", "is_of_storage", "packed"]

_CHUNK = 1 << 20


class Shards:
    """One folder of such files. Raises InvalidSetting for a URL that can't be used, KgError where storage fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidSetting(f"{url} can't be used: {error}", hint="install what fsspec asks for, or name a folder") from error
        self._root = self._root.rstrip("/")

    @property
    def is_private(self) -> bool:
        """Whether only this process can see it."""
        return "memory" in (self._files.protocol if isinstance(self._files.protocol, tuple) else (self._files.protocol,))

    def write(self, name: str, content: bytes) -> None:
        """Makes a file, or puts it in place of another of its name: at once."""
        path = f"{self._root}/{name}"
        with self._mapped():
            if not isinstance(self._files, LocalFileSystem):
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._files.pipe_file(path, content)
                return
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)

    def write_json(self, name: str, value: Any) -> None:
        """Makes a file of plain data."""
        self.write(name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def read_json(self, name: str) -> Any:
        """What `write_json` wrote, or None where there is no such file."""
        with self._mapped():
            try:
                return json.loads(self._files.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError:
                return None

    def open(self, name: str) -> BinaryIO:
        """A file for reading, from its beginning."""
        with self._mapped():
            return cast("BinaryIO", self._files.open(f"{self._root}/{name}", "rb", block_size=_CHUNK))

    def part(self, name: str, start: int, end: int) -> bytes:
        """Some bytes of a file."""
        with self._mapped():
            return cast("bytes", self._files.cat_file(f"{self._root}/{name}", start=start, end=end))

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        with self._mapped():
            if self._files.exists(self._root):
                self._files.rm(self._root, recursive=True)

    # -- rows, packed --------------------------------------------------------------------------------------------

    def write_rows(self, name: str, groups: Mapping[str, Iterable[Sequence[Any]]]) -> dict[str, tuple[int, int]]:
        """Writes rows of plain data, a stretch of the file for each group; gives where each begins and ends."""
        content, places = io.BytesIO(), {}
        for group, rows in sorted(groups.items()):
            start = content.tell()
            lines = "".join(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows)
            content.write(packed(lines))
            places[group] = (start, content.tell())
        self.write(name, content.getvalue())
        return places

    def rows(self, name: str, place: Sequence[int]) -> list[list[Any]]:
        """The rows of one group."""
        return [json.loads(line) for line in gzip.decompress(self.part(name, *place)).splitlines()]

    def stream_rows(self, name: str) -> Iterator[list[Any]]:
        """All rows of a file, one after the other, few at a time in memory."""
        with self.open(name) as file, gzip.open(file, "rb") as lines:
            for line in lines:
                yield json.loads(line)

    def joined(self, names: Iterable[str]) -> BinaryIO:
        """The unpacked content of several packed files, one after the other, as one stream."""
        return io.BufferedReader(_Joined(self, iter(names)), _CHUNK)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise KgError(f"{self.url}: {error} is gone", hint="run the same command again") from error
        except Exception as error:
            if is_of_storage(error):
                raise KgError(f"{self.url}: {error}", hint="check space, rights and the address, and run the same command again") from error
            raise


def is_of_storage(error: Exception) -> bool:
    """Whether an error tells of storage: file systems raise OSError, the clients of some of them classes of their own."""
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] not in ("builtins", "fsspec", "kg", "json")


def packed(text: str) -> bytes:
    """Text as gzip: the same bytes for the same text."""
    return gzip.compress(text.encode(), 1, mtime=0)


class _Joined(io.RawIOBase):
    """Several packed files as one stream."""

    def __init__(self, shards: Shards, names: Iterator[str]) -> None:
        self._shards, self._names = shards, names
        self._file: BinaryIO | None = None
        self._stream: gzip.GzipFile | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer as far as the file at hand goes; 0 after the last one."""
        while True:
            if self._stream is None:
                name = next(self._names, None)
                if name is None:
                    return 0
                self._file = self._shards.open(name)
                self._stream = gzip.GzipFile(fileobj=self._file, mode="rb")
            if content := self._stream.read(len(buffer)):
                buffer[: len(content)] = content
                return len(content)
            self.close_file()

    def close_file(self) -> None:
        """Closes the file at hand."""
        if self._stream is not None and self._file is not None:
            self._stream.close()
            self._file.close()
        self._stream = self._file = None

    def close(self) -> None:
        self.close_file()
        super().close()
