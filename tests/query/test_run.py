"""Queries are answered with base and prefixes at hand, within bounds, and faults are told in the user's own text."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import QuerySyntaxError, ResultTooLarge, StoreError, UsageError
from kg.query.run import evaluate, run_query
from kg.settings import Settings
from kg.store import Store

SETTINGS = Settings()
NASTY = [
    'a "quoted" name',
    "it's } UNION { ?s ?p ?o } #",
    "# no comment",
    "new\nline\r\ttab",
    "back\\slash \\u0022",
    '"""',
    "'''",
    ") } LIMIT 0 #",
    "$brand ?x",
    "é😀\u2028",
    "",
    "<http://x/>",
]


def _bound(store: Store, term: ox.NamedNode | ox.Literal, text: str = "SELECT $p WHERE { }") -> list[tuple[object, ...]]:
    return list(run_query(store, text, settings=SETTINGS, parameters={"p": term}))


def test_prefixes_and_base_are_at_hand(library: Store) -> None:
    """Nothing needs to be declared."""
    text = """SELECT ?name WHERE { <resource/person/liv-vane> a kg:Person ; rdfs:label ?name .
        FILTER(STRSTARTS(STR(res:x), "http://localhost:8000/resource/") && rdf:a != owl:a && xsd:a != skos:a && schema:a != prov:a)
        FILTER(oa:a != wd:Q1 && wdt:P1 != p:P1 && ps:P1 != pq:P1) }"""

    assert [row[0] for row in run_query(library, text, settings=SETTINGS).rows()] == ["Liv Vane"]


def test_own_prefix_wins(library: Store) -> None:
    """A declared prefix is what the query says it is."""
    results = run_query(library, "PREFIX kg: <http://x/> SELECT ?x { BIND(kg:a AS ?x) }", settings=SETTINGS)

    assert list(results.rows()) == [("http://x/a",)]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("SELECT ?s WHERE {\n ?s ?p ?o \n FILTER(?o = )}", 3, 14, "“)” is not expected here"),
        ("SELECT ?s WHERE {", 1, 18, "ends too early"),
        ("SELECT ?s WHERE { ?s foo:bar ?o }", 1, 22, "“foo:bar”: prefix not found"),
        ("# é {\nSELEC ?s { }", 2, 1, "“SELEC”"),
        ("SELECT ?s {\n\n ?s ?p 'open }", 3, 8, "the string that begins here is not closed"),
        ("SELECT (AVG(?x) WHERE { ?x ?p ?y }", 1, 17, "“WHERE”"),
        ("SELECT ?a ?a WHERE { ?a ?b ?c }", 1, 31, "duplicated variable name"),
        ("SELECT ?x { ?x ?p ?y } ; DROP ALL", 1, 24, "“;”"),
        ("SELECT ?x { ?x ?p ?y }}", 1, 23, "“}”"),
        ("SELECT * WHERE { ?s a ?t } GROUP BY ?s", 1, 37, "SELECT * is not authorized with GROUP BY"),
        ("", 1, 1, "ends too early"),
        ("SELECT ?x {\n ?x ?p ?y\n OPTIONL { ?x ?p ?z } }", 3, 2, "“OPTIONL”"),
    ],
)
def test_syntax_error_tells_line_and_column(library: Store, text: str, line: int, column: int, said: str) -> None:
    """One line that names the place and the word, not what the parser would have liked."""
    with pytest.raises(QuerySyntaxError) as caught:
        run_query(library, text, settings=SETTINGS)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert said in caught.value.message
    assert "\n" not in str(caught.value)


def test_position_is_that_of_the_text_without_parameters(library: Store) -> None:
    """Parameters take place in the text, but not in positions."""
    text = "SELECT ?x {\n ?x ?p $a . $b = 1 }"
    parameters = {"a": ox.Literal("long " * 20), "b": ox.Literal("x")}

    for first, column in ((text, 16), (text.replace("\n", " "), 28)):
        with pytest.raises(QuerySyntaxError) as caught:
            run_query(library, first, settings=SETTINGS, parameters=parameters)
        assert caught.value.column == column


