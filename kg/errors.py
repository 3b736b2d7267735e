"""One tree of errors. Each says what to do next and carries the exit code of the command line.

KgError                     1
├── UsageError              2  arguments that can't be used
│   ├── NotFound            2  no such document, entity, query, plug-in, file; near names are suggested
│   └── InvalidSetting      2  a setting's value can't be read
├── InputError              2  input that can't be used
│   ├── UnreadableDocument  1  one document can't be read (becomes a Problem of the build)
│   ├── QuerySyntaxError    2  SPARQL that doesn't parse, with line and column
│   ├── OntologyError       2  an ontology, shapes or query file that doesn't parse
│   └── ModelError          2  an extraction model that is damaged or of another version
├── StoreError              3  the store can't do it
│   ├── StoreVersionError   2  made by another version
│   ├── StoreLocked         2  another process writes to it
│   ├── StoreMissing        2  there is none at this place
│   ├── StoreFull           3  no space left on the disk
│   └── ServerError         3  the SPARQL server that holds the graph can't be reached, or fails
│       └── ServerRefused   2  it wants other credentials
├── ChatError               1  a language model's server that can't be reached, or refuses
├── RejectedByShapes        1  RDF that breaks a shape at severity Violation
└── QueryTimeout            1  a query ran past its time limit
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ChatError",
    "InputError",
    "InvalidSetting",
    "KgError",
    "ModelError",
    "NotFound",
    "OntologyError",
    "QuerySyntaxError",
    "QueryTimeout",
    "RejectedByShapes",
    "ServerError",
    "ServerRefused",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreMissing",
    "StoreVersionError",
    "UnreadableDocument",
    "UsageError",
]


class KgError(Exception):
    """Root of the tree: `message` says what is wrong, `hint` what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(KgError):
    """Arguments that can't be used."""

    exit_code = 2


class NotFound(UsageError):
    """Nothing has this name; names that are near are suggested."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> NotFound:
        """An error that names up to three near ones of `known`."""
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(names[:12]) or 'none'}"
        return cls(f"no {kind} {name!r}", hint=hint)


class InvalidSetting(UsageError):
    """A setting's value can't be read."""


class InputError(KgError):
    """Input that can't be used."""

    exit_code = 2


class UnreadableDocument(InputError):
    """One document can't be read; `category` is a short stable word for reports."""

    exit_code = 1

    def __init__(self, message: str, *, category: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.category = category


class QuerySyntaxError(InputError):
    """SPARQL that doesn't parse; line and column count from 1, None where the engine doesn't tell."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column


class OntologyError(InputError):
    """An ontology, shapes or query file that doesn't parse."""


class ModelError(InputError):
    """An extraction model that is missing, damaged, of another version or of another ontology."""


class StoreError(KgError):
    """The store can't do what was asked."""

    exit_code = 3


class StoreVersionError(StoreError):
    """The store was made by another version of the format."""

    exit_code = 2


class StoreLocked(StoreError):
    """Another process writes to the store."""

    exit_code = 2


class StoreMissing(StoreError):
    """There is no store at this place."""

    exit_code = 2


class StoreFull(StoreError):
    """No space is left where the store lies; what was written before is whole."""


class ServerError(StoreError):
    """The SPARQL server that holds the graph can't be reached, or fails; what the ledger holds is whole."""


class ServerRefused(ServerError):
    """The SPARQL server wants other credentials."""

    exit_code = 2


class ChatError(KgError):
    """A language model's server that can't be reached, or that refuses; no secret stands in the message."""


class RejectedByShapes(KgError):
    """RDF that breaks a shape at severity Violation."""


class QueryTimeout(KgError):
    """A query ran past its time limit."""
