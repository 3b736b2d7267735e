"""IRIs: what is called how, as a pure function of what it is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from kg.model import Correction, Evidence, Mention, Statement, content_hash

__all__ = ["WIKIDATA", "Namespace", "statement_id"]

WIKIDATA = "http://www.wikidata.org/entity/"
"""Namespace of Wikidata's entities (http, as Wikidata itself writes it)."""

_KEPT = "/-._~@"


def statement_id(statement: Statement) -> str:
    """Id of what one document says: the document and the fact."""
    return content_hash("statement", statement.document_id, statement.fact)


def _segment(text: str) -> str:
    """One path segment, in ASCII, from which `unquote` gives the text back."""
    return quote(text, safe="-._~@")


@dataclass(frozen=True, slots=True)
class Namespace:
    """IRIs under one base, which ends in a slash."""

    base: str

    def term(self, local: str) -> str:
        """A class or property of the ontology."""
        return f"{self.base}ontology#{local}"

    def entity(self, key: str) -> str:
        """An entity by its id (``person/kim-kardashian``)."""
        return f"{self.base}resource/{quote(key, safe=_KEPT)}"

    def document(self, document_id: str) -> str:
        """A document, and the named graph of what it says."""
        return f"{self.base}resource/document/{_segment(document_id)}"

    def text(self, document_id: str, name: str) -> str:
        """One text of a document."""
        return f"{self.base}resource/text/{_segment(document_id)}/{_segment(name)}"

    def mention(self, document_id: str, mention: Mention, entity: str) -> str:
        """A mention of an entity in a text."""
        return f"{self.base}resource/mention/{content_hash(document_id, mention.text, mention.span.start, mention.span.end, entity)}"

    def statement(self, statement: str) -> str:
        """A statement by its id."""
        return f"{self.base}resource/statement/{statement}"

    def evidence(self, statement: str, evidence: Evidence) -> str:
        """A piece of evidence for a statement, which is given by its id."""
        span = evidence.span
        parts = (statement, evidence.text, span.start, span.end, evidence.extractor, evidence.version)
        return f"{self.base}resource/evidence/{content_hash(*parts)}"

    def fact(self, fact: str) -> str:
        """A fact by its id."""
        return f"{self.base}resource/fact/{fact}"

    def match(self, entity: str, qid: str) -> str:
        """The match of an entity with a Wikidata item."""
        return f"{self.base}resource/match/{content_hash(entity, qid)}"

    def correction(self, correction: Correction) -> str:
        """A decision: the same one taken again, by another or on another day, is another."""
        return f"{self.base}resource/correction/{content_hash(correction.kind, *correction.arguments, correction.agent, correction.date)}"

    @property
    def corrections(self) -> str:
        """The named graph of corrections by hand."""
        return f"{self.base}resource/corrections"

    def entity_id(self, iri: str) -> str | None:
        """The entity id of an IRI under this base, else None."""
        prefix = f"{self.base}resource/"
        return unquote(iri.removeprefix(prefix)) if iri.startswith(prefix) else None