def test_too_many_rows_are_an_error(library: Store) -> None:
    """Never cut silently: rows, triples, and just as many as allowed."""
    few = SETTINGS.replace(query_rows=5)

    assert len(run_query(library, "SELECT ?s { ?s ?p ?o } LIMIT 5", settings=few)) == 5
    assert len(run_query(library, "CONSTRUCT WHERE { ?s a kg:Organization }", settings=few)) == 2
    for text in ("SELECT ?s { ?s ?p ?o } LIMIT 6", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"):
        with pytest.raises(ResultTooLarge, match="more than 5 rows"):
            run_query(library, text, settings=few)


def test_same_answer_is_same_bytes(library: Store) -> None:
    """Without ORDER BY rows are sorted; with it they stay."""
    unordered = run_query(library, "SELECT ?s ?n { ?s rdfs:label ?n }", settings=SETTINGS)
    ordered = run_query(library, "SELECT ?n { ?s rdfs:label ?n } ORDER BY DESC(?n)", settings=SETTINGS)
    inner = run_query(library, "SELECT ?n { { SELECT ?n { ?s rdfs:label ?n } ORDER BY DESC(?n) } }", settings=SETTINGS)

    assert unordered.content.splitlines()[1:] == sorted(unordered.content.splitlines()[1:])
    assert list(ordered.rows()) == sorted(ordered.rows(), reverse=True)
    assert inner.content.splitlines()[1:] == sorted(inner.content.splitlines()[1:])


@pytest.mark.parametrize("text", NASTY)
def test_parameter_is_a_value_whatever_it_holds(library: Store, text: str) -> None:
    """Quotes, braces and comments in a value are just its characters."""
    assert _bound(library, ox.Literal(text)) == [(ox.Literal(text),)]


@given(text=st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=30))
def test_any_text_can_be_a_parameter(text: str, library: Store) -> None:
    """No text changes what the query asks."""
    assert _bound(library, ox.Literal(text), "SELECT $p (1 AS ?one) WHERE { }") == [(ox.Literal(text), ox.Literal(1))]


def test_parameter_may_be_anywhere(library: Store) -> None:
    """In SELECT or not, in groups, paths, filters and templates."""
    brand = ox.NamedNode(library.namespace.entity("brand/tidewell"))

    for text in (
        "SELECT $p ?x { ?x kg:ambassadorOf $p }",
        "SELECT ?x { ?x kg:ambassadorOf $p }",
        "SELECT (COUNT(*) AS ?n) WHERE { ?x kg:ambassadorOf ?p } GROUP BY ?x",
        "SELECT ?x { ?x kg:ambassadorOf ?b FILTER(?b = $p) }",
        "SELECT ?x { { ?x kg:ambassadorOf $p } UNION { ?x kg:ambassadorOf $p MINUS { $p a kg:Brand } } }",
        "# {\nCONSTRUCT { ?x a [ kg:of $p ] } FROM <resource/x> WHERE { }",
        "CONSTRUCT { ?x kg:likes $p } WHERE { ?x kg:ambassadorOf $p }",
        "DESCRIBE ?x WHERE { ?x kg:ambassadorOf $p }",
    ):
        results = run_query(library, text, settings=SETTINGS, parameters={"p": brand})
        assert results.form == "graph" or len(results) == 2
    assert not run_query(library, "ASK { ?x kg:castMemberOf $p }", settings=SETTINGS, parameters={"p": brand})


@pytest.mark.parametrize("text", ["CONSTRUCT WHERE { ?s ?p ?o }", "DESCRIBE <a:b>", "SELECT * WHERE { SELECT * { ?s ?p ?o } }"])
def test_forms_without_a_place_for_parameters(library: Store, text: str) -> None:
    """Where parameters can't be put in, that is said."""
    with pytest.raises(UsageError, match="takes no parameters"):
        run_query(library, text, settings=SETTINGS, parameters={"p": ox.Literal("x")})


@pytest.mark.parametrize("name", ["a b", "x} #", "1", "", "?x"])
def test_name_of_a_parameter_is_a_name(library: Store, name: str) -> None:
    """A name can't carry anything else either."""
    with pytest.raises(UsageError, match="can't be a parameter"):
        run_query(library, "ASK { }", settings=SETTINGS, parameters={name: ox.Literal("x")})


def test_closed_store_is_an_error_of_the_tree(tmp_path: object, library: Store) -> None:
    """Faults of the engine don't come through as they are."""

    class _Broken:
        namespace = library.namespace

        @property
        def graph(self) -> _Broken:
            return self

        def query(self, text: str, **options: object) -> None:
            raise OSError("disk\nerror")

    with pytest.raises(StoreError, match="disk error"):
        evaluate(_Broken(), "ASK { }")  # type: ignore[arg-type]
