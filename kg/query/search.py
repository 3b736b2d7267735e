"""Full-text search: entities by their names, sentences, and documents by their titles and texts."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from kg.errors import UsageError
from kg.fulltext import ALIAS, LABEL, QUOTE, TEXT, TITLE, FullText, Place
from kg.names import fold, plain
from kg.store import Store

__all__ = ["KINDS", "MOST", "MOST_CHARACTERS", "Hit", "find_nodes", "index_of", "search", "suggest"]

MOST = 1000
"""Most hits of one search."""

MOST_CHARACTERS = 1000
"""Longest text that can be searched for."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "entity": "entities, by label and alias",
        "sentence": "evidence, by its sentence",
        "document": "documents, by title and text",
    }
)
"""What can be searched, with how."""

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_DEFAULT = ox.DefaultGraph()
_ALIKE, _CANDIDATES = 0.72, 60
_AROUND = 80

_log = logging.getLogger(__name__)
_built: WeakKeyDictionary[Store, FullText] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. `label` is the entity's or the document's, `name` the name or the words that fit.

    `type` is an entity's class. `document` is the IRI of the document, empty for entities. `score` (0 to 1, more is better) orders
    the hits of one kind in one search, and says nothing beyond it.
    """

    kind: str
    iri: str
    label: str
    name: str
    type: str
    document: str
    score: float

    def as_data(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def search(store: Store, text: str, *, kinds: Iterable[str] = KINDS, most: int = 20) -> list[Hit]:
    """The best hits of each kind, kind by kind, best first; equal sentences of a document once.

    Entities whose label is the text come first, then those with an alias that is, with names that begin so, that have all its words
    (by BM25). Where there is none of all these, names that hold its characters, and else names that are spelled alike. Sentences and
    documents have all words, by BM25. Case, accents and punctuation don't count. Raises UsageError for an unknown kind, a text that
    is too long, and for `most` out of bounds.
    """
    chosen = list(dict.fromkeys(kinds))
    _check(text, chosen, most)
    reader = _Reader(store)
    found = []
    for kind in chosen:
        hits = (reader.hit(kind, iri, name, score, text) for iri, name, score in _find(store, text, kind, most * 4))
        found += _first(filter(None, hits), most)
    return found


def suggest(store: Store, text: str, *, most: int = 10) -> list[Hit]:
    """Entities whose names begin with the text, or have a word that does: what a search box offers while one types."""
    _check(text, ["entity"], most)
    reader, index, text = _Reader(store), index_of(store), _sound(text)
    places = [*index.beginning(text, most * 4), *index.with_words(text.rstrip(), most * 4)]
    iris = dict.fromkeys((_iri(store, place), place.text) for place in places)
    hits = (reader.hit("entity", iri, name, 1.0, text) for iri, name in iris)
    return _first(filter(None, hits), most)


def find_nodes(store: Store, text: str, *, kinds: Iterable[str] = KINDS, most: int = 100) -> list[tuple[str, float]]:
    """IRIs with their scores, best first, as `search` finds them; equal sentences are all there. Raises what `search` raises."""
    chosen = list(dict.fromkeys(kinds))
    _check(text, chosen, most)
    best: dict[str, float] = {}
    for kind in chosen:
        for iri, _, score in _find(store, text, kind, most):
            best[iri] = max(score, best.get(iri, 0.0))
    return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def index_of(store: Store) -> FullText:
    """The store's index. Where it is not in step and can't be mended here, one in memory, made of the graph as it is seen."""
    kept: FullText | None = getattr(store, "words", None)
    if kept is not None and kept.is_in_step():
        return kept
    if store not in _built:
        _log.info("the store has no search index of its own yet, so one is made in memory; the next build writes it down")
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT)")
        made = FullText(connection)
        made.rebuild(store.all_entries())
        _built[store] = made
    return _built[store]


def _check(text: str, kinds: list[str], most: int) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is nothing to search for", hint=f"one of {', '.join(KINDS)}")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"a search takes at most {MOST_CHARACTERS:,} characters, not {len(text):,}", hint="search for fewer words")
    if not 1 <= most <= MOST:
        raise UsageError(f"a search gives from 1 to {MOST:,} hits, not {most}", hint="ask for fewer, or page with other words")


def _sound(text: str) -> str:
    """The text without halves of characters, which no index has."""
    return text.encode("utf-8", "replace").decode()


def _iri(store: Store, place: Place) -> str:
    """What the index calls by its path alone is one of the store's resources, which never has a colon there."""
    return place.node if ":" in place.node else f"{store.namespace.base}resource/{place.node}"


# -- finding -----------------------------------------------------------------------------------------------------

Find = Callable[[Store, str, int], Iterator[tuple[str, str, float]]]


def _find(store: Store, text: str, kind: str, most: int) -> list[tuple[str, str, float]]:
    """(IRI, what fits, score) of one kind, each IRI once with its best, best first."""
    if not text.strip():
        return []
    text = _sound(text)
    best: dict[str, tuple[str, float]] = {}
    for iri, name, score in _FINDERS[kind](store, text, most):
        if iri not in best or score > best[iri][1]:
            best[iri] = (name, round(score, 4))
    ordered = sorted(best.items(), key=lambda item: (-item[1][1], len(item[1][0]), item[1][0], item[0]))
    return [(iri, name, score) for iri, (name, score) in ordered[:most]]


