"""Reader of e-mail: one message (.eml), or many in one file (.mbox), each a document."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import PurePath
from typing import BinaryIO

from kg.errors import UnreadableDocument
from kg.model import BODY, Document, Problem, Source, Text
from kg.read.content import Notes, as_problem, decode, document_id, require_content, require_id, require_text, tidy, too_long
from kg.read.markup import text_of_html
from kg.read.metadata import Stated, language_tag, one_line, web_address
from kg.read.unpacking import bounded_lines
from kg.settings import Settings

__all__ = ["Mail", "create"]

_BEGINS = re.compile(rb"From \S+.* [0-9]{4}\r?\n?$|From \r?\n?$|From - ")
_QUOTED = re.compile(rb">+From ")
_HEADER = re.compile(rb"\A(?:[\x21-\x39\x3b-\x7e]+:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*)+", re.MULTILINE)
_MARKUP = 16
_WRONG = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)


class Mail:
    """The text of each message: its plain part, else its HTML part. Attachments are noted and left out."""

    suffixes = (".eml", ".mbox")
    media_types = ("message/rfc822", "application/mbox")
    one_each = False
    streams = True

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._note = Notes()

    def __call__(self, source: Source) -> Iterator[Document | Problem]:
        """Yields a document for each message, and a Problem for each that can't be read; raises UnreadableDocument."""
        with source.open() as stream:
            head = stream.read(4096)
            require_content(head)
            stream.seek(0)
            if not self._many(source, head):
                yield self._document(self._one(stream), document_id(source, self.suffixes), source)
                return
            if source.id is not None:
                raise UnreadableDocument("holds many documents, and --id names one", category="duplicate-id", hint="leave --id out")
            yield from self._messages(stream, source)

    def ids(self, source: Source) -> Iterator[str]:
        """The ids of the messages, by their headers alone."""
        with source.open() as stream:
            many = self._many(source, stream.read(4096))
            stem = document_id(source, self.suffixes)
            stream.seek(0)
            if not many:
                yield stem
                return
            for number, content in enumerate(_split(stream, _MARKUP * self._limit), start=1):
                yield _id(_headers(content), f"{stem}:{number}") if isinstance(content, bytes) else ""

    def _many(self, source: Source, head: bytes) -> bool:
        named = PurePath(source.origin).suffix.lower() == ".mbox" or source.media_type == "application/mbox"
        return named or _BEGINS.match(head.split(b"\n", 1)[0] + b"\n") is not None

    def _one(self, stream: BinaryIO) -> bytes:
        content = stream.read(_MARKUP * self._limit + 1)
        if len(content) > _MARKUP * self._limit:
            raise too_long(f"more than {_MARKUP * self._limit:,} bytes", self._limit)
        return content

    def _messages(self, stream: BinaryIO, source: Source) -> Iterator[Document | Problem]:
        stem = document_id(source, self.suffixes)
        number = 0
        for number, content in enumerate(_split(stream, _MARKUP * self._limit), start=1):
            id = f"{stem}:{number}"
            try:
                if isinstance(content, UnreadableDocument):
                    raise content
                id = _id(_headers(content), id)
                yield self._document(content, id, source)
            except UnreadableDocument as error:
                yield as_problem(source, error, id=id, place=f"message {number}")
        if not number:
            raise UnreadableDocument("holds no messages", category="damaged", hint="each begins with a line `From ADDRESS DATE`")

    def _document(self, content: bytes, id: str, source: Source) -> Document:
        if not _HEADER.match(content):
            raise UnreadableDocument("is no message: it has no headers", category="damaged", hint="check its name")
        try:
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            text, stated = self._text(message, source), _stated(message)
        except _WRONG as error:
            raise UnreadableDocument("is damaged: it can't be parsed", category="damaged", hint="save it again") from error
        require_text(text, self._limit)
        return Document(require_id(id), (Text(BODY, text),), **stated)

    def _text(self, message: EmailMessage, source: Source) -> str:
        if message.get_content_maintype() == "multipart" and message.get_content_subtype() == "encrypted":
            raise UnreadableDocument("is encrypted", category="encrypted", hint="save it decrypted")
        if next(message.iter_attachments(), None) is not None:
            self._note(source, "its attachments are left out (save those that are documents)")
        part = message.get_body(("plain", "html"))
        payload = part.get_payload(decode=True) if part is not None else None
        if part is None or not isinstance(payload, bytes):
            return ""
        text = decode(payload, source, self._note, declared=part.get_content_charset())
        return text_of_html(text) if part.get_content_subtype() == "html" else tidy(text)


def _split(stream: BinaryIO, most: int) -> Iterator[bytes | UnreadableDocument]:
    """The messages of a file in mbox format (RFC 4155), one at a time; of one that is too long only the error."""
    lines: list[bytes] = []
    size, begun, blank = 0, False, True
    for _, line in bounded_lines(stream, most):
        if isinstance(line, bytes) and blank and _BEGINS.match(line):
            if begun:
                yield _whole(lines, size, most)
            lines, size, begun = [], 0, True
        elif begun:
            size += len(line) if isinstance(line, bytes) else line
            if size <= most and isinstance(line, bytes):
                lines.append(line[1:] if _QUOTED.match(line) else line)
            else:
                lines.clear()
        blank = isinstance(line, bytes) and not line.strip()
    if begun:
        yield _whole(lines, size, most)


def _whole(lines: list[bytes], size: int, most: int) -> bytes | UnreadableDocument:
    return b"".join(lines) if size <= most else too_long(f"{size:,} bytes", most)


def _headers(content: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]


def _id(headers: bytes, default: str) -> str:
    """The Message-ID without its brackets, where there is one that can be written."""
    match = re.search(rb"^message-id:\s*<?([\x21-\x3b\x3d\x3f-\x7e]+)>?", headers, re.IGNORECASE | re.MULTILINE)
    return match[1].decode("ascii") if match else default


def _stated(message: EmailMessage) -> Stated:
    senders = getaddresses([str(value) for value in message.get_all("from", [])])
    try:
        dated = parsedate_to_datetime(str(message["date"])).date().isoformat() if message["date"] else None
    except (ValueError, TypeError, IndexError, OverflowError):
        dated = None
    return Stated(
        published=dated,
        title=_line(message["subject"]),
        author=_line([name or address for name, address in senders]),
        publisher=_line(message["organization"]),
        url=web_address(str(message["archived-at"] or "").strip("<> ")),
        language=language_tag(str(message["content-language"] or "").split(",")[0]),
    )


def _line(value: object) -> str | None:
    text = [str(part) for part in value] if isinstance(value, list) else str(value or "")
    line = one_line(text)
    return line.encode("utf-8", "ignore").decode() if line else None


def create(settings: Settings) -> Mail:
    """The reader, as the settings in force want it."""
    return Mail(settings.document_characters)
