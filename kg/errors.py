"""One tree of errors. Each says what to do next and carries the exit code of the command line.

KgError                     1
├── UsageError              2  arguments that can't be used
│   ├── QueryRefused        2  a query that reaches outside the store: SERVICE, LOAD
│   ├── NotFound            2  no such document, entity, query, plug-in, file; near names are suggested
│   └── InvalidSetting      2  a setting's value can't be read
├── InputError              2  input that can't be used
│   ├── UnreadableDocument  1  one document can't be read (becomes a Problem of the build)
│   ├── QuerySyntaxError    2  SPARQL that doesn't parse, with line and column
│   │   └── QueryTooDeep    2  SPARQL that is nested or chained too deep for the engine
│   ├── QueryTooLong        2  SPARQL of more characters than are read
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
├── ServiceUnavailable      1  an online service (Wikidata, reconciliation) that can't be reached, or refuses
├── LoadFailed              1  a document that LOAD names can't be fetched
├── RejectedByShapes        1  RDF that breaks a shape at severity Violation
├── ResultTooLarge          2  a query's answer has more rows or bytes than one answer may have
├── ServiceFailed           1  another SPARQL service that a query asks does not answer, or wrongly
└── QueryTimeout            1  a query ran past its time limit
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.model import Violation

__all__ = [
    "ChatError",
    "InputError",
    "InvalidSetting",
    "KgError",
    "LoadFailed",
    "ModelError",
    "NotFound",
    "OntologyError",
    "QueryRefused",
    "QuerySyntaxError",
    "QueryTimeout",
    "QueryTooDeep",
    "QueryTooLong",
    "RejectedByShapes",
    "ResultTooLarge",
    "ServerError",
    "ServerRefused",
    "ServiceFailed",
    "ServiceUnavailable",
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


class QueryRefused(UsageError):
    """A query that reaches outside the store: LOAD, or SERVICE to where the setting `services` doesn't let it."""


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


class QueryTooDeep(QuerySyntaxError):
    """SPARQL whose brackets or chains go deeper than the engine survives; line and column say where."""


class QueryTooLong(InputError):
    """SPARQL of more characters than are read."""


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


class ServiceUnavailable(KgError):
    """An online service that can't be reached, refuses, or answers what can't be read; never the same as one that found nothing.

    `status` is the HTTP status of a refusal, else None.
    """

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class LoadFailed(KgError):
    """A document that LOAD names, on a host that is let through, can't be fetched."""


class RejectedByShapes(KgError):
    """RDF that breaks a shape at severity Violation; `violations` say which and where."""

    def __init__(self, message: str, *, hint: str = "", violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.violations = violations


class ResultTooLarge(KgError):
    """A query's answer has more rows or bytes than one answer may have; nothing of it is given, for a part would look whole."""

    exit_code = 2


class ServiceFailed(KgError):
    """Another SPARQL service that a query asks (SERVICE) can't be reached, or answers what can't be understood."""


class QueryTimeout(KgError):
    """A query ran past its time limit."""
