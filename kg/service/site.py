"""A static site: the pages of the service as files that open from disk or any web host, with search, explorer and SPARQL in the browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import BinaryIO

import pyoxigraph as ox
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from kg.errors import StoreError, UsageError
from kg.export.rdf import selected_quads
from kg.export.view import Selection, View, best_connected, read_view
from kg.query.results import prefixes
from kg.service.app import create_app
from kg.service.graph import VENDOR, as_block
from kg.service.network import MOST_NODES, as_data
from kg.service.part import Part
from kg.service.reading import Reading
from kg.settings import Settings
from kg.store import Store

__all__ = ["MOST_PAGES", "MOST_QUADS", "create"]

MOST_PAGES = 50_000
"""Most entities and documents of a site."""

MOST_QUADS = 1_000_000
"""Most quads that a browser is given to ask."""

_STATIC = Path(__file__).parent / "static"
_TURTLE = "ontology.ttl"
_FIXED = {
    "": "index.html",
    "documents": "documents.html",
    "ontology": "ontology.html",
    "search": "search.html",
    "graph": "graph.html",
    "sparql": "query.html",
}
_HTML = {"Accept": "text/html"}
_POLICY = (
    "default-src 'none'; script-src 'self' file: 'wasm-unsafe-eval'; style-src 'self' file:; img-src 'self' file:; "
    "connect-src 'none'; form-action 'self' file:; base-uri 'none'"
)
"""`file:` is for sites opened from disk, where 'self' means nothing in some browsers; a page from a web host can't load such files."""

_ADDRESS = re.compile(r' (href|src|action|data-[a-z-]+)="(/[^"]*)"')
_FORM = re.compile(r'<form\b[^>]*? action="(/[^"]*)"[^>]*>.*?</form>', re.DOTALL)
_NAVIGATION = re.compile(r"<nav\b.*?</nav>", re.DOTALL)
_LINK = re.compile(r'<a\b[^>]*? href="(/[^"]*)"[^>]*>[^<]*</a>\s*')
_FORMATS = re.compile(r'<p class="formats">.*?</p>', re.DOTALL)
_BLOCK = re.compile(r'(<script type="application/json" id="data"[^>]*>).*?(</script>)', re.DOTALL)
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._~-]{0,80}")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


class _Exporter:
    """The exporter of sites."""

    name, media_type, suffix, marker = "site", "application/zip", ".zip", "kg-site.json"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files(store, selection):
                entry = zipfile.ZipInfo(f"site/{name}", _FIRST_DAY)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, content)

    def files(self, store: Store, selection: Selection) -> Iterator[tuple[str, bytes]]:
        """Every file of the site. UsageError where the selection is larger than a browser can hold."""
        part = Part(store, selected_quads(store, selection, dataset=True))
        view = read_view(part)
        site = _Site(part, view, self.settings)
        if len(part.graph) > MOST_QUADS or len(site.pages) > MOST_PAGES:
            raise UsageError(
                f"{len(site.pages):,} pages and {len(part.graph):,} quads are more than a site holds ({MOST_PAGES:,}; {MOST_QUADS:,})",
                hint="choose a part with --about, --types, --predicates, --since or --min-confidence, or use kg serve",
            )
        yield from site.files()
        counts = {"pages": len(site.pages), "entities": len(view.nodes), "quads": len(part.graph)}
        yield self.marker, (json.dumps(counts) + "\n").encode()


