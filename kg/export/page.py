"""One HTML file with the interactive graph, which opens from disk and asks no host for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from kg.export.layout import arrange, shape_of
from kg.export.lettering import shortened, width_of
from kg.export.palette import fill_of, ink_of
from kg.export.view import Edge, Node, Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create"]

_ASSETS = Path(__file__).parent / "assets"
_VENDOR = Path(__file__).parent.parent / "vendor"
_BUNDLES = ("graphology/graphology.umd.min.js", "graphology-library/graphology-library.min.js", "sigma/sigma.min.js")

_PLACED = 300
"""Most nodes that are laid out here."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<div class="search"><input type="search" id="search" placeholder="Search names" aria-label="Search names" autocomplete="off">
<ul id="found"></ul></div>
<div class="tools"><button type="button" id="all" hidden>Show all</button></div>
</header>
<main><div id="graph" role="img" aria-label="{title}"></div><fieldset id="legend"></fieldset></main>
<aside aria-label="Facts"><div id="facts" aria-live="polite"></div><noscript><p>The graph needs JavaScript.</p></noscript></aside>
<script type="application/json" id="data">"""


class _Page:
    """The exporter. Scripts and style may run by their hashes only, so that nothing in the data can."""

    name, media_type, suffix = "html", "text/html; charset=utf-8", ".html"

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        self.write(read_view(store, selection), stream)

    def write(self, view: View, stream: BinaryIO) -> None:
        style = (_ASSETS / "graph.css").read_text(encoding="utf-8")
        scripts = [(_VENDOR / name).read_text(encoding="utf-8") for name in _BUNDLES]
        scripts.append((_ASSETS / "graph.js").read_text(encoding="utf-8"))
        title = f"{len(view.nodes):,} entities, {len(view.edges):,} facts between them"
        head = _PAGE.format(policy=_policy(style, scripts), title=html.escape(title), style=style)
        stream.write(head.encode())
        _write_data(view, stream)
        stream.write(b"</script>\n")
        for script in scripts:
            stream.write(b"<script>" + script.encode() + b"</script>\n")
        stream.write(b"</body>\n</html>\n")


def _policy(style: str, scripts: list[str]) -> str:
    """Content Security Policy Level 3: nothing but what stands in the file."""
    allowed = " ".join(_hash(script) for script in scripts)
    rest = "img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; {rest}"


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _write_data(view: View, stream: BinaryIO) -> None:
    types = sorted(Counter(node.types[0] for node in view.nodes).items())
    colours = {kind: [fill_of(kind), ink_of(kind)] for kind, _ in types}
    places = _places(view)
    stream.write(b'{"types": ' + _json(types) + b', "colours": ' + _json(colours) + b', "nodes": [')
    for number, node in enumerate(view.nodes):
        stream.write((b",\n" if number else b"\n") + _json({**_node(node), **places.get(node.iri, {})}))
    stream.write(b'\n], "facts": [')
    for number, edge in enumerate((*view.edges, *view.literals)):
        stream.write((b",\n" if number else b"\n") + _json(_fact(edge)))
    stream.write(b"\n]}")


def _places(view: View) -> dict[str, dict[str, list[float]]]:
    """Where the nodes of a small graph are, upwards as in mathematics; larger ones are laid out by the page."""
    if len(view.nodes) > _PLACED:
        return {}
    numbers = {node.iri: number for number, node in enumerate(view.nodes)}
    links = [(numbers[edge.subject], numbers[edge.object]) for edge in view.edges]
    sizes = [(2 * width_of(shortened(node.label, 20)) * 13 + 30, 34.0) for node in view.nodes]
    places = arrange(shape_of(len(sizes), links), sizes, link=120, area=(1.5e6, 1e6)) if sizes else None
    return (
        {}
        if places is None
        else {node.iri: {"place": [round(x, 1), round(-y, 1)]} for node, (x, y) in zip(view.nodes, places, strict=True)}
    )


def _json(value: object) -> bytes:
    """JSON in which no character begins markup."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode("utf-8", "replace")


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.iri,
        "label": node.label,
        "type": node.types[0],
        "types": node.types,
        "aliases": node.aliases,
        "wikidata": node.wikidata,
        "documents": node.documents,
        **({"measures": dict(node.measures)} if node.measures else {}),
    }


def _fact(edge: Edge) -> dict[str, Any]:
    return {
        "id": edge.id,
        "subject": edge.subject,
        "label": edge.label,
        "predicate": edge.predicate,
        "object": edge.object,
        "start": edge.start,
        "end": edge.end,
        "confidence": edge.confidence,
        "documents": edge.documents,
        "sources": edge.sources,
        "sentence": edge.sentence,
    }


def create(settings: Settings) -> _Page:
    """The exporter of HTML."""
    return _Page()
