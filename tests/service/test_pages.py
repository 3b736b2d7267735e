"""Pages, named queries and exports; nothing that a document says is ever markup."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

HTML = {"Accept": "text/html"}


def test_home_counts_what_is_in(client: FlaskClient) -> None:
    counts = client.get("/", headers={"Accept": "application/json"}).get_json()
    assert counts["documents"] == 6
    assert counts["entities"]["Campaign"] == 3
    assert counts["facts"]["ambassadorOf"] == 4
    page = client.get("/", headers=HTML).text
    assert "6 documents" in page
    assert "/queries/ambassadors-of-brand" in page


def test_documents_are_listed_newest_first(client: FlaskClient) -> None:
    found = client.get("/documents", headers={"Accept": "application/json"}).get_json()
    dates = [row["published"] or "" for row in found]
    assert dates == sorted(dates, reverse=True)
    assert len(found) == 6


@pytest.mark.parametrize("text", ["liv", "LIV V", "iv Van"])
def test_search_finds_part_of_a_name_in_any_case(client: FlaskClient, text: str) -> None:
    found = client.get("/search", query_string={"q": text}, headers={"Accept": "application/json"}).get_json()
    assert [(row["label"], row["type"]) for row in found] == [("Liv Vane", "Person")]


def test_search_takes_text_as_text(client: FlaskClient) -> None:
    for text in ('") } #', "\\", ".*", "' OR 1=1"):
        assert client.get("/search", query_string={"q": text}, headers={"Accept": "application/json"}).get_json() == []
    assert "Search" in client.get("/search", headers=HTML).text


def test_a_named_query_answers_by_accept(client: FlaskClient) -> None:
    asked = {"brand": "Tidewell"}
    rows = client.get("/queries/ambassadors-of-brand", query_string=asked).get_json()["results"]["bindings"]
    assert {row["name"]["value"] for row in rows} == {"Liv Vane", "Noor Marsh"}
    assert client.get("/queries/ambassadors-of-brand", query_string={**asked, "format": "csv"}).mimetype == "text/csv"
    assert "<table>" in client.get("/queries/ambassadors-of-brand", query_string=asked, headers=HTML).text


def test_a_named_query_without_what_it_needs_is_a_form_or_an_error(client: FlaskClient) -> None:
    assert 'name="brand"' in client.get("/queries/ambassadors-of-brand", headers=HTML).text
    error = client.get("/queries/ambassadors-of-brand").get_json()["error"]
    assert (error["status"], "brand" in error["message"]) == (400, True)
    assert client.get("/queries/launches?nonsense=1").status_code == 400


def test_exports_are_files_of_a_selection(client: FlaskClient) -> None:
    with client.get("/export/graphml", query_string={"about": "France"}) as response:
        assert response.headers["Content-Disposition"].startswith("attachment; filename=kg.graphml")
        assert response.text.count("<node ") == 2
    assert client.get("/export/graphml?hops=x").status_code == 400
    assert client.get("/export/graphml?about=Nobody").status_code == 404
    assert "/export/gexf" in client.get("/export", headers=HTML).text


def test_healthz_is_200_when_a_query_is_answered(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


# -- markup is inert --------------------------------------------------------------------------------------------


def pages(hostile: Any) -> list[str]:
    document = quote(hostile.id, safe="")
    select = quote("SELECT * WHERE { ?s rdfs:label ?name ; kg:said ?said }")
    wrong = quote("<script>alert(3)</script>")
    return [
        "/",
        "/documents",
        "/ontology",
        "/validation",
        "/validation?check",
        "/review",
        "/resource/brand/maison-orsenne",
        "/resource/person/bobby-script-alert-1-script-neil?documents=all",
        "/resource/person/bobby-script-alert-1-script-neil?facts=said",
        f"/documents/{document}",
        "/resource/person/bobby-script-alert-1-script-neil",
        f"/search?q={quote('<script>')}",
        f"/search?q={quote(chr(34) + '><img src=x>')}",
        f"/sparql?query={select}",
        f"/sparql?query={wrong}",
        f"/sparql?query={quote('</textarea><script>')}",
        f"/sparql?query=ASK%20%7B%7D&default-graph-uri={quote('urn:x')}",
        f"/{wrong}",
        f"/resource/{wrong}",
        f"/queries/{wrong}",
        f"/queries/ambassadors-of-brand?brand={wrong}",
    ]


def test_nothing_from_documents_or_requests_is_markup(client: FlaskClient, hostile: Any) -> None:
    for url in pages(hostile):
        page = client.get(url, headers=HTML).text
        scripts = re.findall("<script[^>]*>", page)
        assert '<script src="/static/kg.js" defer>' in scripts, url
        assert not [each for each in scripts if not re.match(r"<script (?:src=\"/(?:static|vendor)/|type=\"application/json\")", each)], url
        assert re.findall("<img[^>]*>", page) == ['<img src="/static/kg.svg" alt="" width="26" height="26">'], url
        assert not re.search(r"(href|src|action)=\"?\s*javascript:", page), url
        assert not re.search(r"<[^>]+\son\w+=", page), url


def test_hostile_text_is_shown_as_text(client: FlaskClient, hostile: Any) -> None:
    page = client.get(f"/documents/{quote(hostile.id, safe='')}", headers=HTML).text
    assert html.escape(hostile.title, quote=False) in html.unescape(page).replace("<", "&lt;").replace(">", "&gt;")
    (text,) = re.findall(r'<div class="text"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert html.unescape(re.sub(r"<[^>]+>", "", text)) == hostile.text


def test_every_answer_has_the_security_headers(app: Flask, client: FlaskClient, hostile: Any) -> None:
    for url in [*pages(hostile), "/static/kg.css", "/healthz", "/export/dot"]:
        with client.get(url, headers=HTML) as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_load_nothing_from_another_host_and_have_no_inline_style(client: FlaskClient, hostile: Any) -> None:
    for url in pages(hostile):
        page = client.get(url, headers=HTML).text
        linked = re.findall(r'<link[^>]+href="([^"]+)"', page)
        assert linked[:2] == ["/static/kg.css", "/types.css"]
        assert all(link.startswith("/static/") for link in linked[2:])
        assert "<style" not in page
        assert " style=" not in page
        assert '<html lang="en">' in page
        assert len(re.findall(r"<h1[ >]", page)) == 1
