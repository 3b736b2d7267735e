"""Files in object storage and on other servers, by fsspec: ``s3://``, ``gs://``, ``ftp://`` …"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import fsspec

from kg.errors import InputError, NotFound, UnreadableDocument, UsageError
from kg.shards import is_of_storage

__all__ = ["RemoteFiles", "is_remote", "local_path"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


def is_remote(path: str) -> bool:
    """Whether a path is the URL of a file or folder of another file system; web addresses and ``file://`` are none."""
    return _SCHEME.match(path) is not None and not path.lower().startswith(("http://", "https://", "file://"))


def local_path(path: str) -> str:
    """The path that a ``file://`` URL means; any other path as it is."""
    return unquote(urlsplit(path).path) if path.lower().startswith("file://") else path


class RemoteFiles:
    """Files of other file systems; one at a time is copied to this machine, and taken away when the next one is."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def find(self, url: str) -> list[tuple[str, bool]]:
        """URLs of what a file, a folder (with all below it, hidden ones left out) or a pattern is, sorted; and whether it was named itself.

        Raises NotFound where there is nothing, UsageError for a file system that is not known, InputError for one that fails.
        """
        try:
            system, path = fsspec.url_to_fs(url)
            if _MAGIC.search(path):
                found = [(each, True) for each in sorted(system.glob(path)) if system.isfile(each)]
            elif system.isfile(path):
                found = [(path, True)]
            else:
                below = sorted(system.find(path))
                found = [(each, False) for each in below if not _is_hidden(each, path)]
        except (ImportError, ValueError) as error:
            raise UsageError(f"{url} can't be read: {error}", hint="install what fsspec asks for, or copy the files here") from error
        except FileNotFoundError:
            found = []
        except Exception as error:
            if is_of_storage(error):
                raise InputError(f"{url} can't be listed: {error}", hint="check its address and your rights") from error
            raise
        if not found:
            raise NotFound(f"there is no file or folder {url!r}", hint="check the address")
        return [(str(system.unstrip_protocol(each)), named) for each, named in found]

    def fetch(self, url: str) -> Path:
        """A copy of a file, which stays until the next call. Raises UnreadableDocument."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kg-remote-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        for former in self._folder.iterdir():
            former.unlink()
        target = self._folder / (PurePosixPath(url).name or "file")
        try:
            system, path = fsspec.url_to_fs(url)
            system.get_file(path, str(target))
        except Exception as error:
            if is_of_storage(error):
                hint = "check its address and your rights"
                raise UnreadableDocument(f"can't be fetched: {error}", category="unreadable", hint=hint) from error
            raise
        return target


def _is_hidden(path: str, folder: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path.removeprefix(folder)).parts)
