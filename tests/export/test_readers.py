"""Exports in the hands of other programs: igraph, Graphviz, an SVG renderer."""

from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import igraph
import networkx
import pytest

from kg.export import Selection, load_exporter, read_view
from kg.gold import GoldDocument, GoldEntity, GoldFact
from kg.model import Document, Text
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

LONG = 'Ünicode & <b>"long"</b> ]]> ' + "wörd " * 1000
SPACES = {"": "http://www.w3.org/2000/svg"}


def written(name: str, store: Store, selection: Selection | None = None, **settings: object) -> bytes:
    stream = io.BytesIO()
    load_exporter(name, Settings().replace(**settings))(store, selection or Selection(), stream)
    return stream.getvalue()


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory, put_annotated: Callable[[Reviser, Document, GoldDocument], None]) -> Iterator[Store]:
    """A store of 240 people, each the face of one or two of 12 houses, and one name of 5,000 characters."""
    with open_store(tmp_path_factory.mktemp("crowd") / "store", create=True) as made:
        people = [f"Person {chr(65 + n % 26)}{chr(97 + n // 26)}ville Number{n}" for n in range(240)] + [LONG.strip()]
        pairs = [(person, f"House {n % 12}") for n, person in enumerate(people)] + [
            (people[n], f"House {n * 7 % 12}") for n in range(0, 240, 5)
        ]
        facts, text = [], ""
        for person, house in dict.fromkeys(pairs):
            quote = f"{person} is the face of {house}"
            text += f"{quote}. "
            facts.append(GoldFact(person, "ambassadorOf", house, quote, ()))
        entities = (*(GoldEntity(person, "Person") for person in people), *(GoldEntity(f"House {n}", "Brand") for n in range(12)))
        put_annotated(
            Reviser(made, single_valued=frozenset()),
            Document("crowd", (Text("body", text),)),
            GoldDocument("crowd", None, entities, tuple(facts)),
        )
        yield made


# -- igraph and Graphviz ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), [("graphml", "graphml"), ("pajek", "pajek")])
def test_igraph_reads_back_what_networkx_reads(name: str, form: str, store: Store, tmp_path: Path) -> None:
    """The same number of nodes and edges, and for GraphML every attribute of both."""
    file = tmp_path / f"graph.{form}"
    file.write_bytes(written(name, store, Selection(measures=True)))
    graph, view = igraph.Graph.Read(str(file), format=form), read_view(store, Selection(measures=True))
    assert (graph.vcount(), graph.ecount()) == (len(view.nodes), len(view.edges))
    if form == "graphml":
        read = networkx.read_graphml(file, force_multigraph=True)
        for vertex in graph.vs:
            expected = read.nodes[vertex["id"]]
            assert {key: vertex[key] for key in expected} == expected
        assert {"label", "type", "wikidata", "degree", "betweenness"} <= set(graph.vs.attributes())
        assert {"predicate", "start", "end", "confidence", "sources", "sentence", "document_ids"} <= set(graph.es.attributes())
        assert sorted(graph.es["sentence"]) == sorted(edge.sentence for edge in view.edges)


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
@pytest.mark.parametrize("which", ["store", "hostile"])
def test_graphviz_draws_the_dot_file(which: str, request: pytest.FixtureRequest) -> None:
    """Every node and edge is drawn, without a warning, and no name becomes markup."""
    given = request.getfixturevalue(which)
    kept = given if which == "store" else given.store
    done = subprocess.run(["dot", "-Tsvg"], input=written("dot", kept), capture_output=True, timeout=60, check=True)
    assert not done.stderr
    classes = [group.get("class") for group in ElementTree.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}g")]
    view = read_view(kept)
    assert (classes.count("node"), classes.count("edge")) == (len(view.nodes), len(view.edges))
    assert b"<script" not in done.stdout


