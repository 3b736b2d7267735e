"""Links the entities of one document to Wikidata: a pure function of the document, its entities and the indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kg.model import Document, Entity, Link, Resolution
from kg.wikidata.index import WikidataIndex, open_indexes
from kg.wikidata.rank import REVIEW, Match, find

__all__ = ["Linker", "context_of", "load_linker"]

VERSION = "1"
"""Grows when the same names are linked differently; part of a build's fingerprint."""

_AROUND = 160
_LONGEST_CONTEXT = 4000
_SHOWN = 5
_MARK = "+"


class Linker:
    """Asks some indexes together. `name` and `digest` tell what they hold."""

    def __init__(self, indexes: Sequence[WikidataIndex]) -> None:
        self.indexes = list(indexes)
        self.name = ", ".join(index.name for index in self.indexes)
        self.digest = "-".join([VERSION, *(index.digest for index in self.indexes)])

    def sign(self, fingerprint: str) -> str:
        """The fingerprint of a build with what it was linked with: `fingerprint` may be signed already."""
        return f"{fingerprint.partition(_MARK)[0]}{_MARK}{self.digest}"

    def __call__(self, document: Document, resolution: Resolution) -> Resolution:
        """The resolution with each entity's link, or candidates where none is sure."""
        names = [entity.name for entity in resolution.entities]
        linked = [
            self._linked(document, entity, [name for at, name in enumerate(names) if at != number])
            for number, entity in enumerate(resolution.entities)
        ]
        return replace(resolution, entities=tuple(linked))

    def _linked(self, document: Document, entity: Entity, beside: list[str]) -> Entity:
        context = context_of(document, entity)
        matches: list[Match] = []
        # A shorter name of the document is tried only where it has more than one word: a first name says too little.
        for name in (entity.name, *(alias for alias in entity.aliases if " " in alias)):
            matches = find(name, self.indexes, type=entity.type, context=context, beside=beside)
            if matches and matches[0].candidate.how != "typo":
                break
        links = [_as_link(match) for match in matches if match.accepted or match.score >= REVIEW]
        if matches and matches[0].accepted:
            return replace(entity, link=links[0], candidates=())
        return replace(entity, link=None, candidates=tuple(links[:_SHOWN]))


def _as_link(match: Match) -> Link:
    item = match.candidate.item
    features = tuple(sorted(match.features.items()))
    return Link(item.qid, item.label, match.score, match.candidate.how, match.candidate.index, item.description, features)


def context_of(document: Document, entity: Entity) -> str:
    """What stands around an entity's mentions, each stretch once."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for mention in entity.mentions:
        if any(text.name == mention.text for text in document.texts):
            content = document.text(mention.text).content
            start, end = max(0, mention.span.start - _AROUND), min(len(content), mention.span.end + _AROUND)
            joined = spans.setdefault(mention.text, [])
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
    parts = [document.text(name).content[start:end] for name, found in spans.items() for start, end in found]
    return " … ".join(parts)[:_LONGEST_CONTEXT]


def load_linker(paths: str) -> Linker:
    """A linker that asks the indexes of the setting `wikidata_index`: ``shipped``, a file, or several separated by commas."""
    return Linker(open_indexes(paths))
