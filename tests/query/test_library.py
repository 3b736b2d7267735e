"""Named queries are found, take typed parameters that can't change them, and say what is wrong with what is given."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import NotFound, OntologyError, UsageError
from kg.query.library import ask, find_query, load_queries, read_query
from kg.query.parameters import Parameter, bind_parameters, find_entity, read_date
from kg.settings import Settings
from kg.store import Store

SETTINGS = Settings()


def _id(store: Store, text: str, *classes: str) -> str | None:
    return store.namespace.entity_id(find_entity(store, text, classes=classes).value)


@pytest.mark.parametrize(
    "text",
    [
        "Liv Vane",
        " Liv Vane ",
        "Vane",
        "LIV VANE",
        "liv  vane",
        "person/liv-vane",
        "http://localhost:8000/resource/person/liv-vane",
        "The Liv Vane’s",
    ],
)
def test_entity_by_name_id_and_iri(library: Store, text: str) -> None:
    """By label, alias, folded name, id or IRI: the same person."""
    assert _id(library, text) == _id(library, text, "Person") == "person/liv-vane"


def test_entity_of_another_class(library: Store) -> None:
    """A person is no brand, under whichever name."""
    for text in ("Liv Vane", "person/liv-vane", "http://localhost:8000/resource/person/liv-vane"):
        with pytest.raises(NotFound, match="no brand"):
            find_entity(library, text, classes=("Brand",))


def test_near_names_are_suggested(library: Store) -> None:
    """A slip of the pen is answered with names that are there, of the class that is wanted."""
    with pytest.raises(NotFound, match="did you mean Maison Orsenne"):
        find_entity(library, "Maison Orsene", classes=("Brand",))
    with pytest.raises(NotFound, match="no entity 'x/y'"):
        find_entity(library, "x/y")


def test_ambiguous_name_lists_candidates(store: Store) -> None:
    """Two with the same label: neither is taken. A label goes before an alias."""
    store.graph.update(
        """PREFIX kg: <http://localhost:8000/ontology#> PREFIX r: <http://www.w3.org/2000/01/rdf-schema#> PREFIX s: <http://www.w3.org/2004/02/skos/core#>
        INSERT DATA { <http://localhost:8000/resource/organization/tidewell> a kg:Organization ; r:label "Tidewell" .
                      <http://localhost:8000/resource/organization/vane> a kg:Organization ; r:label "Vane" }"""
    )

    with pytest.raises(UsageError, match=r"2 entities .*brand/tidewell, organization/tidewell"):
        find_entity(store, "Tidewell")
    with pytest.raises(UsageError, match="2 entities"):
        find_entity(store, "TIDEWELL")
    assert _id(store, "Tidewell", "Brand") == "brand/tidewell"
    assert _id(store, "Vane") == "organization/vane"
    assert _id(store, "vane") == "organization/vane"
    assert _id(store, "Vane", "Person") == "person/liv-vane"


@pytest.mark.parametrize("name", ['The "Best" Bag', "Curly } UNION { ?a ?b ?c }", "Hash # tag", "A\\B", "O'Neill", "AC/DC", "a\tb"])
def test_names_are_only_names(store: Store, name: str) -> None:
    """Names with quotes, braces and comments are found as they are, and nothing else is."""
    node = ox.NamedNode("http://localhost:8000/resource/brand/x")
    label = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    kind = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    store.graph.extend([ox.Quad(node, label, ox.Literal(name)), ox.Quad(node, kind, ox.NamedNode(store.namespace.term("Brand")))])

    assert find_entity(store, name, classes=("Brand",)) == node
    assert len(ask(store, "ambassadors-of-brand", {"brand": name}, settings=SETTINGS)) == 0
    with pytest.raises(NotFound):
        find_entity(store, f"{name} or another")


@pytest.mark.parametrize("iri", ["http://x/> } #", "http://x y/", "://"])
def test_what_is_no_iri(library: Store, iri: str) -> None:
    """An IRI can't carry anything else."""
    with pytest.raises(UsageError):
        find_entity(library, iri)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "missing parameter who, n"),
        ({"who": "Liv Vane"}, "missing parameter n"),
        ({"who": "Liv Vane", "n": "1", "what": "x"}, "unknown parameter what"),
        ({"who": "Liv Vane", "n": "1.5"}, "n is a whole number"),
        ({"who": "Liv Vane", "n": "1 #"}, "n is a whole number"),
        ({"who": "Liv Vane", "n": "1", "day": "2024-13"}, "day takes a date"),
        ({"who": "Tidewell", "n": "1"}, "no person 'Tidewell'"),
    ],
)
def test_parameters_that_do_not_fit(library: Store, given: dict[str, str], said: str) -> None:
    """What is missing, unknown or ill-typed is named."""
    parameters = (Parameter("who", "entity", "", ("Person",)), Parameter("n", "integer", ""), Parameter("day", "date", "", default=""))

    with pytest.raises(UsageError) as caught:
        bind_parameters(library, parameters, given)
    assert said in str(caught.value)


