"""Every IRI of the store is a page and data."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib
from flask import Flask
from flask.testing import FlaskClient

from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # rdflib warns of its own calls

BASE = "http://localhost:8000/"
VANE = f"{BASE}resource/person/liv-vane"
KINDS = ["Person", "Brand", "Campaign", "Document", "Text", "Mention", "Fact", "Statement", "Evidence"]


def path(iri: str) -> str:
    return "/" + iri.removeprefix(BASE)


def all_of(store: Store, kind: str) -> list[str]:
    quads = store.graph.quads_for_pattern(None, ox.NamedNode(f"{RDF}type"), ox.NamedNode(f"{BASE}ontology#{kind}"), None)
    return sorted({quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)})


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def test_jsonld_names_the_item_for_readers_of_web_pages(client: FlaskClient, store: Store) -> None:
    """Every linked entity has schema:sameAs beside owl:sameAs, and no other has."""
    linked = list(store.graph.quads_for_pattern(None, ox.NamedNode("http://www.w3.org/2002/07/owl#sameAs"), None, None))
    assert linked
    for quad in linked:
        graph = rdflib.Graph().parse(data=client.get(f"{path(quad.subject.value)}.jsonld").data, format="json-ld")
        entity, item = rdflib.URIRef(quad.subject.value), rdflib.URIRef(quad.object.value)
        assert list(graph.objects(entity, rdflib.URIRef("https://schema.org/sameAs"))) == [item]
    vane = rdflib.Graph().parse(data=client.get(f"{path(VANE)}.jsonld").data, format="json-ld")
    assert (None, rdflib.URIRef("https://schema.org/sameAs"), None) not in vane


@pytest.mark.parametrize("kind", KINDS)
def test_every_iri_of_a_kind_is_a_page_and_turtle_about_itself(client: FlaskClient, store: Store, kind: str) -> None:
    iris = all_of(store, kind)
    assert iris
    for iri in iris[:6] + iris[-3:]:
        assert client.get(path(iri), headers={"Accept": "text/html"}).status_code == 200
        response = client.get(path(iri), headers={"Accept": "text/turtle"})
        graph = rdflib.Graph().parse(data=response.data, format="turtle")
        assert (rdflib.URIRef(iri), rdflib.RDF.type, rdflib.URIRef(f"{BASE}ontology#{kind}")) in graph


@pytest.mark.parametrize(
    ("suffix", "mimetype", "reader"),
    [
        (".ttl", "text/turtle", "turtle"),
        (".nt", "application/n-triples", "nt11"),
        (".jsonld", "application/ld+json", "json-ld"),
        (".rdf", "application/rdf+xml", "xml"),
    ],
)
def test_a_suffix_or_accept_or_format_names_the_representation(client: FlaskClient, suffix: str, mimetype: str, reader: str) -> None:
    by_suffix = client.get(path(VANE) + suffix, headers={"Accept": "text/html"})
    by_accept = client.get(path(VANE), headers={"Accept": mimetype})
    by_format = client.get(path(VANE), query_string={"format": mimetype})
    assert by_suffix.data == by_accept.data == by_format.data
    assert by_suffix.mimetype == mimetype
    graph = rdflib.Graph().parse(data=by_suffix.data, format=reader)
    assert str(graph.value(rdflib.URIRef(VANE), rdflib.RDFS.label)) == "Liv Vane"
    assert (None, rdflib.URIRef(f"{BASE}ontology#quote"), None) in graph


def test_html_suffix_and_wildcard_are_the_page(client: FlaskClient) -> None:
    assert client.get(path(VANE) + ".html", headers={"Accept": "text/turtle"}).mimetype == "text/html"
    assert client.get(path(VANE), headers={"Accept": "*/*"}).mimetype == "text/html"


def test_iris_are_served_whatever_the_host(client: FlaskClient) -> None:
    page = client.get(path(VANE), base_url="https://graph.example", headers={"Accept": "text/html"}).text
    assert 'href="/resource/brand/maison-orsenne"' in page
    assert f"<code>{VANE}</code>" in page


def test_a_document_id_with_slashes_and_a_suffix_is_found(client: FlaskClient, hostile: Any) -> None:
    iri = f"{BASE}resource/document/{quote(hostile.id, safe='-._~@')}"
    assert iri.endswith(".ttl")
    for url in (path(iri), f"/documents/{quote(hostile.id, safe='')}"):
        response = client.get(url, headers={"Accept": "text/html"})
        assert (response.status_code, response.mimetype) == (200, "text/html")
    assert client.get(f"{path(iri)}.ttl", headers={"Accept": "text/html"}).mimetype == "text/turtle"


def test_an_entity_page_groups_facts_in_both_directions_with_their_sentences(client: FlaskClient) -> None:
    page = client.get("/resource/brand/maison-orsenne", headers={"Accept": "text/html"}).text
    headings = [re.sub(r"<[^>]+>|\s+", " ", each).split() for each in re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)]
    assert ["owned", "by", "1"] in headings
    assert ["←", "ambassador", "of", "Maison", "Orsenne", "1"] in headings
    sentences = [re.sub(r"<[^>]+>", "", each) for each in re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", page, re.DOTALL)]
    assert "The French house Maison Orsenne has named the actress Liv Vane as its ambassador" in sentences
    assert '<mark class="word type-person">Liv Vane</mark>' in page
    assert 'href="/resource/document/orsenne-vane-face#' in page


def test_conflicts_are_shown_beside_each_other(client: FlaskClient) -> None:
    page = client.get("/resource/product/carrel-bag", headers={"Accept": "text/html"}).text
    said = re.findall(r'<p class="conflict">(.*?)</p>', page, re.DOTALL)
    told = [" ".join(re.sub(r"<[^>]+>", "", each).split()) for each in said]
    assert told == ["Sources disagree: launch date 1998 (1 source) · 1999 (1 source)"]


def test_a_document_page_marks_evidence_and_links_back(client: FlaskClient, store: Store) -> None:
    page = client.get("/documents/vane-wire", headers={"Accept": "text/html"}).text
    assert "<mark data-evidence=" in page
    for sentence in all_of(store, "Evidence"):
        evidence = ox.NamedNode(sentence)
        place = next(iter(store.graph.quads_for_pattern(evidence, ox.NamedNode(f"{BASE}ontology#inDocument"), None, None))).object
        if place == ox.NamedNode(f"{BASE}resource/document/vane-wire"):
            assert f'id="{sentence.rpartition("/")[2]}"' in page


@pytest.mark.parametrize(("suffix", "reader"), [("ttl", "turtle"), ("rdf", "xml"), ("jsonld", "json-ld"), ("nt", "nt11")])
def test_the_ontology_is_served_as_data(client: FlaskClient, suffix: str, reader: str) -> None:
    graph = rdflib.Graph().parse(data=client.get(f"/ontology.{suffix}").data, format=reader)
    assert (rdflib.URIRef(f"{BASE}ontology#ambassadorOf"), rdflib.RDF.type, rdflib.OWL.ObjectProperty) in graph


def test_every_term_has_a_place_on_the_ontology_page(client: FlaskClient) -> None:
    page = client.get("/ontology", headers={"Accept": "text/html"}).text
    assert 'id="ambassadorOf"' in page
    assert 'id="Person"' in page
    assert client.get("/ontology", headers={"Accept": "text/turtle"}).mimetype == "text/turtle"


def test_two_apps_with_different_stores_share_nothing(app: Flask, tmp_path: Any) -> None:
    with open_store(tmp_path / "other", create=True, base="http://other.example/") as empty:
        other = create_app(empty, Settings())
        assert app.test_client().get("/").get_json is not None
        here = app.test_client().get("/", headers={"Accept": "application/json"}).get_json()
        there = other.test_client().get("/", headers={"Accept": "application/json"}).get_json()
        assert here["documents"] == 6
        assert there == {"documents": 0, "entities": {}, "facts": {}}
        assert "http://other.example/ontology#Person" in json.dumps(other.test_client().get("/ontology.jsonld").get_json())
