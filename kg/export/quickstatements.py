"""Gives back to Wikidata: commands of QuickStatements, version 1, for facts between linked entities and for items that are lacking.

Syntax: https://www.wikidata.org/wiki/Help:QuickStatements. One command a line, its parts separated by tabs.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote, urlsplit

import pyoxigraph as ox

from kg.errors import OntologyError
from kg.export.view import Edge, Node, Selection, View, read_view
from kg.rdf.ontology import ontology_folder
from kg.settings import Settings
from kg.store import Store

__all__ = ["Proposal", "Term", "create", "read_terms"]

NEW = ("Campaign", "Product")
"""Classes whose members become new items where they have none."""

_LAST = "LAST"
_PRECISIONS = {4: 9, 7: 10, 10: 11}
_DEFAULT = ox.DefaultGraph()


@dataclass(frozen=True, slots=True)
class Term:
    """What a predicate, a qualifier, a part of a reference or a class is in Wikidata."""

    property: str
    label: str
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """One command in words, as `kg export --dry-run` lists it.

    `action` is ``new item``, ``statement`` or ``left out``, and then `reason` says why.
    """

    action: str
    subject: str
    property: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    url: str
    published: str


Terms = Mapping[str, Mapping[str, Term]]


def read_terms(settings: Settings) -> Terms:
    """``quickstatements.tsv`` of the ontology: use (statement, qualifier, reference, class) → our name → Wikidata's property.

    Raises OntologyError where it is missing or has other columns.
    """
    path = ontology_folder(settings) / "quickstatements.tsv"
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        found: dict[str, dict[str, Term]] = defaultdict(dict)
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            found[row["use"]][row["term"]] = Term(row["property"], row["label"], row["direction"] == "inverse")
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise OntologyError(f"{path} can't be read: {error!r}", hint="it is a table: use, term, property, label, direction") from error
    return found


class _QuickStatements:
    """The exporter. `propose` tells the same in words, with what is left out and why."""

    name, media_type, suffix = "quickstatements", "text/tab-separated-values", ".qs"

    def __init__(self, settings: Settings) -> None:
        self._terms = read_terms(settings)

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        """Writes the commands, one a line."""
        text = io.StringIO()
        for commands, _ in self._work(store, selection):
            text.writelines("\t".join(command) + "\n" for command in commands)
        stream.write(text.getvalue().encode())

    def propose(self, store: Store, selection: Selection) -> Iterator[Proposal]:
        """What would be written, and what not."""
        return (proposal for _, proposals in self._work(store, selection) for proposal in proposals)

    def _work(self, store: Store, selection: Selection) -> Iterator[tuple[list[list[str]], list[Proposal]]]:
        """Commands with their proposals, in the order of the graph; a new item's commands stand together."""
        view = read_view(store, selection)
        writer = _Writer(view, self._terms, _sources(store))
        for edge in (*view.edges, *view.literals):
            yield writer.statement(edge)
        for node in view.nodes:
            if node.wikidata is None and set(node.types) & set(NEW):
                yield writer.item(node)


