"""JSON-LD 1.1 with the context of the ontology, streamed: a graph after the other, a subject after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO

import pyoxigraph as ox

from kg.export.rdf import prefixes, selected_quads
from kg.export.view import Selection
from kg.rdf.ontology import jsonld_context, ontology_folder
from kg.settings import Settings
from kg.store import Store

__all__ = ["create"]

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_XSD = "http://www.w3.org/2001/XMLSchema#"


class _Context:
    """How IRIs and values are written under a context (JSON-LD 1.1, section 5.6: value compaction)."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.vocabulary = str(context.get("@vocab", ""))
        plain = {name: value for name, value in context.items() if isinstance(value, str) and not name.startswith("@")}
        self.prefixes = {name: value for name, value in plain.items() if value.endswith(("#", "/"))}
        self.terms: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.taken = set(context)
        self.id, self.type = (next((a for a, v in context.items() if v == word), word) for word in ("@id", "@type"))
        for name, definition in context.items():
            if isinstance(definition, dict):
                self.terms[self._expanded(str(definition.get("@id", name)))] = (name, definition)

    def _expanded(self, text: str) -> str:
        prefix, colon, local = text.partition(":")
        if colon and prefix in self.prefixes:
            return self.prefixes[prefix] + local
        return text if colon else self.vocabulary + text

    def _short(self, iri: str) -> str:
        """The name of a property, class or datatype."""
        local = iri.removeprefix(self.vocabulary)
        if self.vocabulary and local != iri and local and ":" not in local and local not in self.taken:
            return local
        for name, start in self.prefixes.items():
            if iri.startswith(start) and len(iri) > len(start):
                return f"{name}:{iri.removeprefix(start)}"
        return iri

    def node(self, subject: object, triples: Iterable[ox.Triple]) -> dict[str, Any]:
        """The object of one subject, with its keys and values in one order."""
        found: dict[str, list[Any]] = {}
        lists = set()
        for triple in triples:
            iri = triple.predicate.value
            if iri == _TYPE and isinstance(triple.object, ox.NamedNode):
                found.setdefault(self.type, []).append(self._class(triple.object.value))
                continue
            name, definition = self.terms.get(iri) or (self._short(iri), {})
            found.setdefault(name, []).append(self._value(triple.object, definition))
            if definition.get("@container") == "@set":
                lists.add(name)
        values = {name: sorted(each, key=_json) for name, each in sorted(found.items())}
        return {self.id: _name(subject)} | {name: each if len(each) > 1 or name in lists else each[0] for name, each in values.items()}

    def _class(self, iri: str) -> str:
        term = self.terms.get(iri)
        return term[0] if term else self._short(iri)

    def _value(self, value: Any, definition: Mapping[str, Any]) -> Any:
        kind = definition.get("@type")
        if not isinstance(value, ox.Literal):
            if kind == "@vocab" and isinstance(value, ox.NamedNode):
                return self._class(value.value)
            return _name(value) if kind == "@id" else {self.id: _name(value)}
        if value.language:
            return {"@value": value.value, "@language": value.language}
        datatype = value.datatype.value
        wanted = self._expanded(str(kind)) if kind and not str(kind).startswith("@") else kind
        if datatype == wanted == f"{_XSD}integer" and str(value.value).lstrip("-").isdigit() and str(int(value.value)) == value.value:
            return int(value.value)
        if datatype == (wanted or f"{_XSD}string"):
            return value.value
        return {"@value": value.value} if datatype == f"{_XSD}string" else {"@value": value.value, self.type: self._class(datatype)}


def _name(term: Any) -> str:
    """The IRI or label of a node; nothing for the default graph."""
    if isinstance(term, ox.NamedNode):
        return str(term.value)
    return "" if isinstance(term, ox.DefaultGraph) else str(term)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _graphs(store: Store, selection: Selection) -> Iterator[tuple[str, Iterable[ox.Quad]]]:
    """Each graph's name, empty for the default one, with its quads, which keep those of one subject together."""
    if selection.is_everything:
        for name in (ox.DefaultGraph(), *sorted(store.graph.named_graphs(), key=str)):
            yield _name(name), store.graph.quads_for_pattern(None, None, None, name)
        return
    graphs: dict[str, list[ox.Quad]] = {}
    for quad in set(selected_quads(store, selection, dataset=True)):
        graphs.setdefault(_name(quad.graph_name), []).append(quad)
    for each in sorted(graphs):
        yield each, sorted(graphs.pop(each), key=lambda quad: str(quad.subject))


class _JsonLd:
    """The exporter; each document's graph stands under its name."""

    name, media_type, suffix = "jsonld", "application/ld+json", ".jsonld"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        given = self._context(store.namespace.base)
        context = _Context(given)
        stream.write(b'{\n"@context": ' + _json(given) + b',\n"@graph": [')
        separator = b"\n"
        for name, quads in _graphs(store, selection):
            if name:
                stream.write(separator + b'{"@id": ' + _json(name) + b', "@graph": [')
                separator = b"\n"
            for subject, group in groupby(quads, key=lambda quad: quad.subject):
                stream.write(separator + _json(context.node(subject, (quad.triple for quad in group))))
                separator = b",\n"
            if name:
                stream.write(b"\n]}")
                separator = b",\n"
        stream.write(b"\n]\n}\n")

    def _context(self, base: str) -> dict[str, Any]:
        settings = self.settings.replace(base=base)
        if (ontology_folder(settings) / "context.jsonld").is_file():
            terms: dict[str, Any] = jsonld_context(settings)["@context"]
            return terms
        return dict(prefixes(base))


def create(settings: Settings) -> _JsonLd:
    """The exporter of the dataset as JSON-LD."""
    return _JsonLd(settings)
