"""Every shape is kept by one example and broken, alone, by another; both SHACL engines say so."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from kg.model import Violation
from kg.rdf.ontology import ontology_folder, read_turtle
from kg.settings import Settings
from kg.validate import Shapes, check, load_shapes

SETTINGS = Settings()
EXAMPLES = ontology_folder(SETTINGS) / "examples"
SHAPE = f"{SETTINGS.base}ontology/shapes#"
GRAPH = read_turtle(ontology_folder(SETTINGS) / "shapes.ttl", SETTINGS.base)
NAMES = sorted({str(node).removeprefix(SHAPE) for kind in (SH.NodeShape, SH.PropertyShape) for node in GRAPH.subjects(RDF.type, kind)})
WARNINGS = {"BrandOverlap", "EntitySingleValue", "EntityTypeClash", "FactConflict", "FactPeriod"}


@cache
def loaded(engine: str) -> Shapes:
    return load_shapes(SETTINGS, fast=engine == "shacl")


def shapes(engine: str) -> Shapes:
    found = loaded(engine)
    if engine == "shacl" and found.compiled is None:
        pytest.skip("the fast engine is not installed")
    return found


@cache
def example(kind: str, name: str) -> str:
    return read_turtle(EXAMPLES / kind / f"{name}.ttl", SETTINGS.base).serialize(format="nt")


@cache
def results(kind: str, name: str, engine: str) -> tuple[Violation, ...]:
    return tuple(check(example(kind, name), shapes(engine)))


def focus_nodes(graph: Graph, shape: URIRef) -> set[Node]:
    found: set[Node] = set()
    for target in GRAPH.objects(shape, SH.targetClass):
        found |= set(graph.subjects(RDF.type, target))
    for target in GRAPH.objects(shape, SH.targetSubjectsOf):
        found |= set(graph.subjects(target, None))
    for target in GRAPH.objects(shape, SH.targetObjectsOf):
        found |= set(graph.objects(None, target))
    return found


def test_shapes_and_examples_are_the_same_set() -> None:
    """No shape without its two examples, no example without its shape."""
    for kind in ("valid", "invalid"):
        assert sorted(path.stem for path in (EXAMPLES / kind).glob("*.ttl")) == NAMES


@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
@pytest.mark.parametrize("name", NAMES)
def test_valid_example_has_no_result(name: str, engine: str) -> None:
    """The valid example holds a node that the shape looks at, and conforms to all shapes."""
    data = Graph().parse(data=example("valid", name), format="nt")
    assert focus_nodes(data, URIRef(SHAPE + name))
    assert results("valid", name, engine) == ()


@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
@pytest.mark.parametrize("name", NAMES)
def test_invalid_example_breaks_just_its_shape(name: str, engine: str) -> None:
    """Every result of the invalid example comes from the shape of the same name, with its message and severity."""
    found = results("invalid", name, engine)
    assert {violation.shape for violation in found} == {SHAPE + name}
    assert {violation.severity for violation in found} == {"Warning" if name in WARNINGS else "Violation"}
    assert {violation.message for violation in found} == {str(GRAPH.value(URIRef(SHAPE + name), SH.message))}


@pytest.mark.parametrize("name", NAMES)
def test_engines_agree(name: str) -> None:
    """Both engines give the same results, term by term."""
    assert results("invalid", name, "shacl") == results("invalid", name, "pyshacl")


@pytest.mark.parametrize("name", NAMES)
def test_shape_is_complete(name: str) -> None:
    """A shape has an IRI, a target of its own, a message and a severity."""
    node = URIRef(SHAPE + name)
    assert len(list(GRAPH.objects(node, SH.message))) == 1
    assert len(list(GRAPH.objects(node, SH.severity))) == 1
    assert any(GRAPH.value(node, target) for target in (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf))


def test_no_result_can_name_a_blank_node() -> None:
    """Blank nodes are parts of a logical constraint only: none has a target or is a property of a shape."""
    assert not list(GRAPH.objects(None, SH.property))
    for target in (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode):
        assert not [node for node in GRAPH.subjects(target, None) if isinstance(node, BNode)]


def test_severities_are_by_what_decides_them() -> None:
    """Just what takes more than one document is a warning, and only the fused view has what it looks at."""
    found = {str(node).removeprefix(SHAPE) for node in GRAPH.subjects(SH.severity, SH.Warning)}
    assert found == WARNINGS


def test_dates_are_compared_as_text() -> None:
    """No SPARQL constraint compares dates by value, which one engine does not support."""
    for query in GRAPH.objects(None, SH.select):
        lines = [line for line in str(query).splitlines() if "?start" in line and ("<" in line or ">" in line) and "FILTER" in line]
        assert all("STR(" in line for line in lines if "kg:startDate" in str(query)), query


@pytest.mark.parametrize("base", ["http://localhost:8000/", "https://news.example/graph/"])
def test_shapes_work_under_any_base(base: str) -> None:
    """The SPARQL constraints find their terms under the base of the store."""
    settings = SETTINGS.replace(base=base)
    data = read_turtle(EXAMPLES / "invalid" / "StatementPeriod.ttl", base).serialize(format="nt")
    for fast in (True, False):
        found = check(data, load_shapes(settings, fast=fast))
        assert [violation.shape for violation in found] == [f"{base}ontology/shapes#StatementPeriod"]


PERIODS = [
    ("2024-03", "2024", True),
    ("2024", "2024-03", True),
    ("2024-03-05", "2024-03", True),
    ("2024-03", "2024-03-05", True),
    ("2024-03-05", "2024-03-05", True),
    ("2024", "2023-12-31", False),
    ("2024-03", "2024-02-28", False),
    ("2024-03-05", "2024-03-04", False),
]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("start", "end", "fits"), PERIODS)
def test_partial_dates_are_compared_on_their_common_length(start: str, end: str, fits: bool, fast: bool) -> None:
    """A month does not start after its year: only what both dates state is compared."""
    graph = read_turtle(EXAMPLES / "valid" / "Statement.ttl", SETTINGS.base)
    node = URIRef(f"{SETTINGS.base}resource/statement/1")
    for local, value in (("startDate", start), ("endDate", end)):
        kind = {4: "gYear", 7: "gYearMonth", 10: "date"}[len(value)]
        datatype = URIRef(f"http://www.w3.org/2001/XMLSchema#{kind}")
        graph.add((node, URIRef(f"{SETTINGS.base}ontology#{local}"), Literal(value, datatype=datatype, normalize=False)))
    found = check(graph.serialize(format="nt"), shapes("shacl" if fast else "pyshacl"))
    assert [violation.shape for violation in found] == ([] if fits else [SHAPE + "StatementPeriod"])


def test_example_files_name_their_shape() -> None:
    """Who opens an example reads first which shape it is for, and why."""
    for path in sorted(Path(EXAMPLES).glob("*/*.ttl")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert f"shape:{path.stem}" in first
