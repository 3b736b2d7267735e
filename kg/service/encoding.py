"""How answers travel: from memory or from a file, plain or compressed as the client takes it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import Any

import zstandard
from flask import Response, request
from werkzeug.http import parse_accept_header

__all__ = ["LEAST", "coding_of", "compress", "compressed", "stream_of"]

LEAST = 1024
"""Fewest bytes that are worth compressing."""

_PART = 64 * 1024
_GZIP_LEVEL, _ZSTD_LEVEL = 4, 3
_DENSE = ("image/", "application/zip", "application/gzip", "application/zstd", "application/vnd.apache.parquet")


def stream_of(spool: SpooledTemporaryFile[bytes], most: int) -> Response:
    """A response of what is in a file: held in memory up to `most` bytes, else read while it is sent. It closes the file."""
    size = spool.tell()
    spool.seek(0)
    if size <= most:
        with spool:
            return Response(spool.read())
    response = Response(_parts(spool), direct_passthrough=True)
    response.content_length = size
    response.call_on_close(spool.close)
    return response


def _parts(spool: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with spool:
        while part := spool.read(_PART):
            yield part


def compress(response: Response) -> None:
    """Compresses a response by zstd or gzip where the client takes that and it is worth the time."""
    accept = request.environ.get("HTTP_ACCEPT_ENCODING")
    if not accept or response.status_code != 200 or "Content-Encoding" in response.headers:
        return
    coding = coding_of(accept)
    if not coding or (response.mimetype or "").startswith(_DENSE) or (response.content_length or LEAST) < LEAST:
        return
    if response.is_sequence and not response.direct_passthrough:
        content = response.get_data()
        if len(content) < LEAST:
            return
        response.set_data(_WHOLE[coding](content))
    else:
        if close := getattr(response.response, "close", None):  # of a file: the response closes only what it iterates itself
            response.call_on_close(close)
        response.response = _PARTS[coding](response.response)  # type: ignore[arg-type]  # parts of text are no case here
        response.direct_passthrough = False
        response.headers.pop("Content-Length", None)
    response.headers["Content-Encoding"] = coding
    etag = response.headers.get("ETag", "W/")
    if not etag.startswith("W/"):
        response.headers["ETag"] = f"W/{etag}"


@lru_cache(maxsize=256)
def coding_of(accept: str) -> str:
    """The coding that a client takes, zstd rather than gzip where it likes both alike; empty for none."""
    wanted = parse_accept_header(accept)
    coding = str(wanted.best_match(("zstd", "gzip")) or "")
    prefers_plain = "identity" in accept and wanted.quality("identity") > wanted.quality(coding)
    return "" if prefers_plain else coding


def compressed(content: bytes, coding: str) -> bytes:
    """The content in a coding that `coding_of` gave."""
    return _WHOLE[coding](content)


def _gzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    machine = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for part in parts:
        yield machine.compress(part)
    yield machine.flush()


def _zstandardised(parts: Iterable[bytes]) -> Iterator[bytes]:
    machine: Any = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    for part in parts:
        yield machine.compress(part)
    yield machine.flush()


_WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, _GZIP_LEVEL, mtime=0),
    "zstd": lambda content: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content),
}
_PARTS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"gzip": _gzipped, "zstd": _zstandardised}
