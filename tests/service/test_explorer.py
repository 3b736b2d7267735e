"""The explorer's data, and the page as those without scripts see it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from kg.export.view import Selection, read_view
from kg.service.network import read_part
from kg.store import Store

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


def network(client: FlaskClient, **parameters: Any) -> dict[str, Any]:
    found = client.get(f"/graph?{urlencode(parameters, doseq=True)}", headers=JSON)
    assert found.status_code == 200, found.text
    data: dict[str, Any] = found.get_json()
    return data


def labels(data: dict[str, Any]) -> set[str]:
    return {node["label"] for node in data["nodes"]}


def test_the_whole_graph_is_that_of_the_exports(client: FlaskClient, store: Store) -> None:
    """Every entity and every fact, each with its sentences and a link to where they stand."""
    data, view = network(client), read_view(store)
    assert {node["id"] for node in data["nodes"]} == {node.iri for node in view.nodes}
    assert {fact["id"] for fact in data["facts"]} == {edge.iri for edge in (*view.edges, *view.literals)}
    assert data["left_out"] == 0
    fact = next(each for each in data["facts"] if each["predicate"] == "ambassadorOf")
    (sentence, *_) = fact["sentences"]
    page = client.get(sentence["href"].partition("#")[0], headers=HTML).text
    assert f'id="{sentence["href"].partition("#")[2]}"' in page


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_what_is_looked_up_by_index_is_what_the_whole_graph_gives(store: Store, hops: int) -> None:
    """The explorer reads a part of the store; the answer is that of reading all of it."""
    selection = Selection(about=("Liv Vane",), hops=hops)
    view, left_out = read_part(store, selection)
    whole = read_view(store, selection)
    assert left_out == 0
    assert [node.iri for node in view.nodes] == [node.iri for node in whole.nodes]
    assert {edge.iri for edge in view.edges} == {edge.iri for edge in whole.edges}


@pytest.mark.parametrize("asked", [{"types": "Person"}, {"predicates": "ambassadorOf"}, {"since": "2024"}, {"min_confidence": "1"}])
def test_filters_are_those_of_the_exports(client: FlaskClient, store: Store, asked: dict[str, str]) -> None:
    plain: dict[str, Any] = {key: frozenset([value]) if key in ("types", "predicates") else value for key, value in asked.items()}
    if "min_confidence" in plain:
        plain["min_confidence"] = float(plain["min_confidence"])
    assert {node["id"] for node in network(client, **asked)["nodes"]} == {node.iri for node in read_view(store, Selection(**plain)).nodes}


def test_a_bound_leaves_out_the_less_connected_and_says_how_many(client: FlaskClient) -> None:
    everything, some = network(client), network(client, nodes=5)
    assert len(some["nodes"]) == 5
    assert some["left_out"] == len(everything["nodes"]) - 5
    degrees = {
        node["id"]: sum(node["id"] in (f["subject"], f["object"]) for f in everything["facts"] if not f["literal"])
        for node in everything["nodes"]
    }
    kept = {node["id"] for node in some["nodes"]}
    assert min(degrees[iri] for iri in kept) >= max(count for iri, count in degrees.items() if iri not in kept)
    assert "Liv Vane" in labels(network(client, about="Liv Vane", nodes=1))


def test_a_shortest_path_has_its_facts(client: FlaskClient) -> None:
    """Noor Marsh and Liv Vane are linked by what both are linked to; every fact is one of a step."""
    data = network(client, path=["Noor Marsh", "Liv Vane"])
    assert len(data["nodes"]) == 3
    (middle,) = labels(data) - {"Noor Marsh", "Liv Vane"}
    names = {node["id"]: node["label"] for node in data["nodes"]}
    steps = {frozenset((names[fact["subject"]], names[fact["object"]])) for fact in data["facts"]}
    assert steps == {frozenset(("Noor Marsh", middle)), frozenset((middle, "Liv Vane"))}


def test_a_construct_is_drawn_with_what_is_known_of_its_facts(client: FlaskClient) -> None:
    data = network(client, query="CONSTRUCT { ?p kg:ambassadorOf ?b } WHERE { ?p kg:ambassadorOf ?b }")
    assert {"Liv Vane", "Tidewell"} <= labels(data)
    assert all(fact["sentences"] and fact["confidence"] for fact in data["facts"])
    assert {node["type"] for node in data["nodes"]} == {"Person", "Brand"}


def test_a_construct_in_another_vocabulary_is_drawn_as_well(client: FlaskClient) -> None:
    query = """CONSTRUCT { <http://x.example/a> a <http://x.example/River> ; rdfs:label "Long" ;
      <http://x.example/flowsInto> [] ; <http://x.example/km> 7 }
    WHERE { }"""
    data = network(client, query=query)
    (river,) = [node for node in data["nodes"] if node["id"] == "http://x.example/a"]
    assert (river["label"], river["type"], len(data["nodes"])) == ("Long", "River", 2)
    assert {(fact["label"], fact["literal"]) for fact in data["facts"]} == {
        ("http://x.example/flowsInto", False),
        ("http://x.example/km", True),
    }


@pytest.mark.parametrize(
    "asked",
    [
        "nodes=5001",
        "nodes=x",
        "hops=11",
        "hops=-1",
        "since=yesterday",
        "min_confidence=2",
        "path=Liv+Vane",
        "query=SELECT+*+{?s+?p+?o}",
        "query=)",
    ],
)
def test_what_does_not_fit_is_told(client: FlaskClient, asked: str) -> None:
    error = client.get(f"/graph?{asked}", headers=JSON)
    assert error.status_code == 400
    assert error.get_json()["error"]["hint"]


def test_an_unknown_entity_is_told(client: FlaskClient) -> None:
    assert client.get("/graph?about=Nobody+Known", headers=JSON).status_code == 404


def test_the_page_has_the_facts_without_scripts_and_the_same_data(client: FlaskClient) -> None:
    page = client.get("/graph?about=Liv+Vane", headers=HTML).text
    assert re.search(r'<a href="/resource/person/liv-vane">Liv Vane</a>', page)
    (block,) = re.findall(r'id="data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert json.loads(block) == network(client, about="Liv Vane")


def test_markup_in_names_begins_nothing(client: FlaskClient, hostile: Any) -> None:
    page = client.get("/graph", headers=HTML).text
    (block,) = re.findall(r'id="data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert not set("<>&") & set(block)
    assert hostile.person in labels(json.loads(block))
    assert "<script>alert" not in page
    assert "<script>alert" not in client.get("/sparql", headers=HTML).text


def test_only_scripts_are_served_of_the_bundles(client: FlaskClient) -> None:
    with client.get("/vendor/sigma/sigma.min.js") as found:
        assert found.mimetype == "text/javascript"
    for name in ("sigma/LICENSE.txt", "README.md", "../api.py", "sigma/none.js"):
        assert client.get(f"/vendor/{name}").status_code == 404


def test_the_policy_lets_only_scripts_of_this_server_run(client: FlaskClient) -> None:
    """No text of a page is run: neither inline scripts nor styles, nor code made of text."""
    policy = client.get("/graph", headers=HTML).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    for path in ("/graph", "/sparql"):
        page = client.get(path, headers=HTML).text
        assert not re.findall(r"<script(?![^>]*(?:src=|application/json))|<style|<[a-z][^<>]*\s(?:on\w+|style)=", page)
