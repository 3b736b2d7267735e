"""DOT for Graphviz: labels in quoted strings, in which nothing is markup."""

from __future__ import annotations

from typing import BinaryIO

from kg.export.view import Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create"]

_FILLS = {
    "Brand": "#f6d7b0",
    "Campaign": "#d9e8b4",
    "Collection": "#f3e3a1",
    "Country": "#dedede",
    "Event": "#e3cdf0",
    "Organization": "#c9d8ef",
    "Person": "#bfe3dc",
    "Product": "#f5c9c9",
    "Work": "#e8d3c4",
}
"""Fill of a node by its type; all are light, so that black text is readable on them."""


class _Dot:
    """The exporter. Nodes are boxes filled by type, edges are labelled with predicate and period."""

    name, media_type, suffix = "dot", "text/vnd.graphviz; charset=utf-8", ".dot"

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        self.write(read_view(store, selection), stream)

    def write(self, view: View, stream: BinaryIO) -> None:
        def line(text: str) -> None:
            stream.write(text.encode("utf-8", "replace") + b"\n")

        line("digraph kg {")
        line('  graph [charset="UTF-8", rankdir="LR", overlap="false"];')
        line('  node [shape="box", style="rounded,filled", fontname="sans-serif", fillcolor="#ffffff"];')
        line('  edge [fontname="sans-serif", fontsize="10"];')
        for node in view.nodes:
            known = {"label": node.label, "type": node.types[0], "wikidata": node.wikidata or "", "documents": str(len(node.documents))}
            given = {
                **known,
                "fillcolor": _FILLS.get(node.types[0], "#ffffff"),
                "URL": node.iri,
                "tooltip": f"{node.label}: {node.types[0]}",
            }
            line(f"  {_quoted(node.iri)} [{_attributes(given)}];")
        for edge in view.edges:
            period = f"{edge.start or ''} – {edge.end or ''}" if edge.start or edge.end else ""
            label = f"{edge.label}\n{period}" if period else edge.label
            dates = {"start": edge.start or "", "end": edge.end or ""}
            counts = {"confidence": str(edge.confidence), "sources": str(edge.sources)}
            given = {
                "label": label,
                "id": edge.id,
                "predicate": edge.predicate,
                **dates,
                **counts,
                "URL": edge.iri,
                "tooltip": edge.sentence,
            }
            line(f"  {_quoted(edge.subject)} -> {_quoted(edge.object)} [{_attributes(given)}];")
        line("}")


def _attributes(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in values.items() if value)


def _quoted(text: str) -> str:
    r"""A double-quoted string of DOT, in which ``\`` starts an escape and an ampersand an entity of HTML.

    >>> _quoted('5" \\ <b>')
    '"5\\" \\\\ <b>"'
    """
    escaped = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n").replace("\0", "") + '"'


def create(settings: Settings) -> _Dot:
    """The exporter of DOT."""
    return _Dot()
