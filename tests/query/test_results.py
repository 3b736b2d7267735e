"""Answers are written in every format that fits them, and say which fit."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from rdflib import Graph

from kg.errors import UsageError
from kg.query.results import FORMATS, Results
from kg.query.run import run_query
from kg.settings import Settings
from kg.store import Store

ROWS = "SELECT ?brand ?name ?none WHERE { ?brand a kg:Brand ; rdfs:label ?name }"
GRAPH = "CONSTRUCT { ?p kg:ambassadorOf ?b ; rdfs:label ?n } WHERE { ?p kg:ambassadorOf ?b ; rdfs:label ?n }"


def _run(store: Store, text: str) -> Results:
    return run_query(store, text, settings=Settings())


def test_rows_in_every_format(library: Store) -> None:
    """The same rows, unbound variables included."""
    results = _run(library, ROWS)

    found = json.loads(results.serialize("json"))
    assert found["head"]["vars"] == ["brand", "name", "none"]
    assert len(found["results"]["bindings"]) == len(results) == 4
    table = list(csv.reader(io.StringIO(results.serialize("csv").decode())))
    assert table[1] == ["http://localhost:8000/resource/brand/balenciaga", "Balenciaga", ""]
    assert results.serialize("tsv") == results.content
    assert len(ElementTree.fromstring(results.serialize("xml"))[1]) == 4


def test_rows_for_people(library: Store) -> None:
    """IRIs of the store lose their base, well-known ones get their prefix, others stay."""
    text = """SELECT ?a ?b ?c ?d ?e ?f {
      BIND(res:a\\/b AS ?a) BIND(kg:said AS ?b) BIND(wd:Q1 AS ?c) BIND(<http://x/> AS ?d) BIND('t'@en AS ?e) }"""
    results = _run(library, text)
    by_name = dict(zip(results.header, next(iter(results.rows())), strict=True))

    assert by_name == {"a": "a/b", "b": "kg:said", "c": "wd:Q1", "d": "http://x/", "e": "t", "f": ""}


def test_awkward_values_survive(library: Store) -> None:
    """What is in a row is what the engine found: tabs, quotes, languages, numbers, ill-typed values."""
    values = [
        '"a\\tb\\nc\\rd\\"e\\\\"',
        '"x"@en-GB',
        "1",
        "1.50",
        "1e0",
        '"abc"^^xsd:integer',
        "true",
        '"2024"^^xsd:gYear',
        '""',
        "UNDEF",
        "<a:b>",
    ]
    text = f"SELECT ?v {{ VALUES ?v {{ {' '.join(values)} }} }}"

    found = [row[0] for row in _run(library, text)]
    engine = [solution["v"] for solution in library.graph.query(text, prefixes={"xsd": "http://www.w3.org/2001/XMLSchema#"})]
    assert sorted(map(str, found)) == sorted(map(str, engine))


@pytest.mark.parametrize(("text", "answer"), [("ASK { ?s kg:said ?o }", True), ("ASK { ?s kg:never ?o }", False)])
def test_yes_and_no(library: Store, text: str, answer: bool) -> None:
    """ASK is a truth value, in every format."""
    results = _run(library, text)

    assert bool(results) is answer
    assert len(results) == 1
    assert list(results.rows()) == [(str(answer).lower(),)]
    assert json.loads(results.serialize("json"))["boolean"] is answer
    assert all(str(answer).lower().encode() in results.serialize(name) for name in ("xml", "csv", "tsv"))


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own reader of JSON-LD
@pytest.mark.parametrize(("name", "parser"), [("turtle", "turtle"), ("ntriples", "nt"), ("jsonld", "json-ld"), ("rdfxml", "xml")])
def test_graph_in_every_format(library: Store, name: str, parser: str) -> None:
    """rdflib reads the same triples back, whichever format they were written in."""
    results = _run(library, GRAPH)
    read = Graph().parse(data=results.serialize(name), format=parser)
    wanted = Graph().parse(data=results.content, format="nt")

    assert set(read) == set(wanted)
    assert len(read) == len(results) == 5


@pytest.mark.parametrize("name", ["trig", "nquads"])
def test_graph_as_dataset(library: Store, name: str) -> None:
    """In the formats of datasets a graph is the default graph."""
    results = _run(library, GRAPH)
    quads = list(ox.parse(results.serialize(name), format=FORMATS[name].writer))

    assert {quad.triple for quad in quads} == set(results.triples())
    assert all(quad.graph_name == ox.DefaultGraph() for quad in quads)


def test_turtle_is_pretty(library: Store) -> None:
    """Prefixes that are used are bound, and only those; subjects are grouped."""
    text = _run(library, GRAPH).serialize("turtle").decode()

    assert "@prefix kg: <http://localhost:8000/ontology#> ." in text
    assert "wdt:" not in text
    assert "<http://localhost:8000/resource/person/noor-marsh> kg:ambassadorOf <http://localhost:8000/resource/brand/tidewell> ;" in text


def test_format_that_does_not_fit(library: Store) -> None:
    """Rows are no graph, a graph no rows, and what fits is listed."""
    with pytest.raises(UsageError, match="json, xml, csv, tsv"):
        _run(library, ROWS).serialize("turtle")
    with pytest.raises(UsageError, match="turtle, ntriples"):
        _run(library, GRAPH).serialize("csv")
    with pytest.raises(UsageError, match="nonsense"):
        _run(library, GRAPH).serialize("nonsense")


def test_formats_have_media_types() -> None:
    """Every format can be negotiated, and names are unique."""
    assert len({each.media_type for each in FORMATS.values()}) == len(FORMATS) == 10
    assert all(name == each.name for name, each in FORMATS.items())


def test_describe_and_iteration(library: Store) -> None:
    """A graph's rows are its triples, in a fixed order."""
    results = _run(library, "DESCRIBE <resource/person/noor-marsh>")

    assert results.header == ("subject", "predicate", "object")
    assert ("person/noor-marsh", "kg:ambassadorOf", "brand/tidewell") in set(results.rows())
    assert [ox.Triple(*row) for row in results] == results.triples()  # type: ignore[arg-type]
    assert bool(results)
    assert not _run(library, "SELECT * { ?s kg:never ?o }")


def test_rows_without_variables(library: Store) -> None:
    """SELECT * of nothing has one row without columns."""
    results = _run(library, "SELECT * { }")

    assert (results.header, list(results.rows())) == ((), [()])