def test_gexf_has_the_structure_of_its_schema(store: Store) -> None:
    """GEXF 1.3: order of the parts, declared attributes, dates as xsd:date, edges between nodes that are there."""
    space = "{http://gexf.net/1.3}"
    root = ElementTree.fromstring(written("gexf", store, Selection(measures=True)))
    (graph,) = root
    assert (root.tag, root.get("version"), graph.tag) == (f"{space}gexf", "1.3", f"{space}graph")
    assert (graph.get("mode"), graph.get("timeformat"), graph.get("defaultedgetype")) == ("dynamic", "date", "directed")
    assert [part.tag.removeprefix(space) for part in graph] == ["attributes", "attributes", "nodes", "edges"]
    declared = {part.get("class"): {a.get("id"): a.get("type") for a in part} for part in graph if part.tag == f"{space}attributes"}
    nodes, edges = graph.findall(f"{space}nodes/{space}node"), graph.findall(f"{space}edges/{space}edge")
    ids = {node.get("id") for node in nodes}
    assert len(ids) == len(nodes)
    assert len({edge.get("id") for edge in edges}) == len(edges)
    for kind, elements in (("node", nodes), ("edge", edges)):
        for element in elements:
            for value in element.iter(f"{space}attvalue"):
                read = {"string": str, "integer": int, "double": float}[declared[kind][value.get("for")] or ""]
                assert value.get("value") == "" or read(value.get("value") or "") is not None
    for edge in edges:
        assert {edge.get("source"), edge.get("target")} <= ids
        for end in ("start", "end"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", edge.get(end) or "2000-01-01")
    assert any(edge.get("start") for edge in edges)


# -- pictures ---------------------------------------------------------------------------------------------------


def rectangles(svg: bytes) -> list[tuple[float, float, float, float]]:
    """Left, upper, right and lower side of every box and of every label on a line."""
    found = []
    for rect in list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"))[1:]:
        x, y, wide, high = (float(rect.get(name) or 0) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + wide, y + high))
    return found


@pytest.mark.parametrize(
    ("which", "width", "height"), [("store", 1600, 1000), ("crowd", 1600, 1000), ("crowd", 800, 600), ("store", 300, 300)]
)
def test_no_name_in_a_picture_lies_on_another(which: str, width: int, height: int, request: pytest.FixtureRequest) -> None:
    """Boxes and labels of lines are apart and inside the picture, with a legend of the types that are shown."""
    svg = written("svg", request.getfixturevalue(which), picture_width=width, picture_height=height)
    boxes = rectangles(svg)
    for number, (left, upper, right, lower) in enumerate(boxes):
        assert 0 <= left < right <= width
        assert 0 <= upper < lower <= height
        for other in boxes[:number]:
            assert left >= other[2] or other[0] >= right or upper >= other[3] or other[1] >= lower, (boxes[number], other)
    legend = [text.text or "" for text in ElementTree.fromstring(svg).findall("text", SPACES)]
    assert any(re.fullmatch(r"Person \d+", text) for text in legend)


def test_a_picture_shows_the_best_connected_and_says_what_it_left_out(crowd: Store) -> None:
    """All 200 fit at the usual size; the houses, which have most facts, are among them."""
    svg = written("svg", crowd).decode()
    boxes = [group for group in ElementTree.fromstring(svg).findall("g", SPACES) if group.find("text", SPACES) is not None]
    assert len(boxes) == 200
    assert {f"House {n}" for n in range(12)} <= {(box.findtext("title", "", SPACES)).split("\n")[0] for box in boxes}
    assert "53 more left out" in svg
    assert "--about" in svg


def test_text_of_a_picture_is_inert_and_legal(hostile: object, crowd: Store) -> None:
    """Markup, emoji, right-to-left text and 5,000 characters: well-formed XML without an element of theirs."""
    for kept in (hostile.store, crowd):  # type: ignore[attr-defined]
        root = ElementTree.fromstring(written("svg", kept))
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert names <= {"svg", "title", "style", "rect", "text", "g", "line", "polygon", "circle"}
        assert all(len(text.text or "") < 150 for text in root.iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize(("width", "height"), [(1600, 1000), (640, 480)])
def test_a_png_has_the_chosen_size(width: int, height: int, hostile: object) -> None:
    content = written("png", hostile.store, picture_width=width, picture_height=height)  # type: ignore[attr-defined]
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (width, height)


# -- long names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["graphml", "gexf", "rdfxml"])
def test_a_name_of_five_thousand_characters_is_whole_in_xml(name: str, crowd: Store) -> None:
    texts = {text for element in ElementTree.fromstring(written(name, crowd)).iter() for text in (element.text, *element.attrib.values())}
    assert LONG.strip() in texts
