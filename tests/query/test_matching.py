"""kg:matches in SPARQL: a join with what the search finds, in bounds, with nothing that a text could break out of."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import QuerySyntaxError
from kg.query.library import ask
from kg.query.run import run_query
from kg.query.search import find_nodes
from kg.settings import Settings
from kg.store import Store

SETTINGS = Settings()


def rows(store: Store, text: str) -> list[tuple[str, ...]]:
    return list(run_query(store, text, settings=SETTINGS).rows())


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ?n { ?e kg:matches "liv vane" ; rdfs:label ?n }',
        'SELECT ?n { ?e rdfs:label ?n ; kg:matchesName "liv vane" . }',
        'SELECT ?n { ?e rdfs:label ?n . ?e kg:matches "liv vane" . ?e a kg:Person }',
        "SELECT ?n { FILTER(?n != 'x') ?e kg:matches '''liv vane'''@en ; rdfs:label ?n }",
        'PREFIX o: <ontology#> SELECT ?n { ?e o:matches "liv\\u0020vane" . ?e rdfs:label ?n }',
        'SELECT ?n { ?e <http://localhost:8000/ontology#matches> "liv vane" . ?e rdfs:label ?n }',
        'SELECT ?n { (?e ?score) kg:matches ("liv vane" 5) . ?e rdfs:label ?n FILTER(?score > 0.9) }',
        'SELECT ?n { { SELECT ?e { ?e kg:matches ("liv vane") } } ?e rdfs:label ?n }',
        'SELECT ?n { OPTIONAL { ?x kg:matches "no such name" } BIND(1 AS ?y) ?e kg:matches "liv vane" ; rdfs:label ?n }',
        'SELECT ?n { ?e rdfs:label ?n FILTER EXISTS { ?e kg:matches "liv vane" } }',
        'SELECT ?n { GRAPH ?g { ?e kg:matches "liv vane" ; rdfs:label ?n } } LIMIT 1',
    ],
)
def test_a_search_joins_like_a_triple(library: Store, query: str) -> None:
    """Wherever a triple can stand, however it is written."""
    assert rows(library, query) == [("Liv Vane",)]


def test_kinds_have_properties_of_their_own(library: Store) -> None:
    """Names, sentences, documents; kg:matches is all of them."""
    found = {
        name: {iri for (iri,) in rows(library, f'SELECT ?x {{ ?x kg:{name} "tidewell" }}')}
        for name in ("matches", "matchesName", "matchesSentence", "matchesDocument")
    }
    assert found["matches"] == found["matchesName"] | found["matchesSentence"] | found["matchesDocument"]
    assert found["matchesName"] == {"brand/tidewell", "campaign/tidewell-undertow-campaign"}
    assert all(iri.startswith("evidence/") for iri in found["matchesSentence"])
    assert "document/tidewell-marsh" in found["matchesDocument"]


def test_scores_order_and_limits_bound(library: Store) -> None:
    """The second variable is the score, the number the most hits."""
    query = 'SELECT ?e ?s { (?e ?s) kg:matchesName ("tidewell" %s) } ORDER BY DESC(?s)'
    assert rows(library, query % "") == [("brand/tidewell", "1"), ("campaign/tidewell-undertow-campaign", "0.9")]
    assert rows(library, query % 1) == [("brand/tidewell", "1")]


def test_a_template_keeps_its_triple(library: Store) -> None:
    """CONSTRUCT writes kg:matches as what it is there: a property."""
    results = run_query(library, 'CONSTRUCT { ?e kg:matches "x" } WHERE { ?e kg:matches "liv vane" ; a kg:Person }', settings=SETTINGS)
    assert [str(o.value) for _, _, o in results] == ["x"]  # type: ignore[union-attr]


def test_a_parameter_can_be_the_text(library: Store) -> None:
    """So a named query can search."""
    query = "# title: t\n# parameter: text string – words\nSELECT ?n { ?e kg:matchesName $text ; rdfs:label ?n }"
    assert list(ask(library, "-", {"text": "noor"}, settings=SETTINGS, stdin=query).rows()) == [("Noor Marsh",)]
    for hostile in ('" } UNION { ?s ?p ?o } #', "') DROP ALL", '"""', "\\", "} VALUES ?n { 1"):
        assert list(ask(library, "-", {"text": hostile}, settings=SETTINGS, stdin=query).rows()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_the_text_is_never_read_as_sparql(library: Store, text: str) -> None:
    """Any literal finds just what the search finds."""
    found = {row[0].value for row in run_query(library, f"SELECT ?x {{ ?x kg:matches {ox.Literal(text)} }}", settings=SETTINGS)}  # type: ignore[union-attr]
    assert found == {iri for iri, _ in find_nodes(library, text)}


@pytest.mark.parametrize(
    ("query", "line", "column", "said"),
    [
        ("SELECT ?e {\n ?e kg:matches ?x }", 2, 5, "takes a text, not the variable ?x"),
        ("SELECT ?e { ?e kg:matches 5 }", 1, 16, "needs a text after it"),
        ('SELECT ?e { <x:y> kg:matches "a" }', 1, 19, "needs a variable before it"),
        ('SELECT ?e { ?e ^kg:matches "a" }', 1, 17, "can't stand here"),
        ('SELECT ?e { ?e kg:matches/rdfs:label "a" }', 1, 16, "needs a text after it"),
        ('SELECT ?e { ?e kg:matches "a", "b" }', 1, 30, "takes one text"),
        ('SELECT ?e { ?e kg:matches "a" ;\n kg:matches "b" }', 2, 2, "can search once"),
        ('SELECT ?e { (?e ?s) kg:matches "a" ; a kg:Person }', 1, 36, "nothing can follow"),
        ('SELECT ?e { ?e kg:matches ("a" 0) }', 1, 16, "from 1 to 1,000 hits"),
        ('SELECT ?e { ?e kg:matches ("a" 1001) }', 1, 16, "from 1 to 1,000 hits"),
        ('CONSTRUCT WHERE { ?e kg:matches "a" }', 1, 22, "can't stand here"),
        ('SELECT ?e { ?e kg:matches "a" } LIMT 1', 1, 33, "“LIMT” is not expected here"),
        ('SELECT ?e { ?e kg:matches "a }', 1, 27, "not closed"),
        ("SELECT ?e { ?e kg:matches", 1, 26, "ends too early"),
        ("SELECT * {" + '?e kg:matches "a" .' * 17 + "}", 1, 318, "can search 16 times"),
    ],
)
def test_faults_are_told_where_they_are(library: Store, query: str, line: int, column: int, said: str) -> None:
    """In the user's own text, not in what it became."""
    with pytest.raises(QuerySyntaxError, match=r"line \d+, column \d+: ") as caught:
        run_query(library, query, settings=SETTINGS)
    assert said in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)
