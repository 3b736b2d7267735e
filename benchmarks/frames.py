"""Milliseconds a frame of the interactive graph in Chromium, while the camera moves.

Writes the HTML file of an invented graph (preferential attachment), opens it without a screen and without a graphics card, waits for
the layout, and times frames while zooming and panning. With `--explorer` the service's explorer
draws it, too. With `--cytoscape FILE` (dist/cytoscape.min.js of the npm package `cytoscape`)
the same graph at the same places is timed with Cytoscape.js in the same run.

    python -m benchmarks.frames --nodes 5000
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from kg.export.page import create
from kg.export.view import Edge, Node, View
from kg.service import create_app
from kg.service.part import Part
from kg.settings import Settings
from kg.store import open_store

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
_TIMED = """move => new Promise(done => { const times = []; let last = performance.now(), n = 0;
  const tick = () => { const now = performance.now(); if (n) times.push(now - last); last = now;
    if (n++ < 60) { window.moved(n); requestAnimationFrame(tick); } else { times.sort((a, b) => a - b); done(times[30]); } };
  requestAnimationFrame(tick); })"""
_MOVE = "() => { window.moved = n => n === 1 && window.kgGraph.getCamera().animate({ratio: 0.3, x: 0.6}, {duration: 60000}); }"
_HOST = """<!doctype html><meta charset="utf-8"><div id="c" style="position:absolute;inset:0"></div><script>%s</script><script>
const cy = cytoscape({container: document.getElementById("c"), elements: %s, layout: {name: "preset"}, textureOnViewport: true,
  hideEdgesOnViewport: false, style: [{selector: "node", style: {label: "data(label)", width: 8, height: 8, "min-zoomed-font-size": 8}},
  {selector: "edge", style: {width: 1, "curve-style": "haystack"}}]});
window.moved = n => { cy.zoom(0.2 + 0.02 * n); cy.panBy({x: 3, y: 2}); };</script>"""


def invented(number: int) -> View:
    """A graph of so many nodes and one and a half times as many facts."""
    source, ends, pairs = random.Random(3), [0], []
    for each in range(1, number):
        for _ in range(1 + each % 2):
            other = source.choice(ends)
            pairs.append((each, other))
            ends += [each, other]
    kinds = ("Person", "Brand", "Product", "Event")
    iris = [f"http://localhost:8000/resource/thing/{each:06}" for each in range(number)]
    nodes = tuple(Node(iri, f"Entity {n}", (kinds[n % 4],), (), None, ("d",)) for n, iri in enumerate(iris))
    triple = ox.Triple(ox.NamedNode(iris[0]), ox.NamedNode(iris[0]), ox.NamedNode(iris[0]))
    edges = tuple(
        Edge(f"{n:020x}", f"f{n}", iris[one], "wore", iris[other], False, triple, None, None, 0.9, ("d",), 1, "An invented sentence.")
        for n, (one, other) in enumerate(pairs)
    )
    return View(nodes, edges, ())


def elements(view: View, places: dict[str, list[float]]) -> str:
    """The graph as Cytoscape.js takes it."""
    nodes: list[Any] = [
        {"data": {"id": n.iri, "label": n.label}, "position": {"x": places[n.iri][0], "y": places[n.iri][1]}} for n in view.nodes
    ]
    return json.dumps([*nodes, *({"data": {"id": e.id, "source": e.subject, "target": e.object}} for e in view.edges)])


@contextmanager
def explorer(view: View, folder: Path) -> Iterator[str]:
    """Address of the service's explorer with the whole view in it."""
    rdf, kg = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://localhost:8000/ontology#"
    triples: list[tuple[str, str, Any]] = []
    for node in view.nodes:
        triples += [(node.iri, f"{rdf}type", ox.NamedNode(kg + node.types[0]))]
        triples += [(node.iri, "http://www.w3.org/2000/01/rdf-schema#label", ox.Literal(node.label))]
    for edge in view.edges:
        fact, predicate = f"http://localhost:8000/resource/fact/{edge.id}", ox.NamedNode(kg + edge.predicate)
        ends = (("subject", ox.NamedNode(edge.subject)), ("predicate", predicate), ("object", ox.NamedNode(edge.object)))
        triples += [(fact, rdf + name, term) for name, term in ends]
    with open_store(folder, create=True) as whole:
        part = Part(whole, (ox.Quad(ox.NamedNode(s), ox.NamedNode(p), o) for s, p, o in triples))
        server = make_server("127.0.0.1", 0, create_app(part, Settings()), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/graph?nodes={len(view.nodes)}"
        server.shutdown()


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the median of 60 frames."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--cytoscape", type=Path)
    parser.add_argument("--explorer", action="store_true")
    given = parser.parse_args(arguments)
    view = invented(given.nodes)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        file = Path(scratch) / "graph.html"
        with file.open("wb") as stream:
            create(Settings()).write(view, stream)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        begin = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-state=ready]", timeout=240_000)
        print(f"{len(view.nodes)} nodes, {len(view.edges)} facts, {file.stat().st_size:,} bytes")
        print(f"laid out after {time.perf_counter() - begin:.1f} s")
        page.evaluate(_MOVE)
        print(f"sigma      {page.evaluate(_TIMED):6.1f} ms a frame", flush=True)
        if given.explorer:
            with explorer(view, Path(scratch) / "store") as address:
                begin = time.perf_counter()
                page.goto(address)
                page.wait_for_selector("#canvas canvas")
                print(f"explorer: drawn after {time.perf_counter() - begin:.1f} s", flush=True)
                page.wait_for_selector("body[data-state=ready]", timeout=240_000)
                print(f"explorer: laid out after {time.perf_counter() - begin:.1f} s", flush=True)
                page.evaluate(_MOVE)
                print(f"explorer   {page.evaluate(_TIMED):6.1f} ms a frame", flush=True)
        if given.cytoscape:
            places = page.evaluate("() => Object.fromEntries(window.kgGraph.getGraph().mapNodes((id, a) => [id, [a.x, a.y]]))")
            page.set_content("")
            other = Path(scratch) / "other.html"
            other.write_text(_HOST % (given.cytoscape.read_text(encoding="utf-8"), elements(view, places)), encoding="utf-8")
            page.goto(other.as_uri())
            page.wait_for_function("() => window.moved", timeout=120_000)
            page.wait_for_timeout(2000)
            print(f"cytoscape  {page.evaluate(_TIMED):6.1f} ms a frame", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
