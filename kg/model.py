"""The nouns that flow from stage to stage: frozen, typed, standard library only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

__all__ = [
    "BODY",
    "BuildReport",
    "Claim",
    "Correction",
    "Document",
    "Entity",
    "Evidence",
    "Extraction",
    "Fact",
    "Link",
    "Literal",
    "Mention",
    "Name",
    "Problem",
    "Profile",
    "Resolution",
    "Source",
    "Span",
    "Statement",
    "Testimony",
    "Text",
    "Violation",
    "content_hash",
    "fact_id",
]

BODY = "body"
"""Name of the text of a document that people read; structured data of a page is another text."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a text: ``text[start:end]``, counted in Unicode code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, not {self.start}..{self.end}")


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes to be read, with where they came from and the id their document shall have (None: as the reader finds).

    `name` is what its documents are called where no id was asked for: an address, or the path in an archive (None: the stem of
    the file). The bytes are `content`, or, for readers that stream, what lies in the file `path`.
    """

    origin: str
    content: bytes = b""
    id: str | None = None
    media_type: str | None = None
    name: str | None = None
    path: str | None = None

    def open(self) -> BinaryIO:
        """The bytes as a stream from their beginning, which can be read at any place; OSError where the file can't be opened."""
        return Path(self.path).open("rb") if self.path is not None else BytesIO(self.content)

    @property
    def size(self) -> int:
        """How many bytes there are; OSError where the file is gone."""
        return Path(self.path).stat().st_size if self.path is not None else len(self.content)


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a document, kept unaltered; `metadata_end` is where leading metadata (a date line) stops.

    Extractors read from `metadata_end` on; spans count from the text's beginning all the same.
    """

    name: str
    content: str
    metadata_end: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader made of one source: texts, and the metadata that the source itself states.

    `published` is ISO 8601 in the precision that the source has, or None: never a file's time or today's.
    """

    id: str
    texts: tuple[Text, ...]
    published: str | None = None
    title: str | None = None
    author: str | None = None
    publisher: str | None = None
    url: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        if not self.id or self.id != self.id.strip():
            raise ValueError(f"a document id is text without white space at its ends, not {self.id!r}")
        if len({text.name for text in self.texts}) != len(self.texts) or not self.texts:
            raise ValueError(f"the texts of {self.id} need different names, and there must be one")

    @property
    def body(self) -> Text:
        """The text that people read: the one called ``body``, else the first."""
        return next((text for text in self.texts if text.name == BODY), self.texts[0])

    def text(self, name: str) -> Text:
        """The text of this name; KeyError where there is none."""
        for text in self.texts:
            if text.name == name:
                return text
        raise KeyError(name)

    def evidence(self, span: Span, *, extractor: str, version: str, confidence: float, text: str = BODY) -> Evidence:
        """The only way to make evidence: the quote *is* the text at the span. ValueError outside the text."""
        quote = self.text(text).content[span.start : span.end]
        if len(quote) != span.end - span.start:
            raise ValueError(f"{span} reaches beyond the {text} of {self.id}")
        return Evidence(self.id, text, span, quote, extractor, version, round(confidence, 2))

    @property
    def digest(self) -> str:
        """SHA-256 of texts and metadata: two documents with the same digest say the same."""
        content = [
            self.id,
            [[text.name, text.content, text.metadata_end] for text in self.texts],
            [self.published, self.title, self.author, self.publisher, self.url, self.language],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """Where a document says something: the exact quote, and who read it there with what confidence (0 to 1)."""

    document_id: str
    text: str
    span: Span
    quote: str
    extractor: str
    version: str
    confidence: float

    def __post_init__(self) -> None:
        if len(self.quote) != self.span.end - self.span.start:
            raise ValueError("a quote is as long as its span")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"a confidence lies between 0 and 1, not at {self.confidence}")


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """What a document calls a thing: the type (a class of the ontology) and the fullest form that is known."""

    type: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Literal:
    """A value that is no entity; `datatype` is ``string``, ``gYear``, ``gYearMonth`` or ``date`` (XML Schema)."""

    value: str
    datatype: str = "string"


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A stretch of a text that stands for something; `kind` is ``name``, ``nominal`` ("the brand") or ``pronoun``."""

    text: str
    span: Span
    surface: str
    referent: Name
    kind: str = "name"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one document says of something it names. Cannot be made without evidence."""

    subject: Name
    predicate: str
    object: Name | Literal
    evidence: tuple[Evidence, ...]
    qualifiers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"a claim needs evidence: {self.subject} {self.predicate} {self.object}")
        if len({evidence.document_id for evidence in self.evidence}) != 1:
            raise ValueError("a claim is of one document")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that kept (part of) a document out of the graph: which stage, which document, what to do."""

    stage: str
    document_id: str
    category: str
    message: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one extractor, or several joined, found in one document."""

    document_id: str
    mentions: tuple[Mention, ...] = ()
    claims: tuple[Claim, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A Wikidata identifier for an entity, with the score (0 to 1) and what found it; `features` made the score."""

    qid: str
    label: str
    score: float
    method: str
    index: str
    description: str = ""
    features: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing as one document knows it: `id` is the key that equal things share (``person/kim-kardashian``).

    `link` is the Wikidata item that is sure; where none is, `candidates` are those worth a look, best first.
    """

    id: str
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    link: Link | None = None
    candidates: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim between entities: what one document says, in terms that other documents share."""

    document_id: str
    subject: str
    predicate: str
    object: str | Literal
    evidence: tuple[Evidence, ...]
    qualifiers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError("a statement needs evidence")

    @property
    def fact(self) -> str:
        """Id of the fact that is stated."""
        return fact_id(self.subject, self.predicate, self.object)

    @property
    def confidence(self) -> float:
        """That of the surest evidence."""
        return max(evidence.confidence for evidence in self.evidence)


class Testimony(NamedTuple):
    """What fusion needs of a statement of another document: all but the sentences."""

    document_id: str
    subject: str
    predicate: str
    object: str | Literal
    qualifiers: tuple[tuple[str, str], ...]
    fact: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Resolution:
    """One document's entities and statements: a pure function of the document, the model and the index."""

    document_id: str
    entities: tuple[Entity, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A decision, with who and when (ISO 8601).

    By hand: ``reject`` a fact, ``merge`` two entities, ``split`` one; ``link`` an entity to a Wikidata item (identifier and label),
    ``unlink`` it from one, or say by ``no-link`` that Wikidata has none for it. By an online service, on the day of its answer:
    ``found``, the item of an entity, or ``candidate``, one in doubt
    (entity, identifier, label, score, how the name was found, description, features).
    """

    kind: str
    arguments: tuple[str, ...]
    agent: str
    date: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the fused graph with documents' statements of it; `conflicts` are ids of rival facts.

    `documents` and `sources` count all that state it, `statements` may be those of some only.
    """

    id: str
    subject: str
    predicate: str
    object: str | Literal
    statements: tuple[Statement, ...]
    qualifiers: tuple[tuple[str, str], ...] = ()
    confidence: float = 0.0
    documents: int = 1
    sources: int = 1
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """An entity as all documents together know it: names by use, the documents that mention it, its link or what might be it."""

    id: str
    types: tuple[str, ...]
    label: str
    aliases: tuple[str, ...]
    documents: tuple[str, ...]
    link: Link | None = None
    candidates: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """One result of SHACL validation, its terms written as IRIs or literals (SHACL, section 3.6.2)."""

    focus: str
    path: str | None
    value: str | None
    shape: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: counts, seconds a stage, bytes of memory at the most, problems; `status` is ok, partial or failed.

    `left_out` are documents that the run was asked to leave aside (by date, or as already stored).
    """

    documents: int = 0
    unchanged: int = 0
    replaced: int = 0
    facts: int = 0
    refused: int = 0
    warnings: int = 0
    ignored_files: int = 0
    left_out: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def status(self) -> str:
        """``ok``: all read; ``partial``: some documents have problems; ``failed``: nothing could be built."""
        if not self.problems:
            return "ok"
        return "partial" if self.documents or self.unchanged or self.left_out else "failed"


def content_hash(*parts: object) -> str:
    """The first 20 hex digits of the SHA-256 of some plain data: the same thing always has the same one."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def fact_id(subject: str, predicate: str, value: str | Literal) -> str:
    """Id of the fact that `subject` (an entity id) has this predicate and value (an entity id or a literal)."""
    if isinstance(value, Literal):
        return content_hash("fact", subject, predicate, value.value, value.datatype)
    return content_hash("fact", subject, predicate, value)
