"""What each page of the site shows, in process; what a browser makes of it is in test_browser.py."""

from __future__ import annotations

import gzip
import html
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from kg.model import Document as KgDocument
from kg.model import Entity, Evidence, Mention, Name, Resolution, Span, Statement, Text
from kg.rdf.write import as_ntriples
from kg.revise import Reviser
from kg.service import create_app
from kg.service.reading import Reading
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import Verdict, check, load_shapes

HTML = {"Accept": "text/html"}
TOKEN = "secret"
NASTY_PAGES = (
    "/",
    "/documents",
    "/documents/nasty",
    *(f"/resource/{'brand' if number % 2 else 'person'}/n{number}" for number in range(6)),
    "/resource/person/n0?facts=ambassadorOf",
    "/resource/brand/n1?inverse=ambassadorOf",
    "/resource/person/n4?documents=all",
    "/search?q=script",
    "/validation",
    "/validation?check",
    "/review",
    "/ontology",
)


@pytest.fixture
def nasty(nasty_store: Store) -> FlaskClient:
    """A client of an app over nasty names that takes decisions."""
    return create_app(nasty_store, Settings().replace(token=TOKEN, agent="ann")).test_client()


def words(page: str) -> str:
    """The text of a page on one line."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


# -- home -------------------------------------------------------------------------------------------------------


def test_home_shows_bars_latest_documents_and_questions_with_forms(client: FlaskClient) -> None:
    """A bar's width is its share of the largest; a question that needs one thing asks for it at once."""
    page = client.get("/", headers=HTML).text
    widths = [float(width) for width in re.findall(r'class="fill [^"]*" width="([\d.]+)"', page)]
    assert widths[0] == 100
    assert widths == sorted(widths, reverse=True)
    assert '<form action="/queries/ambassadors-of-brand">' in page
    assert page.count('name="brand" required') >= 1
    assert "rumours-only" in page


def test_the_first_page_weighs_at_most_300_kb(client: FlaskClient) -> None:
    """Page, styles, script and icon, compressed as they are sent."""
    page = client.get("/", headers=HTML).text
    parts = [page.encode()]
    for path in re.findall(r'(?:href|src)="(/static/[^"]+|/types.css)"', page):
        with client.get(path) as response:
            parts.append(response.data)
    assert len(parts) >= 5
    assert sum(len(gzip.compress(part)) for part in parts) <= 300_000


# -- entities ---------------------------------------------------------------------------------------------------


def test_an_entity_has_a_timeline_neighbours_and_a_citation(client: FlaskClient) -> None:
    """Dated facts are bars, neighbours are links in the drawing, the citation holds IRI and sentence."""
    page = client.get("/resource/person/liv-vane", headers=HTML).text
    assert "from 2024-03" in words(page[page.index("timeline") :])
    drawing = page[page.index("<svg class") : page.index("</svg>")]
    assert 'href="/resource/brand/tidewell"' in drawing
    assert 'href="/graph?about=http' in page
    cited = [html.unescape(each) for each in re.findall(r'<code class="citation"[^>]*>(.*?)</code>', page, re.DOTALL)]
    assert "http://localhost:8000/resource/person/liv-vane" in cited[0]
    assert "Maison Orsenne has named the actress Liv Vane" in cited[1]


def test_an_entity_that_may_be_an_item_leads_to_the_review(nasty: FlaskClient) -> None:
    """What is in doubt is said to be."""
    assert "Wikidata item in doubt" in nasty.get("/resource/person/n0", headers=HTML).text


def hub(store: Store, count: int) -> None:
    """One document in which so many people represent one brand."""
    names = [f"Person {number:04}" for number in range(count)]
    text = "Hub. " + " ".join(f"{name} represents Hub." for name in names)
    entities = [Entity("brand/hub", "Brand", "Hub", (), (Mention("body", Span(0, 3), "Hub", Name("Brand", "Hub")),))]
    statements = []
    for name in names:
        start = text.index(name)
        ident = f"person/{name.lower().replace(' ', '-')}"
        entities.append(Entity(ident, "Person", name, (), (Mention("body", Span(start, start + len(name)), name, Name("Person", name)),)))
        span = Span(start, start + len(f"{name} represents Hub"))
        evidence = Evidence("hub", "body", span, text[span.start : span.end], "made", "1", 1.0)
        statements.append(Statement("hub", ident, "ambassadorOf", "brand/hub", (evidence,)))
    verdict = Verdict(Resolution("hub", tuple(entities), tuple(statements)))
    Reviser(store, single_valued=frozenset()).put(KgDocument("hub", (Text("body", text),)), verdict, fingerprint="test")