def test_parameters_become_terms(library: Store) -> None:
    """Texts become terms of their types; an empty default stays unbound."""
    parameters = (
        *(Parameter("who", "entity", ""), Parameter("n", "integer", "", default="7"), Parameter("day", "date", "")),
        *(Parameter("text", "string", "", default="x y"), Parameter("free", "entity", "", default="")),
    )

    assert bind_parameters(library, parameters, {"who": "Liv Vane", "day": "2024-03"}) == {
        "who": ox.NamedNode("http://localhost:8000/resource/person/liv-vane"),
        "n": ox.Literal(7),
        "day": ox.Literal("2024-03", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#gYearMonth")),
        "text": ox.Literal("x y"),
    }


@pytest.mark.parametrize("text", ["2024", "2024-02", "2024-02-29"])
def test_dates(text: str) -> None:
    """Years, months and days of the calendar."""
    assert read_date(text) == text


@pytest.mark.parametrize("text", ["24", "2024-2", "2024-02-30", "2023-02-29", "today", "2024-02-29T00", "", "٢٠٢٤"])
def test_no_dates(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(UsageError, match="write 2024"):
        read_date(text)


def test_unknown_query_suggests_near_names() -> None:
    """A slip of the pen is answered with names of queries."""
    with pytest.raises(NotFound, match="did you mean ambassadors-of-brand"):
        find_query(SETTINGS, "ambassador-of-brand")


def test_file_and_standard_input(tmp_path: Path, library: Store) -> None:
    """A path or - is asked as it is; a header may declare parameters there, too."""
    text = '# title: T\n# parameter: who entity:Person default="Liv Vane" – who\nSELECT ?n { $who rdfs:label ?n }'
    (tmp_path / "mine.rq").write_text(text, encoding="utf-8")
    (tmp_path / "plain").write_text("ASK { }", encoding="utf-8")

    assert list(ask(library, str(tmp_path / "mine.rq"), {}, settings=SETTINGS).rows()) == [("Liv Vane",)]
    assert list(ask(library, "-", {"who": "Noor Marsh"}, settings=SETTINGS, stdin=text).rows()) == [("Noor Marsh",)]
    assert ask(library, str(tmp_path / "plain"), {}, settings=SETTINGS)
    with pytest.raises(UsageError, match="unknown parameter x"):
        ask(library, "-", {"x": "1"}, settings=SETTINGS, stdin="ASK { }")
    with pytest.raises(NotFound, match="no query file"):
        ask(library, str(tmp_path / "none.rq"), {}, settings=SETTINGS)
    with pytest.raises(UsageError, match="can't be read"):
        ask(library, f"{tmp_path}/", {}, settings=SETTINGS)


def test_folder_by_setting(tmp_path: Path) -> None:
    """The setting `queries` names another folder."""
    (tmp_path / "mine.rq").write_text("ASK { }", encoding="utf-8")
    settings = SETTINGS.replace(queries=str(tmp_path))

    assert list(load_queries(settings)) == ["mine"]
    (tmp_path / "bad.rq").write_bytes(b"\xff")
    with pytest.raises(OntologyError, match="UTF-8"):
        load_queries(settings)


def test_header() -> None:
    """Title, question over several lines, parameters with classes and defaults."""
    text = """# title: One
# question: Who and
#   what?
#
# parameter: who entity:Person|Organization – who
# parameter: n integer default=3 – how
#   many
ASK { $who ?p $n }
# title: no more header
"""
    query = read_query("x", text)

    assert (query.title, query.question, query.text) == ("One", "Who and what?", text)
    assert query.parameters == (
        Parameter("who", "entity", "who", ("Person", "Organization")),
        Parameter("n", "integer", "how many", default="3"),
    )
    assert [parameter.signature for parameter in query.parameters] == ["entity:Person|Organization", "integer"]


@pytest.mark.parametrize("line", ["who", "who entity", "who thing – x", "who entity x – y", "1 entity – y", "who entity – x"])
def test_broken_header(line: str) -> None:
    """A parameter that can't be read, has no known type or is not used is told with its place."""
    with pytest.raises(OntologyError, match="query x"):
        read_query("x", f"# parameter: {line}\nASK {{ }}")
