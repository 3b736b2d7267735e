"""Documents over HTTP: added, replaced, shown before they are saved, retracted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store

TEXT = "date 2024-01-24 Kim Kardashian is the new ambassador of Balenciaga. “I love it”, said Kim Kardashian."
FORM = "application/x-www-form-urlencoded"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that documents are sent to; one for all tests, since the extraction model takes a while to load."""
    with open_store(tmp_path_factory.mktemp("adding") / "store", create=True) as made:
        yield made


@pytest.fixture(scope="module")
def client(store: Store) -> FlaskClient:
    """A client of an app that writes to it, with the token."""
    made = create_app(store, Settings().replace(token="secret")).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = "Bearer secret"
    return made


@pytest.fixture(autouse=True)
def emptied(store: Store) -> Iterator[None]:
    """Ends each test with an empty ledger and graph."""
    yield
    from kg.revise import Reviser

    for id in store.ledger.ids():
        Reviser(store, single_valued=frozenset({"launchDate"})).retract(id)


def test_a_document_goes_in_is_replaced_and_goes_out(client: FlaskClient, store: Store) -> None:
    """201 with its place and facts, 200 when it replaces a former version, 204 when it is retracted, exactly."""
    before = set(store.graph)
    response = client.post("/documents", json={"id": "kim", "text": TEXT, "title": "Kim", "url": "https://a.example/kim"})
    assert response.status_code == 201
    content = response.get_json()
    assert (content["id"], content["saved"], content["replaced"]) == ("kim", True, False)
    assert response.headers["Location"] == "/resource/document/kim"
    assert {fact["predicate"] for fact in content["facts"]} >= {"ambassadorOf"}
    assert all(TEXT[fact["span"][0] : fact["span"][1]] == fact["evidence"] for fact in content["facts"])
    page = client.get("/documents/kim", headers={"Accept": "application/n-triples"})
    assert b'"2024-01-24"' in page.data
    again = client.post("/documents", json={"id": "kim", "text": TEXT.replace("Balenciaga", "Prada")})
    assert (again.status_code, again.get_json()["replaced"]) == (200, True)
    assert store.ledger.ids() == ["kim"]
    assert client.delete("/documents/kim").status_code == 204
    assert client.delete("/documents/kim").status_code == 404
    assert set(store.graph) - before == set()


def test_texts_come_as_they_are(client: FlaskClient, store: Store) -> None:
    """The stored text is what was sent, to the last line end; what the URL says of it goes before what it says itself."""
    text = f"{TEXT}\r\n\r\nMore. \n"
    assert client.post("/documents?id=a&published=2020-02-02", data=text.encode(), content_type="text/plain").status_code == 201
    row = store.ledger.row("a")
    assert row is not None
    assert (row.document.body.content, row.document.published) == (text, "2020-02-02")
    page = f"<html><head><title>T</title></head><body><article><h1>T</h1><p>{TEXT}</p><p>{TEXT}</p></article></body></html>"
    assert client.post("/documents?id=b", data=page.encode(), content_type="text/html").status_code == 201
    assert store.ledger.ids() == ["a", "b"]


def test_a_text_without_an_id_has_one_of_its_content(client: FlaskClient, store: Store) -> None:
    """Sent twice it is one document."""
    statuses = [client.post("/documents", data=TEXT, content_type="text/plain").status_code for _ in range(2)]
    assert (statuses, len(store.ledger.ids())) == ([201, 200], 1)


def test_a_pasted_text_is_shown_before_it_is_saved(client: FlaskClient, store: Store) -> None:
    """The page works without scripts; its token is a field, and nothing in the answer may be kept by a cache."""
    form = {"text": f"{TEXT}\r\n<script>alert(1)</script>", "id": "pasted", "token": "secret", "action": "preview"}
    shown = client.post("/documents", data=form, content_type=FORM, headers={**HTML, "Authorization": ""})
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    page = shown.get_data(as_text=True)
    assert "not saved yet" in page
    assert "is the new ambassador of" in page
    assert "<script>" not in page
    assert store.ledger.ids() == []
    saved = client.post("/documents", data={**form, "action": "save"}, content_type=FORM, headers={**HTML, "Authorization": ""})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/resource/document/pasted")
    row = store.ledger.row("pasted")
    assert row is not None
    assert "\r" not in row.document.body.content


def test_facts_can_be_asked_for_without_saving(client: FlaskClient, store: Store) -> None:
    content = client.post("/documents?preview=1", json={"text": TEXT}).get_json()
    assert (content["saved"], bool(content["facts"])) == (False, True)
    assert store.ledger.ids() == []


def test_the_page_to_paste_into_needs_no_token_to_be_seen(client: FlaskClient) -> None:
    page = client.get("/documents/new", headers={"Authorization": ""}).get_data(as_text=True)
    assert 'action="/documents"' in page
    assert 'type="password"' in page


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"id": "x"}}, 400),
        ({"json": ["x"]}, 400),
        ({"json": {"text": TEXT, "published": "yesterday"}}, 400),
        ({"json": {"text": "   "}}, 422),
        ({"json": {"text": "a\ud800b"}}, 400),
        ({"data": b"\x00\x01\x02", "content_type": "text/plain"}, 422),
        ({"data": b"x", "content_type": "image/png"}, 415),
        ({"data": "{", "content_type": "application/json"}, 400),
    ],
)
def test_what_is_no_document_is_said(client: FlaskClient, store: Store, options: dict[str, object], status: int) -> None:
    response = client.post("/documents", **options)  # type: ignore[arg-type]
    assert response.status_code == response.get_json()["error"]["status"] == status
    assert store.ledger.ids() == []


def test_a_fault_of_a_form_is_shown_on_the_page(client: FlaskClient) -> None:
    form = {"text": TEXT, "published": "yesterday", "token": "secret"}
    response = client.post("/documents", data=form, content_type=FORM, headers=HTML)
    assert response.status_code == 400
    assert "yesterday" in response.get_data(as_text=True)


def test_hand_written_triples_outlive_documents(client: FlaskClient, store: Store, tmp_path: Path) -> None:
    """A build, a retraction and a restoration leave alone what users wrote, even about the same things."""
    client.post("/documents", json={"id": "kim", "text": TEXT})
    kim = "<http://localhost:8000/resource/person/kim-kardashian>"
    written = f'{kim} <http://a.example/note> "by hand"'
    update = {
        "data": f"INSERT DATA {{ {written} GRAPH <http://a.example/g> {{ {written} }} }}",
        "content_type": "application/sparql-update",
    }
    assert client.post("/update", **update).status_code == 204  # type: ignore[arg-type]
    from kg.revise import Reviser

    reviser = Reviser(store, single_valued=frozenset({"launchDate"}))
    derived = reviser.derive_all()
    assert not [quad for quad in derived if "by hand" in str(quad)]
    kept = [quad for quad in store.graph if "by hand" in str(quad)]
    client.post("/update", data=f"DELETE WHERE {{ {kim} kg:ambassadorOf ?b }}", content_type="application/sparql-update")
    assert derived - set(store.graph)
    reviser.rederive()
    assert derived <= set(store.graph)
    client.delete("/documents/kim")
    assert [quad for quad in store.graph if "by hand" in str(quad)] == kept
    client.post("/update", data="DROP ALL", content_type="application/sparql-update")
