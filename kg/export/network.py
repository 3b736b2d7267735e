"""The graph as a networkx graph, and the formats that networkx writes or defines."""

from __future__ import annotations

import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Unpack

import networkx

from kg.export.view import Edge, Node, Options, Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["as_networkx", "create_cytoscape", "create_graphml", "create_node_link", "create_pajek", "flat", "to_networkx"]

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_networkx(store: Store, **options: Unpack[Options]) -> networkx.MultiDiGraph:
    """A store's fused view as a networkx graph, in an order that only the graph's content decides.

    Nodes are entities under their IRI: `label`, `type` (the first of `types`), `types`, `aliases`, `documents` (ids), `wikidata`
    where known, and a list of values for each predicate that has text or dates (`launchDate`, `occupation`). Edges are
    facts between entities; the key is the fact's id: `predicate`, `label`, `confidence`, `documents` (ids), `sources`,
    `sentence`, and `start` and `end` where known. With ``measures=True`` nodes
    have `degree`, `betweenness`, `community` and `core` too. The options are the fields of Selection.
    """
    return as_networkx(read_view(store, Selection.from_options(options)))


def as_networkx(view: View) -> networkx.MultiDiGraph:
    """A view as a networkx graph (see to_networkx)."""
    graph = networkx.MultiDiGraph()
    for node in view.nodes:
        graph.add_node(node.iri, **_node_attributes(node))
    for edge in view.edges:
        graph.add_edge(edge.subject, edge.object, key=edge.id, **_edge_attributes(edge))
    return graph


def _node_attributes(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {
        "label": node.label,
        "type": node.types[0],
        "types": list(node.types),
        "aliases": list(node.aliases),
        "documents": list(node.documents),
    }
    if node.wikidata:
        found["wikidata"] = node.wikidata
    return found | {name: list(values) for name, values in node.values} | dict(node.measures)


def _edge_attributes(edge: Edge) -> dict[str, Any]:
    found: dict[str, Any] = {
        "predicate": edge.predicate,
        "label": edge.label,
        "confidence": edge.confidence,
        "documents": list(edge.documents),
        "sources": edge.sources,
        "sentence": edge.sentence,
    }
    dates = {"start": edge.start, "end": edge.end}
    return found | {name: date for name, date in dates.items() if date}


def flat(attributes: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Attributes for formats that know no lists: `documents` becomes a count and `document_ids`, other lists are joined by `` | ``.

    Characters that XML 1.0 forbids become U+FFFD.
    """
    found: dict[str, str | int | float] = {}
    for name, value in attributes.items():
        if name == "documents":
            found["documents"], found["document_ids"] = len(value), _text(value)
        elif isinstance(value, list):
            found[name] = _text(value)
        else:
            found[name] = _text([value]) if isinstance(value, str) else value
    return found


def _text(values: Iterable[str]) -> str:
    return _FORBIDDEN.sub("\ufffd", " | ".join(values))


class _Network(ABC):
    """An exporter that writes a view."""

    name = ""
    media_type = "application/json"
    suffix = ".json"

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        self.write(read_view(store, selection), stream)

    @abstractmethod
    def write(self, view: View, stream: BinaryIO) -> None:
        """Writes the view in the exporter's format."""


class _GraphML(_Network):
    """GraphML, whose node ids are IRIs and whose edge ids are ids of facts."""

    name, media_type, suffix = "graphml", "application/graphml+xml", ".graphml"

    def write(self, view: View, stream: BinaryIO) -> None:
        graph = networkx.MultiDiGraph()
        graph.add_nodes_from((node.iri, flat(_node_attributes(node))) for node in view.nodes)
        graph.add_edges_from((edge.subject, edge.object, edge.id, flat(_edge_attributes(edge))) for edge in view.edges)
        networkx.write_graphml_xml(graph, stream, encoding="utf-8", prettyprint=True)


class _NodeLink(_Network):
    """The node-link JSON of networkx (``node_link_graph`` reads it)."""

    name, suffix = "node-link", ".json"

    def write(self, view: View, stream: BinaryIO) -> None:
        data = networkx.node_link_data(as_networkx(view), edges="edges")
        _write_json(data, stream)


class _Cytoscape(_Network):
    """Cytoscape's JSON (.cyjs), for the desktop program and for Cytoscape.js."""

    name, suffix = "cytoscape", ".cyjs"

    def write(self, view: View, stream: BinaryIO) -> None:
        data = networkx.cytoscape_data(as_networkx(view), name="name", ident="id")
        for node in data["elements"]["nodes"]:
            node["data"]["name"] = node["data"]["label"]
        for edge in data["elements"]["edges"]:
            edge["data"]["id"] = edge["data"]["key"]
            edge["data"]["interaction"] = edge["data"]["predicate"]
        head = {"format_version": "1.0", "generated_by": "kg", "target_cytoscapejs_version": "~3"}
        _write_json({**head, **data}, stream)


class _Pajek(_Network):
    """Pajek's .net: labels, arcs with the confidence as weight and the predicate as label; the format holds no more."""

    name, media_type, suffix = "pajek", "text/plain; charset=utf-8", ".net"

    def write(self, view: View, stream: BinaryIO) -> None:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n", write_through=True)
        labels = _unique_labels(view.nodes)
        numbers = {node.iri: number for number, node in enumerate(view.nodes, 1)}
        text.write(f"*Vertices {len(numbers)}\n")
        for node in view.nodes:
            text.write(f"{numbers[node.iri]} {_quoted(labels[node.iri])}\n")
        text.write("*Arcs\n")
        for edge in view.edges:
            text.write(f"{numbers[edge.subject]} {numbers[edge.object]} {edge.confidence} l {_quoted(edge.label)}\n")
        text.detach()


def _unique_labels(nodes: Iterable[Node]) -> dict[str, str]:
    """Labels, with the type and then the IRI added where two are the same: Pajek's readers know a vertex by its label."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for node in nodes:
        forms = (node.label, f"{node.label} ({node.types[0]})", f"{node.label} <{node.iri}>")
        found[node.iri] = next(form for form in forms if form not in taken)
        taken.add(found[node.iri])
    return found


def _quoted(text: str) -> str:
    """A string of Pajek: one line in double quotes, with backslashes as igraph and networkx read them."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_json(data: object, stream: BinaryIO) -> None:
    encoder = json.JSONEncoder(ensure_ascii=False, indent=1)
    for piece in encoder.iterencode(data):
        stream.write(piece.encode("utf-8", "replace"))
    stream.write(b"\n")


def create_graphml(settings: Settings) -> _GraphML:
    """The exporter of GraphML."""
    return _GraphML()


def create_node_link(settings: Settings) -> _NodeLink:
    """The exporter of node-link JSON."""
    return _NodeLink()


def create_cytoscape(settings: Settings) -> _Cytoscape:
    """The exporter of Cytoscape JSON."""
    return _Cytoscape()


def create_pajek(settings: Settings) -> _Pajek:
    """The exporter of Pajek files."""
    return _Pajek()