class _Site:
    """One site: which page has which file, and how links are written."""

    def __init__(self, part: Part, view: View, settings: Settings) -> None:
        self.part, self.view = part, view
        self.base = part.namespace.base
        self.app: Flask = create_app(part, settings.replace(token=""))
        self.documents = Reading(part).documents()
        self.pages = {iri: self._file(iri) for iri in (*(node.iri for node in view.nodes), *(named.iri for named, _ in self.documents))}
        self.assets: set[str] = set()
        self.fixed = {path: name for path, name in _FIXED.items() if self._has(path)}

    def _has(self, path: str) -> bool:
        return any(rule.rule == f"/{path}" and "GET" in (rule.methods or ()) for rule in self.app.url_map.iter_rules())

    def _file(self, iri: str) -> str:
        """A name that every file system can hold; where the IRI's own is none, it is made of a hash."""
        kind, _, name = iri.removeprefix(f"{self.base}resource/").partition("/")
        if iri.startswith(self.base) and _PLAIN.fullmatch(kind) and _PLAIN.fullmatch(name):
            return f"{kind}/{name}.html"
        return f"{kind if _PLAIN.fullmatch(kind) else 'other'}/_{hashlib.sha256(iri.encode()).hexdigest()[:16]}.html"

    # -- files -------------------------------------------------------------------------------------------------

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Pages, data, scripts."""
        client = self.app.test_client()
        for path, name in self.fixed.items():
            yield name, self._page(client, f"/{path}", name)
        for iri, name in self.pages.items():
            yield name, self._page(client, "/" + iri.removeprefix(self.base), name)
        yield _TURTLE, client.get("/ontology.ttl").data
        yield "data/search.js", self._data("search", self._names())
        yield "data/graph.js", self._packed("graph", self.part.graph.dump(format=ox.RdfFormat.N_QUADS) or b"")
        yield "data/wasm.js", self._packed("wasm", (VENDOR / "oxigraph" / "web_bg.wasm").read_bytes())
        self.assets |= {"static/site.js", "vendor/oxigraph/oxigraph.min.js", "vendor/LICENSES.txt"}
        for name in sorted(self.assets - {"vendor/LICENSES.txt"}):
            yield (
                name,
                (
                    _STATIC / name.removeprefix("static/") if name.startswith("static/") else VENDOR / name.removeprefix("vendor/")
                ).read_bytes(),
            )
        yield "vendor/LICENSES.txt", _licences()

    def _page(self, client: FlaskClient, path: str, name: str) -> bytes:
        address = f"{path}?nodes={MOST_NODES}" if path == "/graph" else path
        response = client.get(address, headers=_HTML)
        if response.status_code != 200:
            raise StoreError(f"the page {address} can't be made", hint="`kg doctor` checks the store")
        text = response.text
        up = "../" * name.count("/")
        text = _FORM.sub(lambda found: found[0] if self._target(unescape(found[1])) else "", text)
        text = _NAVIGATION.sub(lambda nav: _LINK.sub(lambda found: found[0] if self._target(unescape(found[1])) else "", nav[0]), text)
        text = _FORMATS.sub(lambda found: found[0] if all(self._target(unescape(a)) for _, a in _ADDRESS.findall(found[0])) else "", text)
        text = _ADDRESS.sub(lambda found: self._written(found[1], found[2], name), text)
        text = text.replace(
            '<meta charset="utf-8">', f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">', 1
        )
        known = f'<script src="{up}static/site.js" data-root="{up}" data-base="{escape(self.base)}"></script>\n</head>'
        text = text.replace("</head>", known, 1)
        if path == "/graph":
            view = best_connected(self.view, MOST_NODES)
            data = as_data(view, self.part, lambda iri: self.pages.get(iri, ""), left_out=len(self.view.nodes) - len(view.nodes))
            text = _BLOCK.sub(lambda found: found[1] + as_block(data) + found[2], text, count=1)
        if path == "/search":
            text = text.replace("</main>", '<div id="hits" role="status"></div>\n</main>', 1)
        return text.encode()

    def _written(self, attribute: str, address: str, name: str) -> str:
        """An attribute with its address as seen from a page; nothing for what a static site lacks."""
        found = self._target(unescape(address))
        if found is None:
            return ""
        path, sign, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", found, re.DOTALL).groups()  # type: ignore[union-attr]
        return f' {attribute}="{escape(posixpath.relpath(path, posixpath.dirname(name) or ".") + sign + rest)}"'

    def _target(self, address: str) -> str | None:
        """The file, with query and fragment, that a path of the service has here."""
        path, sign, rest = re.fullmatch(r"/([^?#]*)([?#]?)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
        if path.startswith("queries/"):
            return f"query.html?example={path.removeprefix('queries/')}"
        if path.startswith(("static/", "vendor/")):
            self.assets.add(path)
            return path
        file = self.fixed.get(path) or self.pages.get(self.base + path) or {"suggest": "suggest", _TURTLE: _TURTLE}.get(path)
        return None if file is None else file + sign + rest

    # -- data --------------------------------------------------------------------------------------------------

    def _names(self) -> dict[str, object]:
        """What the search of a site looks through: entities, documents, and for links the prefixes."""
        short = len(self.base)
        entities = [[node.iri[short:], node.label, node.types[0], list(node.aliases), self.pages[node.iri]] for node in self.view.nodes]
        documents = [[named.iri[short:], named.label, date, self.pages[named.iri]] for named, date in self.documents]
        sentences = sorted({(e.sentence, self.pages.get(e.subject, "")) for e in (*self.view.edges, *self.view.literals) if e.sentence})
        return {"entities": entities, "documents": documents, "sentences": sentences, "prefixes": prefixes(self.part.namespace)}

    def _data(self, name: str, value: object) -> bytes:
        return f"kgSite.take({json.dumps(name)},{json.dumps(value, ensure_ascii=True, separators=(',', ':'))});\n".encode()

    def _packed(self, name: str, content: bytes) -> bytes:
        """Bytes as a script, since a page from disk may load nothing else: gzip, then Base64."""
        if name == "graph":
            content = b"".join(sorted(content.splitlines(keepends=True)))
        return self._data(name, base64.b64encode(gzip.compress(content, 9, mtime=0)).decode())


def _licences() -> bytes:
    """The licences of the bundles, one after the other."""
    found = sorted(path for path in VENDOR.glob("*/LICENSE*") if path.parent.name != "dejavu-fonts-ttf")
    return "\n\n".join(f"{path.parent.name}\n\n{path.read_text(encoding='utf-8')}" for path in found).encode()


def create(settings: Settings) -> _Exporter:
    """The exporter of static sites."""
    return _Exporter(settings)
