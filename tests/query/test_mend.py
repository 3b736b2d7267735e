"""Queries that the engine answers otherwise than SPARQL 1.1 says are rewritten, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import QuerySyntaxError, UsageError
from kg.query.guard import iter_tokens
from kg.query.mend import MOST_GRAPHS, mend
from kg.query.run import Dataset, evaluate, run_query
from kg.settings import Settings
from kg.store import Store, open_store

DATA = """
<http://x/s> <http://x/p> "x"@en <http://x/g1> .
<http://x/t> <http://x/p> <http://x/o> <http://x/g1> .
<http://x/u> <http://x/p> <http://x/o> <http://x/g2> .
<http://x/d> <http://x/p> <http://x/o> .
<http://x/o> <http://x/p> <http://x/e> .
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two named graphs with something, one with nothing."""
    with open_store(tmp_path_factory.mktemp("mend") / "store", create=True, base="http://x/") as made:
        made.graph.load(DATA.encode(), format=ox.RdfFormat.N_QUADS)
        made.graph.add_graph(ox.NamedNode("http://x/g3"))
        yield made


def rows(store: Store, text: str, **options: object) -> list[str]:
    results = run_query(store, text, settings=Settings(), **options)  # type: ignore[arg-type]
    return sorted(" ".join(row).replace("http://x/", "") for row in results.rows())


def asked(text: str) -> str:
    """The rewritten query where the engine would find nothing."""
    return mend(text, list(iter_tokens(text)), lambda _: [])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "SELECT (?a * ?b AS ?c) { ?s ?p ?o FILTER(?a * (?b) > 2) }",
        "SELECT * { ?s <p>+ ?o . ?s <q>/<r>* ?o }",
        "SELECT * { ?s <p>* ?o }",
        "SELECT ?s { GRAPH ?g { ?s ?p ?o } GRAPH <x> { SELECT (COUNT(*) AS ?n) { ?a ?b ?c } } }",
        "SELECT ?s { GRAPH ?g { ?s ?p ?o MINUS { ?s ?p 1 } } }",
        "SELECT ?g ?n { GRAPH ?g { SELECT ?g (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?g } }",
        "CONSTRUCT { ?s ?p [] } WHERE { ?s ?p ?o BIND(BNODE() AS ?b) }",
        "SELECT * { ?s ?p 'GROUP_CONCAT(BNODE(1)) GRAPH ?g { VALUES' } # GRAPH ?g { SELECT",
    ],
)
def test_most_queries_stay(text: str) -> None:
    assert asked(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT ?x { <http://x/none> <http://x/p>* ?x }", ["none"]),
        ("SELECT ?x { ?x <http://x/p>? <http://x/none> }", ["none"]),
        ("PREFIX n: <http://x/n> SELECT ?x { ?y ?z 1 . n:one (n:p|^n:q)* ?x . }", []),
        ("PREFIX n: <http://x/n> SELECT ?x { OPTIONAL { n:one (n:p|^n:q)* ?x } FILTER(true) n:one n:p? ?x }", ["none"]),
        ("SELECT ?x { <none> <p>*/<q>? ?x }", ["none"]),
        ("SELECT ?x { <none> <p>*|<q>? ?x }", ["none", "none"]),
        ("SELECT ?x { <none> (<p>|!(<q>|^<r>))* ?x FILTER(?x = <none>) }", ["none"]),
        ("SELECT ?x { <none> <p>*/<q> ?x }", []),
        ("SELECT ?x { <none> <p>+ ?x }", []),
        ("SELECT ?x { <d> <p>* ?x }", ["d", "e", "o"]),
        ("SELECT ?x { <s> <p>* ?x }", ["s"]),
        ("SELECT ?x { GRAPH <g1> { <none> <p>* ?x } }", ["none"]),
        ("SELECT (1 AS ?x) { <none> <p>* <none> }", ["1"]),
        ("SELECT (1 AS ?x) { <none> <p>* <d> }", []),
        ("SELECT ?x { ?x <p> <o> MINUS { <d> <q>? ?x } }", []),
    ],
)
def test_a_path_of_length_zero_ends_at_its_constant(store: Store, text: str, expected: list[str]) -> None:
    """Whether or not any triple holds it; alternatives count twice, as the algebra has it."""
    assert rows(store, text) == expected


def test_the_graph_that_is_asked_decides_whether_a_constant_is_there(store: Store) -> None:
    only = Dataset(default=[ox.NamedNode("http://x/g2")])
    solutions = evaluate(store, "SELECT ?x { <http://x/d> <http://x/p>* ?x }", dataset=only)
    assert isinstance(solutions, ox.QuerySolutions)
    assert [str(row[0]) for row in solutions] == ["<http://x/d>"]
    assert rows(store, "SELECT ?x FROM <g2> { <d> <p>* ?x }") == ["d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT ?g ?x { GRAPH ?g { VALUES ?x { 1 } } }", ["g1 1", "g2 1", "g3 1"]),
        ("SELECT ?g ?x { GRAPH ?g { VALUES (?g ?x) { (<g1> 1) (UNDEF 2) (<no> 3) } BIND(1 AS ?y) FILTER(?x < 3) } }", 4),
        ("SELECT ?g ?s { GRAPH ?g { ?s <p> <o> MINUS { ?a ?b <o> } } }", ["g1 t", "g2 u"]),
        ("SELECT ?g ?s { GRAPH ?g { ?s <p> <o> MINUS { ?s ?b <o> } } }", []),
        ("SELECT ?g ?s { GRAPH ?g { SELECT ?s { ?s ?p ?o } } }", ["g1 s", "g1 t", "g2 u"]),
        ("SELECT ?g ?s { GRAPH ?g { SELECT * { ?s ?p ?o } } }", ["g1 s", "g1 t", "g2 u"]),
        ("SELECT ?g ?o ?n { GRAPH ?g { SELECT ?o (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?o } }", ["g1 o 1", "g1 x 1", "g2 o 1"]),
        ("SELECT ?g ?n { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }", ["g1 2", "g2 1", "g3 0"]),
        ("SELECT ?g ?n FROM NAMED <g2> { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }", ["g2 1"]),
        ("SELECT ?g ?n FROM <g2> { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }", []),
        ("SELECT ?g ?s { GRAPH ?g { SELECT ?s { ?s ?p ?o } ORDER BY ?s LIMIT 1 } }", ["g1 s", "g2 u"]),
        ("SELECT ?s { GRAPH ?g { { SELECT ?s { ?s ?p ?g } } } }", ["s", "t", "u"]),
    ],
)
def test_graph_with_a_variable_joins_graph_by_graph(store: Store, text: str, expected: list[str] | int) -> None:
    """Also where nothing, no triple or a query stands inside, and where a graph is empty."""
    found = rows(store, text)
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_counting_in_very_many_graphs_is_refused(tmp_path: Path) -> None:
    """Rather than answered wrongly; the hint is a way that works."""
    with open_store(tmp_path / "store", create=True, base="http://x/") as many:
        for number in range(MOST_GRAPHS + 1):
            many.graph.add(ox.Quad(*(ox.NamedNode(f"http://x/{part}") for part in ("s", "p", "o", f"g{number}"))))
        with pytest.raises(UsageError, match=f"possible in {MOST_GRAPHS} graphs"):
            rows(many, "SELECT * { GRAPH ?g { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }")
        text = "SELECT * { GRAPH ?g { SELECT ?g (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?g } }"
        assert len(rows(many, text)) == MOST_GRAPHS + 1


def test_concatenation_has_no_language(store: Store) -> None:
    text = """SELECT (GROUP_CONCAT(DISTINCT ?x; SEPARATOR=")") AS ?all) (LANG(GROUP_CONCAT(?x)) AS ?tag) { VALUES ?x { "a"@en "b"@en } }
        HAVING (STRLEN(GROUP_CONCAT(?x)) > 1)"""
    (found,) = rows(store, text)
    assert sorted(found.strip()) == [")", "a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?x (BNODE(?x) AS ?a) (BNODE(?x) AS ?b) { VALUES (?x ?y) { ('1' 1) ('1' 2) ('it is' 3) } }",
        "SELECT ?x ?a ?b { VALUES (?x ?y) { ('1' 1) ('1' 2) ('it is' 3) } BIND(BNODE(?x) AS ?a) BIND(BNODE(?x) AS ?b) }",
    ],
)
def test_blank_nodes_are_one_a_solution_and_text(store: Store, text: str) -> None:
    """The same for the same text in one solution, another one in the next, and any text will do."""
    found = [row.split(" _:") for row in rows(store, text)]
    assert all(first == second for _, first, second in found)
    assert len({first for _, first, _ in found}) == 3


def test_faults_are_told_of_the_text_that_was_given(store: Store) -> None:
    text = "SELECT ?x { <none> <p>* ?x . ?x <q> }"
    with pytest.raises(QuerySyntaxError) as caught:
        rows(store, text)
    assert caught.value.column == text.index("}") + 1