class _Writer:
    """Turns facts of one view into commands."""

    def __init__(self, view: View, terms: Terms, sources: Mapping[str, _Source]) -> None:
        self.nodes = {node.iri: node for node in view.nodes}
        self.terms = terms
        self.sources = sources
        self.of: dict[str, list[Edge]] = defaultdict(list)
        for edge in (*view.edges, *view.literals):
            for iri in {edge.subject, edge.object} & set(self.nodes):
                self.of[iri].append(edge)

    def statement(self, edge: Edge) -> tuple[list[list[str]], list[Proposal]]:
        """A fact between items that are there already; facts of new items come with the item."""
        lacking = [node for node in self._ends(edge) if node.wikidata is None]
        if any(set(node.types) & set(NEW) for node in lacking):
            return [], []
        reason = "is linked to no item: " + ", ".join(node.label for node in lacking) if lacking else ""
        return self._proposed(edge, "", reason)

    def item(self, node: Node) -> tuple[list[list[str]], list[Proposal]]:
        """A new item with its facts, if one of them can be stated with a source: without, nobody could tell what it is."""
        commands: list[list[str]] = []
        proposals: list[Proposal] = []
        for edge in self.of[node.iri]:
            others = [each for each in self._ends(edge) if each.iri != node.iri and each.wikidata is None]
            if edge.object == node.iri and any(set(each.types) & set(NEW) for each in others):
                continue  # is told with the other new item
            reason = "is linked to no item: " + ", ".join(each.label for each in others) if others else ""
            made, listed = self._proposed(edge, node.iri, reason)
            commands += made
            proposals += listed
        if not commands:
            return [], [Proposal("left out", node.label, "", "", "no fact about it can be stated with a source"), *proposals]
        head = [["CREATE"], [_LAST, "Len", _quoted(node.label)], [_LAST, "Den", _quoted(self._description(node))]]
        aliases = [[_LAST, "Aen", _quoted(alias)] for alias in node.aliases if alias != node.label]
        kinds = [[_LAST, self.terms["class"]["type"].property, self.terms["class"][kind].property] for kind in self._classes(node)]
        return [*head, *aliases, *kinds, *commands], [Proposal("new item", node.label, "", self._description(node)), *proposals]

    def _classes(self, node: Node) -> list[str]:
        """Classes of a node that an item of Wikidata stands for."""
        return [kind for kind in node.types if kind in self.terms["class"] and "type" in self.terms["class"]]

    def _ends(self, edge: Edge) -> list[Node]:
        return [self.nodes[iri] for iri in (edge.subject, edge.object) if iri in self.nodes and not (edge.literal and iri == edge.object)]

    def _description(self, node: Node) -> str:
        """The class, and the brand that a fact names."""
        brands = (edge.object for edge in self.of[node.iri] if edge.predicate in ("madeBy", "campaignFor") and edge.subject == node.iri)
        brand = next((self.nodes[iri].label for iri in brands), "")
        kind = "advertising campaign" if "Campaign" in node.types else "product"
        return f"{kind} {'for' if kind != 'product' else 'by'} {brand}" if brand else kind

    def _proposed(self, edge: Edge, new: str, reason: str) -> tuple[list[list[str]], list[Proposal]]:
        term = self.terms["statement"].get(edge.predicate)
        references = [self.sources[each] for each in edge.documents if each in self.sources]
        shown = (self.nodes[edge.subject].label, edge.predicate, edge.object if edge.literal else self.nodes[edge.object].label)
        reason = reason or ("" if term else "has no property of the same meaning")
        reason = reason or ("" if references else "no document that states it has a web address")
        if reason or term is None:
            return [], [Proposal("left out", *shown, reason)]
        subject, value = (_LAST if edge.subject == new else self._id(edge.subject)), self._value(edge, new)
        if term.inverse:
            subject, value = value, subject
        if value == _LAST:  # a new item can be the subject of a command only
            return [], [Proposal("left out", *shown, "the new item has no number yet; state it once it has")]
        statement = [subject, term.property, value, *self._qualifiers(edge)]
        commands = [[*statement, *self._reference(source)] for source in references]
        return commands, [Proposal("statement", shown[0], f"{term.property} {term.label}", shown[2], "inverse" if term.inverse else "")]

    def _id(self, iri: str) -> str:
        return self.nodes[iri].wikidata or ""

    def _value(self, edge: Edge, new: str) -> str:
        if edge.literal:
            return _time(edge.object)
        return _LAST if edge.object == new else self._id(edge.object)

    def _qualifiers(self, edge: Edge) -> Iterator[str]:
        for name, date in (("start", edge.start), ("end", edge.end)):
            if date and name in self.terms["qualifier"]:
                yield from (self.terms["qualifier"][name].property, _time(date))

    def _reference(self, source: _Source) -> Iterator[str]:
        """Where it is stated, and when that came out. When it was read is not known, so it is not said."""
        for name, value in (("url", _quoted(source.url)), ("published", source.published and _time(source.published))):
            if value and name in self.terms["reference"]:
                yield from (self.terms["reference"][name].property.replace("P", "S"), value)


def _time(date: str) -> str:
    """A date of any precision (Wikibase: 9 a year, 10 a month, 11 a day)."""
    return f"+{(date + '-00-00')[:10]}T00:00:00Z/{_PRECISIONS[len(date)]}"


def _quoted(text: str) -> str:
    """A text in one line; what would begin a comment does not."""
    return f'"{" ".join(text.split()).replace("/*", "/ *")}"'


def _sources(store: Store) -> dict[str, _Source]:
    """Documents that have a web address, by id."""
    urls, days, ids = (dict(_column(store, name)) for name in ("url", "published", "identifier"))
    return {
        ids[iri]: _Source(quote(url, safe="%/:=&?~#+!$,;'@()*[]"), days.get(iri, ""))
        for iri, url in urls.items()
        if urlsplit(url).scheme in ("http", "https") and iri in ids
    }


def _column(store: Store, local: str) -> Iterable[tuple[str, str]]:
    for quad in store.graph.quads_for_pattern(None, ox.NamedNode(store.namespace.term(local)), None, _DEFAULT):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
            yield quad.subject.value, quad.object.value


def create(settings: Settings) -> _QuickStatements:
    """The exporter of QuickStatements commands."""
    return _QuickStatements(settings)
