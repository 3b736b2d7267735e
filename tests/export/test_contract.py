"""What every export format promises, read back by a real reader."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import arro3.io
import networkx
import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from kg.errors import NotFound, UsageError
from kg.export import Exporter, Selection, load_exporter, read_view, write_file
from kg.export.network import to_networkx
from kg.plugins import list_plugins
from kg.settings import Settings
from kg.store import Store

pytestmark = [  # rdflib warns of its own calls
    pytest.mark.filterwarnings("ignore:Dataset:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]


@dataclass(frozen=True)
class Read:
    """What a reader found: how many nodes and edges, and every string."""

    nodes: int
    edges: int
    strings: frozenset[str]


def of_graph(graph: networkx.Graph) -> Read:
    found = {str(key) for key in graph.nodes}
    rows = [data for _, data in graph.nodes(data=True)] + [data for _, _, data in graph.edges(data=True)]
    for value in (value for row in rows for value in row.values()):
        found |= set(map(str, value)) if isinstance(value, list) else {str(value)}
    return Read(graph.number_of_nodes(), graph.number_of_edges(), frozenset(found))


def of_zip(content: bytes) -> Read:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {name: list(csv.reader(io.StringIO(archive.read(name).decode(), newline=""))) for name in archive.namelist()}
    strings = {cell for rows in tables.values() for row in rows for cell in row}
    return Read(len(tables["nodes.csv"]) - 1, len(tables["edges.csv"]) - 1, frozenset(strings))


def of_parquet(content: bytes) -> Read:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {name: arro3.io.read_parquet(io.BytesIO(archive.read(name))).read_all() for name in archive.namelist()}
    cells = (value.as_py() for table in tables.values() for column in table.columns for chunk in column.chunks for value in chunk)
    strings = frozenset("" if cell is None else str(cell) for cell in cells)
    return Read(tables["nodes.parquet"].num_rows, tables["edges.parquet"].num_rows, strings)


def of_svg(content: bytes) -> Read:
    """A box is a node with its title, a group with arrow heads is all facts between two."""
    root = ElementTree.fromstring(content)
    spaces = {"": "http://www.w3.org/2000/svg"}
    groups = root.findall("g", spaces)
    titles = [group.findtext("title", "", spaces) for group in groups]
    lines = [title for group, title in zip(groups, titles, strict=True) if group.find("text", spaces) is None]
    boxes = [title for group, title in zip(groups, titles, strict=True) if group.find("text", spaces) is not None]
    strings = {part for title in boxes for part in title.split("\n")[:1]} | {
        fact.partition(": ")[2] for line in lines for fact in line.split("\n")
    }
    return Read(len(boxes), sum(line.count("\n") + 1 for line in lines), frozenset(strings))


def of_html(content: bytes) -> Read:
    (block,) = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', content, re.DOTALL)
    data = json.loads(block)
    known = {node["id"] for node in data["nodes"]}
    strings = {str(value) for row in (*data["nodes"], *data["facts"]) for value in row.values()}
    return Read(len(known), sum(fact["object"] in known for fact in data["facts"]), frozenset(strings))


def of_dot(content: bytes) -> Read:
    """By the grammar of DOT: a quoted string ends at the first quote that has no backslash before it."""
    lines = [line for line in content.decode().splitlines() if line.startswith('  "')]
    strings = set()
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="=[],;")
        lexer.quotes = '"'
        strings |= {token.replace("&amp;", "&") for token in lexer}
    edges = sum(line.partition('" -> "')[1] != "" and line.index('" -> "') < line.index(" [") for line in lines)
    return Read(len(lines) - edges, edges, frozenset(strings))


NETWORKS: dict[str, Callable[[bytes], Read]] = {
    "csv": of_zip,
    "cytoscape": lambda content: of_graph(networkx.cytoscape_graph(json.loads(content))),
    "dot": of_dot,
    "gexf": lambda content: of_graph(networkx.read_gexf(io.BytesIO(content), version="1.3")),
    "html": of_html,
    "parquet": of_parquet,
    "svg": of_svg,
    "graphml": lambda content: of_graph(networkx.read_graphml(io.BytesIO(content), force_multigraph=True)),
    "node-link": lambda content: of_graph(networkx.node_link_graph(json.loads(content))),
    "pajek": lambda content: of_graph(networkx.parse_pajek(content.decode())),
}
RDF = {"jsonld": "json-ld", "nquads": "nquads", "ntriples": "nt11", "rdfxml": "xml", "trig": "trig", "turtle": "turtle"}
DATASETS = ("jsonld", "nquads", "trig")


def written(name: str, store: Store, selection: Selection | None = None) -> bytes:
    stream = io.BytesIO()
    load_exporter(name, Settings())(store, selection or Selection(), stream)
    assert not stream.closed
    return stream.getvalue()


def test_every_shipped_format_has_a_reader_here() -> None:
    assert {plugin.name for plugin in list_plugins(["exporters"]) if plugin.origin == "kg"} == {
        *NETWORKS,
        *RDF,
        "png",
        "quickstatements",
        "site",
    }


@pytest.mark.parametrize("name", sorted({*NETWORKS, *RDF, "png"}))
def test_an_exporter_says_what_it_is(name: str) -> None:
    exporter = load_exporter(name, Settings())
    assert isinstance(exporter, Exporter)
    assert exporter.name == name
    assert "/" in exporter.media_type
    assert exporter.suffix.startswith(".")


@pytest.mark.parametrize("name", sorted({*NETWORKS, *RDF, "png"}))
def test_equal_graphs_give_equal_bytes(name: str, store: Store) -> None:
    assert written(name, store) == written(name, store)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_network_reads_back_with_equal_counts(name: str, store: Store) -> None:
    view = read_view(store)
    read = NETWORKS[name](written(name, store))
    assert (read.nodes, read.edges) == (len(view.nodes), len(view.edges))
    assert {node.label for node in view.nodes} <= read.strings


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_selected_network_holds_the_selection(name: str, store: Store) -> None:
    read = NETWORKS[name](written(name, store, Selection(about=("France",))))
    assert (read.nodes, read.edges) == (2, 1)


@pytest.mark.parametrize("name", sorted({**NETWORKS, **RDF}))
def test_an_empty_selection_is_a_file_all_the_same(name: str, store: Store) -> None:
    content = written(name, store, Selection(min_confidence=2.0))
    if name in NETWORKS:
        assert NETWORKS[name](content).nodes == 0
    else:
        assert len(rdflib.Dataset().parse(data=content, format=RDF[name])) == 0


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_markup_quotes_emoji_and_right_to_left_text_survive_in_a_network(name: str, hostile: Any) -> None:
    read = NETWORKS[name](written(name, hostile.store))
    assert {hostile.person, hostile.brand} <= read.strings
    if name != "pajek":  # which has no room for sentences
        assert hostile.quote in read.strings


@pytest.mark.parametrize("name", ["graphml", "gexf", "rdfxml", "svg"])
def test_markup_in_text_is_no_element_of_xml(name: str, hostile: Any) -> None:
    content = written(name, hostile.store)
    assert b"<script" not in content
    assert b"]]>" not in content


@pytest.mark.parametrize("name", sorted(RDF))
def test_rdf_reads_back_isomorphic(name: str, store: Store) -> None:
    if name in DATASETS:
        read = rdflib.Dataset().parse(data=written(name, store), format=RDF[name])
        expected = rdflib.Dataset().parse(data=store.graph.dump(format=ox.RdfFormat.N_QUADS), format="nquads")
        assert {tuple(map(str, quad)) for quad in read} == {tuple(map(str, quad)) for quad in expected}
    else:
        default = store.graph.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
        assert isomorphic(
            rdflib.Graph().parse(data=written(name, store), format=RDF[name]), rdflib.Graph().parse(data=default, format="nt11")
        )


@pytest.mark.parametrize("name", sorted(RDF))
def test_markup_quotes_emoji_and_right_to_left_text_survive_in_rdf(name: str, hostile: Any) -> None:
    read = rdflib.Dataset().parse(data=written(name, hostile.store), format=RDF[name])
    strings = {str(quad[2]) for quad in read}
    assert {hostile.person, hostile.brand, hostile.quote} <= strings
    assert (hostile.words.replace("\x0c", "\ufffd") if name == "rdfxml" else hostile.words) in strings


@pytest.mark.parametrize("name", sorted(RDF))
def test_selected_rdf_is_part_of_the_whole_and_leads_to_sentences(name: str, store: Store) -> None:
    whole = rdflib.Dataset().parse(data=written(name, store), format=RDF[name])
    part = rdflib.Dataset().parse(data=written(name, store, Selection(about=("Hugo Valmy",))), format=RDF[name])
    assert {tuple(map(str, quad)) for quad in part} < {tuple(map(str, quad)) for quad in whole}
    strings = {str(quad[2]) for quad in part}
    assert "was founded by Hugo Valmy" in strings
    assert "Liv Vane" not in strings
    predicates = {str(quad[1]).rpartition("#")[2] for quad in part}
    assert {"founderOf", "confidence", "evidence", "quote"} <= predicates
    assert "ambassadorOf" not in predicates
    assert ("refersTo" in predicates) == (name in DATASETS)


def test_turtle_binds_prefixes_and_base(store: Store) -> None:
    text = written("turtle", store).decode()
    assert "@prefix kg: <http://localhost:8000/ontology#> ." in text
    assert "kg:ambassadorOf" in text


def test_jsonld_has_a_context(store: Store) -> None:
    content = json.loads(written("jsonld", store))
    assert "@context" in content
    assert b"ontology#ambassadorOf" not in written("jsonld", store)


def test_triples_of_a_query_are_written_as_they_are(store: Store) -> None:
    triples = frozenset(store.graph.query("CONSTRUCT WHERE { ?s <http://localhost:8000/ontology#founderOf> ?o }"))  # type: ignore[arg-type]
    assert len(rdflib.Graph().parse(data=written("turtle", store, Selection(triples=triples)), format="turtle")) == 1  # type: ignore[arg-type]


def test_gexf_has_periods_as_whole_days(store: Store) -> None:
    graph = networkx.read_gexf(io.BytesIO(written("gexf", store)), version="1.3")
    spells = {(data.get("start"), data.get("end")) for _, _, data in graph.edges(data=True)}
    assert ("2010-01-01", "2020-12-31") in spells


def test_tables_are_two_files_beside_each_other_or_one_archive(store: Store, tmp_path: Path) -> None:
    exporter = load_exporter("csv", Settings())
    made = write_file(exporter, store, Selection(), tmp_path / "graph.csv")
    assert [path.name for path in made] == ["graph-nodes.csv", "graph-edges.csv"]
    assert made[1].read_text(encoding="utf-8").startswith("source,target,")
    assert write_file(exporter, store, Selection(), tmp_path / "graph.zip") == [tmp_path / "graph.zip"]
    assert sorted(path.name for path in tmp_path.glob("graph*")) == ["graph-edges.csv", "graph-nodes.csv", "graph.zip"]


def test_a_place_that_cannot_be_written_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        write_file(load_exporter("dot", Settings()), store, Selection(), tmp_path / "missing" / "graph.dot")


def test_an_unknown_format_suggests_near_ones() -> None:
    with pytest.raises(NotFound, match="graphml"):
        load_exporter("graphmll", Settings())


def test_the_networkx_view_has_what_its_description_says(store: Store) -> None:
    graph = to_networkx(store, about="Liv Vane", hops=1)
    vane = "http://localhost:8000/resource/person/liv-vane"
    assert graph.nodes[vane]["type"] == "Person"
    assert graph.nodes[vane]["occupation"] == ["actress"]
    ((key, data),) = (
        (key, data)
        for _, value, key, data in graph.out_edges(vane, keys=True, data=True)
        if data["predicate"] == "ambassadorOf" and "start" in data
    )
    assert len(key) == 20
    assert data["documents"] == ["orsenne-vane-face", "vane-wire"]
    assert data["sources"] == 2
