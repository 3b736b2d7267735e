"""What a selection takes in."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from kg.errors import NotFound
from kg.export import Selection, View, read_view
from kg.store import Store


def labels(view: View) -> set[str]:
    return {node.label for node in view.nodes}


def test_everything_is_every_entity_and_every_fact_node(store: Store) -> None:
    view = read_view(store)
    kinds = "SELECT (COUNT(DISTINCT ?f) AS ?n) { ?f a <http://localhost:8000/ontology#Fact> }"
    assert len(view.edges) + len(view.literals) == int(next(iter(store.graph.query(kinds)))["n"].value)  # type: ignore[union-attr,index,arg-type]
    assert {"Liv Vane", "Maison Orsenne", "Balenciaga", "France"} <= labels(view)
    assert [node.iri for node in view.nodes] == sorted(node.iri for node in view.nodes)


def test_a_node_knows_its_names_documents_and_values(store: Store) -> None:
    (bag,) = (node for node in read_view(store).nodes if node.label == "Carrel bag")
    assert bag.types == ("Product",)
    assert bag.documents == ("carrel-history", "orsenne-vane-face")
    assert dict(bag.values)["launchDate"] == ("1998", "1999")


def test_an_edge_knows_period_documents_and_sentence(store: Store) -> None:
    (edge,) = (e for e in read_view(store, Selection(predicates=frozenset({"ambassadorOf"}))).edges if e.object.endswith("maison-orsenne"))
    assert (edge.start, edge.end, edge.label) == ("2024-03-12", None, "ambassador of")
    assert edge.documents == ("orsenne-vane-face", "vane-wire")
    assert "Liv Vane" in edge.sentence


@pytest.mark.parametrize("name", ["Anselm Roy", "anselm roy", "person/anselm-roy", "http://localhost:8000/resource/person/anselm-roy"])
def test_about_takes_a_name_an_id_or_an_iri(store: Store, name: str) -> None:
    assert labels(read_view(store, Selection(about=(name,)))) == {"Anselm Roy", "Maison Orsenne"}


def test_about_an_unknown_name_suggests_near_ones(store: Store) -> None:
    with pytest.raises(NotFound, match="Liv Vane"):
        read_view(store, Selection(about=("Liv Vain",)))


def test_hops_count_facts_in_both_directions(store: Store) -> None:
    assert labels(read_view(store, Selection(about=("France",), hops=0))) == {"France"}
    assert labels(read_view(store, Selection(about=("France",), hops=1))) == {"France", "Maison Orsenne"}
    assert {"Liv Vane", "Groupe Valmy"} <= labels(read_view(store, Selection(about=("France",), hops=2)))


def test_types_keep_entities_of_these_types_and_facts_between_them(store: Store) -> None:
    view = read_view(store, Selection(types=frozenset({"Person"})))
    assert {type_ for node in view.nodes for type_ in node.types} == {"Person"}
    assert {edge.predicate for edge in view.edges} == {"succeeds"}


def test_predicates_leave_out_entities_without_such_a_fact(store: Store) -> None:
    view = read_view(store, Selection(predicates=frozenset({"founderOf"})))
    assert labels(view) == {"Hugo Valmy", "Groupe Valmy"}


def test_a_period_keeps_facts_that_overlap_it(store: Store) -> None:
    directors = frozenset({"creativeDirectorOf"})
    assert labels(read_view(store, Selection(predicates=directors, until="2009"))) == {"Odile Sarr", "Maison Orsenne"}
    assert labels(read_view(store, Selection(predicates=directors, since="2021-05"))) == {"Anselm Roy", "Maison Orsenne"}
    assert "Bram Tolvanen" in labels(read_view(store, Selection(predicates=directors, since="2012", until="2013")))


def test_a_fact_without_dates_is_of_its_documents_dates(store: Store) -> None:
    founder = frozenset({"founderOf"})
    assert read_view(store, Selection(predicates=founder, since="2024-05")).edges
    assert not read_view(store, Selection(predicates=founder, since="2024-06")).edges


def test_a_date_value_is_its_own_period(store: Store) -> None:
    view = read_view(store, Selection(predicates=frozenset({"launchDate"}), until="1998-12"))
    assert [edge.object for edge in view.literals] == ["1998"]


def test_confidence_is_a_lower_bound(store: Store) -> None:
    assert read_view(store, Selection(min_confidence=1.0)).edges
    assert not read_view(store, Selection(min_confidence=1.01)).nodes


def test_triples_of_a_query_choose_facts_and_entities(store: Store) -> None:
    query = "CONSTRUCT WHERE { ?p <http://localhost:8000/ontology#founderOf> ?o }"
    triples = frozenset(store.graph.query(query))  # type: ignore[arg-type]
    view = read_view(store, Selection(triples=triples))  # type: ignore[arg-type]
    assert labels(view) == {"Hugo Valmy", "Groupe Valmy"}
    assert len(view.edges) == 1


def test_options_take_none_for_nothing() -> None:
    assert Selection.from_options({"about": None, "types": None, "since": None}).is_everything
    assert Selection.from_options({"about": "x"}).about == ("x",)
    assert Selection.from_options({"triples": [ox.Triple(ox.NamedNode("a:b"), ox.NamedNode("a:b"), ox.NamedNode("a:b"))]}).triples