def _entities(store: Store, text: str, most: int) -> Iterator[tuple[str, str, float]]:
    index = index_of(store)
    tiers = (
        (index.named(text, most), {LABEL: 1.0, ALIAS: 0.95}),
        (index.beginning(text, most), {LABEL: 0.9, ALIAS: 0.85}),
        (_weighted(index.with_words(text.rstrip(), most)), {LABEL: 0.8, ALIAS: 0.8}),
    )
    found = False
    for places, scores in tiers:
        for place in places:
            found = True
            yield _iri(store, place), place.text, scores[place.kind] * place.weight
    if not found:
        yield from ((_iri(store, place), place.text, score) for place, score in _nearly(index, fold(text), most))


def _nearly(index: FullText, folded: str, most: int) -> Iterator[tuple[Place, float]]:
    """Names in which the characters stand, else names that are spelled alike."""
    parts = index.with_part(folded, most)
    yield from ((place, 0.4) for place in parts)
    for place in [] if parts else index.alike(folded, _CANDIDATES):
        alike = _likeness(folded, place.folded)
        if alike >= _ALIKE:
            yield place, 0.35 * alike


def _sentences(store: Store, text: str, most: int) -> Iterator[tuple[str, str, float]]:
    for place in _weighted(index_of(store).passages(text, (QUOTE,), most)):
        yield _iri(store, place), "", place.weight


def _documents(store: Store, text: str, most: int) -> Iterator[tuple[str, str, float]]:
    """Titles before texts; the node of a text stands for its document."""
    index = index_of(store)
    for place in _weighted(index.passages(text, (TITLE,), most)):
        yield _iri(store, place), "title", place.weight
    for place in _weighted(index.passages(text, (TEXT,), most)):
        document = place.node.split("/")
        iri = f"document/{document[1]}" if document[0] == "text" and len(document) == 3 else place.node
        yield _iri(store, place._replace(node=iri)), "text", 0.7 * place.weight


_FINDERS: Mapping[str, Find] = MappingProxyType({"entity": _entities, "sentence": _sentences, "document": _documents})


def _weighted(places: list[Place]) -> list[Place]:
    """Weights from 1, the best, towards a half."""
    top = max((place.weight for place in places), default=0.0)
    return [place._replace(weight=0.5 + 0.5 * max(place.weight, 0.0) / top if top > 0 else 1.0) for place in places]


def _likeness(text: str, name: str) -> float:
    """How alike two folded names are, or the text and as many words of the name: 0 to 1 (Ratcliff and Obershelp's measure)."""
    words, length = name.split(), len(text.split())
    parts = {name, *(" ".join(words[start : start + length]) for start in range(len(words) - length + 1))}
    return max(SequenceMatcher(None, text, part, autojunk=False).ratio() for part in parts)


# -- showing -----------------------------------------------------------------------------------------------------


def _first(hits: Iterable[Hit], most: int) -> list[Hit]:
    """The first ones, entities once, and a sentence of a document once."""
    kept: dict[object, Hit] = {}
    for hit in hits:
        kept.setdefault((hit.document, hit.name) if hit.kind == "sentence" else hit.iri, hit)
        if len(kept) == most:
            break
    return list(kept.values())


class _Reader:
    """Looks up what is shown of a hit; what the graph no longer has, or not yet, is no hit."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.term = store.namespace.term

    def _values(self, iri: str, predicate: str, graph: ox.NamedNode | ox.DefaultGraph = _DEFAULT) -> list[str]:
        quads = self.store.graph.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(predicate), None, graph)
        return sorted(quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode | ox.Literal))

    def _value(self, iri: str, predicate: str) -> str:
        return next(iter(self._values(iri, predicate)), "")

    def hit(self, kind: str, iri: str, name: str, score: float, text: str) -> Hit | None:
        """One hit, or None."""
        if kind == "entity":
            label, prefix = self._value(iri, _LABEL), self.term("")
            types = (value.removeprefix(prefix) for value in self._values(iri, _TYPE) if value.startswith(prefix))
            return Hit(kind, iri, label, name, next(types, ""), "", score) if label else None
        if kind == "sentence":
            quote, document = self._value(iri, self.term("quote")), self._value(iri, self.term("inDocument"))
            return Hit(kind, iri, self._document(document), quote, "", document, score) if quote else None
        label = self._document(iri)
        return Hit(kind, iri, label, label if name == "title" else self._passage(iri, text), "", iri, score) if label else None

    def _document(self, iri: str) -> str:
        return (self._value(iri, self.term("title")) or self._value(iri, self.term("identifier"))) if iri else ""

    def _passage(self, document: str, text: str) -> str:
        """Where a document's texts have one of the words first."""
        words = sorted(plain(text).replace('"', " ").split(), key=len, reverse=True)
        graph = ox.NamedNode(document)
        for place in self._values(document, self.term("text"), graph):
            for content in self._values(place, self.term("content"), graph):
                folded = plain(content)
                start = next((at for word in words if (at := folded.find(word)) >= 0), -1)
                if start >= 0:
                    begin, end = max(0, start - _AROUND), min(len(content), start + 2 * _AROUND)
                    passage = " ".join(content[begin:end].split())
                    return f"{'… ' if begin else ''}{passage}{' …' if end < len(content) else ''}"
        return ""
