"""What all readers do with content: decode it without a change, refuse what can't be used, and say so in one line."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Sequence
from pathlib import PurePath

from kg.errors import UnreadableDocument
from kg.model import Problem, Source

__all__ = [
    "BOM",
    "Notes",
    "as_problem",
    "decode",
    "document_id",
    "looks_like",
    "require_content",
    "require_id",
    "require_no_binary",
    "require_text",
    "shown",
    "tidy",
    "too_long",
]

BOM = "\ufeff"
"""Byte order mark as it stands in a decoded text. It is kept (the stored text is the decoded file) and counts as metadata."""

_MARKS = (  # the longer marks first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = [  # what news is written in; without the list, short texts are taken for rare code pages
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_2", "iso8859_9", "koi8_r"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
]
_TIE = 0.05  # short western texts fit cp1250 as well as cp1252, the usual one
_NO_TEXT_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
_CONTROL_SHARE = 20  # more than one control character in so many is no text
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SIGNATURES = (
    (b"%PDF-", ".pdf"),
    (b"PK\x03\x04", ".zip"),
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\0", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
    (b"PAR1", ".parquet"),
    (b"WARC/", ".warc"),
)
_PACKAGES = ((b"application/epub+zip", ".epub"), (b"word/", ".docx"), (b"[Content_Types].xml", ".docx"))


class Notes:
    """Warnings of a reader, each told once: a source may be read twice (first for its ids)."""

    def __init__(self) -> None:
        self._log = logging.getLogger("kg.read")
        self._told: set[str] = set()

    def __call__(self, source: Source, message: str) -> None:
        """Tells what was done with a source that could be read all the same."""
        line = f"{shown(source.origin)}: {message}"
        if line not in self._told:
            self._told.add(line)
            self._log.warning("%s", line)


def shown(name: str) -> str:
    """A name that can be printed on one line: what is not printable or no Unicode is escaped."""
    safe = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in safe)


def as_problem(source: Source, error: UnreadableDocument, *, id: str = "", place: str = "") -> Problem:
    """The problem that an error becomes; `place` is a line or item of the source."""
    where = f"{shown(source.origin)}, {place}" if place else shown(source.origin)
    message = " ".join(str(error).split())
    name = id or source.id or source.name or PurePath(source.origin).stem or source.origin
    return Problem("read", shown(name), error.category, f"{where}: {message}")


def document_id(source: Source, suffixes: Sequence[str]) -> str:
    """The id that was asked for, else the stem of the file: its name without the longest of `suffixes`."""
    if source.id is not None:
        return require_id(source.id)
    if source.name is not None:
        return require_id(source.name)
    path = PurePath(source.origin)
    ends = sorted((suffix for suffix in suffixes if path.name.lower().endswith(suffix)), key=len)
    return require_id(path.name[: -len(ends[-1])] if ends else path.stem)


def require_id(id: str) -> str:
    """The id without white space at its ends; UnreadableDocument where it is empty or can't be written."""
    if (id := id.strip()) and shown(id) == id:
        return id
    raise UnreadableDocument(f"{shown(id)!r} can't be the id of a document", category="bad-id", hint="rename it, or use --id ID")


def decode(content: bytes, source: Source, note: Notes, *, declared: str | None = None) -> str:
    """The text of some bytes: by byte order mark, as UTF-8, as they declare, else as charset-normalizer finds (noted).

    Raises UnreadableDocument (``binary``, ``encoding``).
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded_by_mark(content, encoding)
    try:
        return require_no_binary(content.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    if b"\0" in content:
        raise _binary()
    if declared and declared not in _NO_TEXT_ENCODINGS:
        try:
            return require_no_binary(content.decode(declared))
        except (LookupError, UnicodeDecodeError):
            pass  # what a page declares is often wrong
    return _guessed(content, source, note)


def _decoded_by_mark(content: bytes, encoding: str) -> str:
    try:
        return require_no_binary(content.decode(encoding))
    except UnicodeDecodeError as error:
        message = f"begins like {encoding[:6].upper()} but is not ({error.reason} at byte {error.start})"
        raise UnreadableDocument(message, category="encoding", hint="save it as UTF-8") from error


def _guessed(content: bytes, source: Source, note: Notes) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(content, cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        raise _binary()
    usual = next((match for match in matches if match.encoding == "cp1252"), best)
    if best.encoding == "cp1250" and usual.chaos <= best.chaos and usual.coherence >= best.coherence - _TIE:
        best = usual
    try:
        text = content.decode(best.encoding)
    except UnicodeDecodeError as error:
        raise _binary() from error
    note(source, f"is not UTF-8: read as {best.encoding} (save it as UTF-8 if characters look wrong)")
    return require_no_binary(text)


def require_no_binary(text: str) -> str:
    """The text itself; UnreadableDocument (``binary``) where it holds NUL or many other control characters."""
    controls = sum(text.count(chr(code)) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    if "\0" in text or controls * _CONTROL_SHARE > len(text):
        raise _binary()
    return text


def _binary() -> UnreadableDocument:
    return UnreadableDocument("is binary, not text", category="binary", hint="convert it to UTF-8 text, HTML or JSON Lines")


def require_text(text: str, limit: int, *, start: int = 0) -> None:
    """Raises UnreadableDocument where nothing is said from `start` on (``empty``) or the text is too long (``too-long``)."""
    if len(text) > limit:
        raise too_long(f"{len(text):,} characters", limit)
    if not text[start:].strip(f"{BOM} \t\r\n") or text[start:].isspace():
        raise UnreadableDocument("has no text", category="empty", hint="leave it out, or put its text in")


def require_content(head: bytes) -> None:
    """Raises UnreadableDocument (``empty``) where the beginning of a source, up to 4 KiB, says nothing."""
    if not head.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").strip():
        raise UnreadableDocument("has no text", category="empty", hint="leave it out, or put its text in")


def looks_like(head: bytes) -> str | None:
    """The suffix of the type that some first bytes are surely of, told by their signature; None for plain text and unknown types."""
    found = next((suffix for signature, suffix in _SIGNATURES if head.startswith(signature)), None)
    if found == ".zip":
        found = next((suffix for mark, suffix in _PACKAGES if mark in head[:512]), found)
    if found is None and head[257:262] == b"ustar":
        return ".tar"
    return found


def tidy(text: str) -> str:
    """Text taken out of a format that is no text: LF line ends, no control characters or lone halves, no trailing white space."""
    whole = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))
    lines = (line.rstrip() for line in whole.encode("utf-8", "ignore").decode().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def too_long(size: str, limit: int) -> UnreadableDocument:
    """The error for a text beyond the setting `document_characters`."""
    message = f"is too long: {size}, and the setting document_characters allows {limit:,}"
    return UnreadableDocument(message, category="too-long", hint="split it, or raise KG_DOCUMENT_CHARACTERS")
