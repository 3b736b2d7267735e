"""GEXF 1.3 for Gephi: facts with a period are dynamic edges, so that its timeline works."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from typing import BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from kg.export.network import as_networkx, flat
from kg.export.view import Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create", "first_day", "last_day"]

_KINDS = {str: "string", int: "integer", float: "double"}


def first_day(date: str) -> str:
    """The first day of a year, month or day.

    >>> first_day("2024-02")
    '2024-02-01'
    """
    return (date + "-01-01")[:10]


def last_day(date: str) -> str:
    """The last day of a year, month or day.

    >>> last_day("2024-02")
    '2024-02-29'
    """
    if len(date) == 7:
        return f"{date}-{calendar.monthrange(int(date[:4]), int(date[5:]))[1]:02d}"
    return (date + "-12-31")[:10]


class _Columns:
    """Attributes of nodes or edges under the numbers that GEXF wants."""

    def __init__(self, kind: str, rows: Iterable[Mapping[str, object]]) -> None:
        self.kind = kind
        types: dict[str, str] = {}
        for row in rows:
            for name, value in row.items():
                types.setdefault(name, _KINDS[type(value)])
        self.types = dict(sorted(types.items()))
        self.numbers = {name: str(number) for number, name in enumerate(self.types)}


class _Xml(XMLGenerator):
    """A writer of XML that takes attributes as a mapping."""

    def open(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        self.startElement(name, AttributesImpl(dict(attributes or {})))


class _Gexf:
    """The exporter; the document has no date of making, so that equal graphs give equal files."""

    name, media_type, suffix = "gexf", "application/gexf+xml", ".gexf"

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        self.write(read_view(store, selection), stream)

    def write(self, view: View, stream: BinaryIO) -> None:
        graph = as_networkx(view)
        nodes = {iri: flat(data) for iri, data in graph.nodes(data=True)}
        edges = [(source, target, key, flat(data)) for source, target, key, data in graph.edges(keys=True, data=True)]
        columns = _Columns("node", nodes.values()), _Columns("edge", [edge[3] for edge in edges])
        xml = _Xml(stream, "utf-8", short_empty_elements=True)
        xml.startDocument()
        xml.open("gexf", {"xmlns": "http://gexf.net/1.3", "version": "1.3"})
        period = {"mode": "dynamic", "timeformat": "date", "timerepresentation": "interval"}
        xml.open("graph", {"defaultedgetype": "directed", **period})
        for each in columns:
            self._declare(xml, each)
        xml.open("nodes", {"count": str(len(nodes))})
        for iri, data in nodes.items():
            self._element(xml, {"id": iri, "label": str(data["label"])}, data, columns[0])
        xml.endElement("nodes")
        xml.open("edges", {"count": str(len(edges))})
        for source, target, key, data in edges:
            ends = {"id": key, "source": source, "target": target, "label": str(data["label"]), "kind": str(data["predicate"])}
            self._element(xml, {**ends, "weight": str(data["confidence"]), **_spell(data)}, data, columns[1])
        xml.endElement("edges")
        xml.endElement("graph")
        xml.endElement("gexf")
        xml.endDocument()

    def _declare(self, xml: _Xml, columns: _Columns) -> None:
        xml.open("attributes", {"class": columns.kind, "mode": "static"})
        for name, kind in columns.types.items():
            xml.open("attribute", {"id": columns.numbers[name], "title": name, "type": kind})
            xml.endElement("attribute")
        xml.endElement("attributes")

    def _element(self, xml: _Xml, attributes: dict[str, str], data: Mapping[str, object], columns: _Columns) -> None:
        xml.open(columns.kind, attributes)
        xml.open("attvalues")
        for name in sorted(data):
            xml.open("attvalue", {"for": columns.numbers[name], "value": str(data[name])})
            xml.endElement("attvalue")
        xml.endElement("attvalues")
        xml.endElement(columns.kind)
        xml.ignorableWhitespace("\n")


def _spell(data: Mapping[str, object]) -> dict[str, str]:
    """When an edge is there, in whole days as Gephi's timeline wants them."""
    found = {}
    if "start" in data:
        found["start"] = first_day(str(data["start"]))
    if "end" in data:
        found["end"] = last_day(str(data["end"]))
    return found


def create(settings: Settings) -> _Gexf:
    """The exporter of GEXF."""
    return _Gexf()
