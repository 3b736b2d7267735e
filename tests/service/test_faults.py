"""Errors have one shape on every route, and tell nothing about the inside."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg import errors
from kg.service import create_app
from kg.service.faults import STATUSES, fault_of
from kg.settings import Settings
from kg.store import Store


def has_shape(response: Any, status: int) -> bool:
    error = response.get_json()["error"]
    assert sorted(error) == ["code", "hint", "message", "status"]
    assert (response.status_code, error["status"]) == (status, status)
    assert all(isinstance(error[name], str) for name in ("code", "message", "hint"))
    return bool(error["code"]) and bool(error["message"])


def urls(app: Flask) -> list[str]:
    adapter = app.url_map.bind("localhost")
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "nothing")) for rule in rules]


def test_every_error_of_the_tree_has_a_status() -> None:
    tree = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.KgError)]
    assert set(tree) == set(STATUSES)


def test_no_route_answers_a_method_it_does_not_know(app: Flask, client: FlaskClient) -> None:
    for url in urls(app):
        response = client.open(url, method="LOCK")
        assert has_shape(response, 405)
        assert "GET" in response.headers["Allow"]


def test_whatever_is_not_there_has_the_shape(app: Flask, client: FlaskClient) -> None:
    found = [url for url in urls(app) if "nothing" in url]
    assert len(found) >= 6
    for url in found:
        assert has_shape(client.get(url), 404)
    assert has_shape(client.get("/nowhere"), 404)


def test_no_route_answers_an_accept_it_cannot_meet_with_something_else(app: Flask, client: FlaskClient) -> None:
    for url in urls(app):
        response = client.get(url, headers={"Accept": "image/png"})
        if response.status_code == 406:
            assert has_shape(response, 406)
    assert has_shape(client.get("/", headers={"Accept": "image/png"}), 406)
    assert has_shape(client.get("/resource/person/liv-vane", headers={"Accept": "image/png"}), 406)


def test_browsers_get_a_page(client: FlaskClient) -> None:
    response = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "<h1>404" in response.text


def test_an_unexpected_error_is_500_and_keeps_its_details(store: Store) -> None:
    broken = False

    def source() -> Store:
        if broken:
            raise RuntimeError("secret /srv/place")
        return store

    app = create_app(source, Settings())
    broken = True
    for url in ("/", "/healthz", "/sparql?query=ASK%20%7B%7D", "/resource/person/liv-vane"):
        response = app.test_client().get(url)
        assert has_shape(response, 500)
        assert "secret" not in response.text


def test_places_on_the_disk_are_not_told() -> None:
    assert "/srv" not in str(fault_of(errors.StoreError("/srv/store: broken", hint="see /srv")).as_data())


@pytest.mark.parametrize("error", [errors.StoreLocked("x"), errors.QueryTimeout("x")])
def test_what_passes_is_503(error: errors.KgError) -> None:
    assert fault_of(error).status == 503


def test_an_unknown_query_suggests_near_ones(client: FlaskClient) -> None:
    error = client.get("/queries/launchs").get_json()["error"]
    assert "launches" in error["hint"]