@pytest.mark.parametrize("count", [210, 430])
def test_an_entity_with_many_facts_shows_some_and_pages_lead_to_all(count: int, tmp_path: Path) -> None:
    """Every fact is on just one of the pages, whether they are few enough to be sorted or not; there is no page past the last."""
    with open_store(tmp_path / "store", create=True) as store:
        hub(store, count)
        client = create_app(store, Settings()).test_client()
        first = client.get("/resource/brand/hub", headers=HTML).text
        assert first.count('<details>\n<summary><span class="says">') == 25
        assert f"All {count}" in words(first)
        found: list[str] = []
        for page in range(1, -(-count // 200) + 1):
            text = client.get(f"/resource/brand/hub?inverse=ambassadorOf&page={page}", headers=HTML).text
            found += re.findall(r'href="/resource/person/(person-\d+)"', text)
        assert sorted(found) == [f"person-{number:04}" for number in range(count)]
        assert client.get(f"/resource/brand/hub?inverse=ambassadorOf&page={page + 1}", headers=HTML).status_code == 404
        assert client.get("/resource/brand/hub?inverse=wore", headers=HTML).status_code == 404
        assert client.get("/resource/brand/hub?inverse=ambassadorOf&page=x", headers=HTML).status_code == 400


def test_facts_of_a_hub_are_those_of_a_sorted_entity(tmp_path: Path) -> None:
    """Both ways to find an entity's facts give the same."""
    with open_store(tmp_path / "store", create=True) as store:
        hub(store, 30)
        reading = Reading(store)
        iri = store.namespace.entity("brand/hub")
        (slow,) = reading._groups(iri, inverse=True, most=100)
        (quick,) = reading._groups_of_hub(iri, True, "", 0, 100)
        assert quick == slow


# -- documents --------------------------------------------------------------------------------------------------


def test_a_document_links_its_text_and_its_facts(client: FlaskClient) -> None:
    """Without a script the number in the text leads to the fact, and the fact to the text."""
    page = client.get("/documents/vane-wire", headers=HTML).text
    for number, anchors in re.findall(r'<li id="fact-(\d+)" data-facts="([^"]+)"', page):
        for anchor in anchors.split():
            assert f'<span id="{anchor}"></span><a class="ref" href="#fact-{number}"' in page
            assert f'href="#{anchor}"' in page
            assert re.search(rf'<mark data-evidence="[^"]*{anchor}', page)
    assert '<a class="mention type-person"' in page


def test_a_document_shows_what_was_kept_out_of_it(nasty: FlaskClient) -> None:
    """The refused claim, its sentence and the reason."""
    page = words(nasty.get("/documents/nasty", headers=HTML).text)
    assert "person/n0 ambassadorOf brand/n1" in page
    assert "Not so:" in page


def test_the_button_retracts_with_the_token_only(nasty: FlaskClient, nasty_store: Store) -> None:
    """401 without it, 400 for a form that says something else, then 303, and nothing is left."""
    assert 'action="/documents/nasty" method="post"' in nasty.get("/documents/nasty", headers=HTML).text
    assert nasty.post("/documents/nasty", data={"action": "retract"}).status_code == 401
    assert nasty.post("/documents/nasty", data={"action": "other", "token": TOKEN}).status_code == 400
    assert nasty.post("/documents/none", data={"action": "retract", "token": TOKEN}).status_code == 404
    done = nasty.post("/documents/nasty", data={"action": "retract", "token": TOKEN})
    assert (done.status_code, done.headers["Location"]) == (303, "/documents")
    assert len(nasty_store.graph) == 0


def test_a_service_without_a_token_shows_no_button(client: FlaskClient) -> None:
    """What can't be done is not offered."""
    assert "Retract" not in client.get("/documents/vane-wire", headers=HTML).text


# -- ontology, validation ---------------------------------------------------------------------------------------


def test_the_ontology_page_shows_rules_counterparts_and_examples(client: FlaskClient) -> None:
    """From shapes, mappings and the store; the diagram has every class."""
    page = client.get("/ontology", headers=HTML).text
    place = page[page.index('<div id="ambassadorOf">') :]
    place = words(place[: place.index("<div id=", 10)])
    assert "is narrower than schema:affiliation" in place
    assert "such as" in place
    assert re.search(r"\d+ rules?", place)
    assert {"Person", "Brand", "Work"} <= set(re.findall(r'<a href="#(\w+)"><rect', page))


def test_validation_lists_the_quarantine_and_checks_on_demand(nasty: FlaskClient) -> None:
    """As a page and as data; a conflict found now is named with its shape's words."""
    data = nasty.get("/validation", headers={"Accept": "application/json"}).get_json()
    assert data["refused_count"] == 1
    assert data["refused"][0]["what"] == "person/n0 ambassadorOf brand/n1"
    assert data["checked"] == 0
    checked = nasty.get("/validation?check", headers={"Accept": "application/json"}).get_json()
    assert checked["checked"] == 2
    assert "graph" in words(nasty.get("/validation?check", headers=HTML).text)


def test_a_live_check_finds_what_is_wrong(client: FlaskClient) -> None:
    """The annotated documents give two launch dates of one bag."""
    found = client.get("/validation?check", headers={"Accept": "application/json"}).get_json()["violations"]
    assert any("conflicts" in each["message"] and each["severity"] == "Warning" for each in found)


# -- review -----------------------------------------------------------------------------------------------------


def test_a_decision_is_recorded_as_a_correction(nasty: FlaskClient, nasty_store: Store) -> None:
    """Accept, reject and none, each with who decided; the entity leaves the list when it is decided."""
    assert nasty.get("/review", headers={"Accept": "application/json"}).get_json()["count"] == 6
    for given in ("reject Q11 person/n0", "accept Q12 person/n0", "none - brand/n1"):
        answer = nasty.post("/review", data={"decision": given, "token": TOKEN, "agent": "bea"}, headers=HTML)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
    said = [(each.kind, each.arguments[:2], each.agent) for each in nasty_store.ledger.corrections()]
    assert said == [("unlink", ("person/n0", "Q11"), "bea"), ("link", ("person/n0", "Q12"), "bea"), ("no-link", ("brand/n1",), "bea")]
    assert nasty.get("/review", headers={"Accept": "application/json"}).get_json()["count"] == 4
    assert "Wikidata Q12" in nasty.get("/resource/person/n0", headers=HTML).text
    graph = ox.NamedNode(nasty_store.namespace.corrections)
    decided = as_ntriples(nasty_store.graph.quads_for_pattern(None, None, None, graph))
    assert check(decided, load_shapes(Settings())) == []


def test_no_decision_without_the_token_or_of_nothing(nasty: FlaskClient, nasty_store: Store) -> None:
    """401, 400 and 404; the page says why, and nothing is recorded."""
    for given, token, status in (
        ("accept Q11 person/n0", "", 401),
        ("perhaps Q11 person/n0", TOKEN, 400),
        ("accept", TOKEN, 400),
        ("accept P31 person/n0", TOKEN, 400),
        ("none - person/nobody", TOKEN, 404),
    ):
        answer = nasty.post("/review", data={"decision": given, "token": token}, headers=HTML)
        assert answer.status_code == status, given
        assert 'class="fault"' in answer.text
    assert nasty_store.ledger.corrections() == []


def test_the_review_page_offers_no_button_without_a_token(nasty_store: Store) -> None:
    """It says what is missing."""
    page = create_app(nasty_store, Settings()).test_client().get("/review", headers=HTML).text
    assert 'name="decision"' not in page
    assert "needs a token" in page


# -- markup is inert --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NASTY_PAGES)
def test_nasty_names_are_text_on_every_page(nasty: FlaskClient, path: str) -> None:
    """No element and no attribute comes of a name."""
    answer = nasty.get(path, headers=HTML)
    assert answer.status_code == 200
    page = answer.text
    assert re.findall("<script[^>]*>", page) == ['<script src="/static/kg.js" defer>']
    assert len(re.findall("<img", page)) == 1
    bare = re.sub(r'"[^"]*"', '""', page)
    assert not re.search(r"<[^>]+\son\w+=", bare)
    assert " style=" not in page
    assert len(re.findall(r"<h1[ >]", page)) == 1
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
