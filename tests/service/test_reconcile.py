"""The reconciliation service, both versions: what is found, what is certain, and that every answer fits the official schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.query.names import NameIndex
from kg.query.reconcile import Reconciler
from kg.rdf.ontology import load_ontology
from kg.service import create_app
from kg.service.reconciliation import BATCH
from kg.settings import Settings
from kg.store import Store, open_store

SUITE = Path(__file__).parents[3] / "shared" / "suites" / "reconciliation-api"
VANE, ORSENNE = "person/liv-vane", "brand/maison-orsenne"
DRAFT = "1.0-draft"


def validator(version: str, name: str) -> Callable[[Any], None]:
    """A check of JSON against one of the official schemas; where they are not here, no check (a test of its own says so)."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    referencing = pytest.importorskip("referencing")
    folder = SUITE / version / "schemas"
    if not folder.is_dir():
        return lambda data: None

    def retrieve(uri: str) -> Any:
        file = "openapi.json" if "swagger.io" in uri else uri.rpartition("/")[2]
        contents = json.loads((folder / file).read_text(encoding="utf-8"))
        return referencing.Resource(contents, specification=referencing.jsonschema.DRAFT7)

    schema = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    registry = referencing.Registry(retrieve=retrieve)
    check: Callable[[Any], None] = jsonschema.Draft7Validator(schema, registry=registry).validate
    return check


def examples(version: str, name: str, verdict: str) -> list[Any]:
    """The suite's own examples of a request, as pytest parameters."""
    files = sorted((SUITE / version / "examples" / name / verdict).glob("*.json"))
    return [pytest.param(file.read_text(encoding="utf-8"), id=file.stem) for file in files] or [
        pytest.param("", marks=pytest.mark.skip(reason="the official examples are not here"))
    ]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Iterator[Store]:
    """The store as a server has it: read only."""
    store.checkpoint()
    with open_store(store.path, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(reading: Store) -> Flask:
    """The app over it."""
    return create_app(reading, Settings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app."""
    return app.test_client()


@pytest.fixture(scope="module")
def matcher(reading: Store) -> Reconciler:
    """The matcher itself."""
    ontology = load_ontology(Settings().replace(base=reading.namespace.base))
    return Reconciler(reading, ontology, NameIndex(reading, ontology.entity_types))


Match = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def match(client: FlaskClient) -> Match:
    """Candidates of one query of version 0.2, whose answer was checked against the schema."""

    def one(query: str = "", **more: Any) -> list[dict[str, Any]]:
        asked = {"q": {**({"query": query} if query else {}), **more}}
        validator("0.2", "reconciliation-query-batch")(asked)
        response = client.post("/reconcile", data={"queries": json.dumps(asked)})
        assert response.status_code == 200, response.json
        validator("0.2", "reconciliation-result-batch")(response.json)
        found: list[dict[str, Any]] = response.json["q"]["result"]
        return found

    return one


def draft(client: FlaskClient, *conditions: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Candidates of one query of version 1.0-draft, whose answer was checked against the schema."""
    asked = {"queries": [{"conditions": list(conditions), **more}]}
    validator(DRAFT, "reconciliation-query-batch")(asked)
    response = client.post("/reconcile/1.0/match", json=asked)
    assert response.status_code == 200, response.json
    validator(DRAFT, "reconciliation-result-batch")(response.json)
    found: list[dict[str, Any]] = response.json["results"][0]["candidates"]
    return found


def test_the_official_schemas_check() -> None:
    """They refuse what is wrong; without them the tests below look at what is answered, not at its form."""
    if not SUITE.is_dir():
        pytest.skip("the official schemas of the Reconciliation Service API are not here")
    for version, wrong in (("0.2", {"q0": {"result": [{"name": "x"}]}}), (DRAFT, {"results": [{}]})):
        with pytest.raises(Exception, match="is a required property"):
            validator(version, "reconciliation-result-batch")(wrong)


# -- manifests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "version"), [("/reconcile", "0.2"), ("/reconcile/", "0.2"), ("/reconcile/1.0", DRAFT), ("/reconcile/1.0/", DRAFT)]
)
def test_the_manifest_says_what_there_is(client: FlaskClient, path: str, version: str) -> None:
    """It fits the schema, every page of the world may read it, and the addresses in it are those of this server."""
    response = client.get(path, base_url="https://graph.example:8443")
    validator(version, "manifest")(response.json)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json is not None
    assert response.json["view"]["url"].startswith("https://graph.example:8443/resource/")
    assert {"Person", "Brand"} <= {kind["id"] for kind in response.json["defaultTypes"]}
    assert response.json["batchSize"] == BATCH


def test_the_manifest_comes_as_script_where_a_callback_is_named(client: FlaskClient) -> None:
    """JSONP of 0.2; a callback that is no name of a function is refused."""
    response = client.get("/reconcile?callback=window.take")
    assert response.mimetype == "text/javascript"
    text = response.get_data(as_text=True)
    assert text.startswith("/**/window.take({")
    assert json.loads(text.removeprefix("/**/window.take(").removesuffix(");"))["versions"] == ["0.1", "0.2"]
    assert client.get("/reconcile?callback=alert(1)//").status_code == 400


def test_other_hosts_may_post(client: FlaskClient) -> None:
    """The question that a browser asks before it posts JSON is answered."""
    response = client.options("/reconcile/1.0/match", headers={"Origin": "https://x.example", "Access-Control-Request-Method": "POST"})
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]


# -- match -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Liv Vane", "liv vane", "LIV  VANE", "http://localhost:8000/resource/person/liv-vane", VANE])
def test_a_name_is_found_for_certain(match: Match, name: str) -> None:
    """The name, in any case, or the IRI or id itself: first, with 100 points, certain, with its type and a description."""
    best, *others = match(name)
    assert (best["id"], best["name"], best["score"], best["match"]) == (VANE, "Liv Vane", 100, True)
    assert best["type"] == [{"id": "Person", "name": "person"}]
    assert best["description"].startswith("person")
    assert not any(other["match"] for other in others)


@pytest.mark.parametrize("name", ["Liv Vnae", "Liv Vane Smith", "Vane", "Vane Liv"])
def test_a_name_that_is_only_like_it_is_not_certain(match: Match, name: str) -> None:
    """A typing error, a part of the name, more than the name: found, but for a person to decide."""
    best = match(name)[0]
    assert best["id"] == VANE
    assert 50 < best["score"] < 95
    assert not best["match"]


def test_nothing_is_like_nonsense(match: Match) -> None:
    """No candidates is an answer."""
    assert match("Qwxzzyq Jkklmn") == []


def test_the_type_is_kept_to(match: Match) -> None:
    """A brand is no person, whatever it is called; where the type only should be, it costs points."""
    assert match("Liv Vane", type="Brand") == []
    assert match("Liv Vane", type=["Brand", "Person"])[0]["match"]
    assert match("Liv Vane", type=["Brand", "Person"], type_strict="all") == []
    other = match("Liv Vane", type="Brand", type_strict="should")[0]
    assert (other["id"], other["score"], other["match"]) == (VANE, 80, False)
    assert match("Liv Vane", type="http://localhost:8000/ontology#Person")[0]["match"]
    assert match("Liv Vane", type="Alien") == []


def test_properties_tell_candidates_apart(match: Match) -> None:
    """A right value keeps the score, a wrong one costs, an unknown one costs half; a property is read from both ends."""

    def score(pid: str, value: Any) -> float:
        return float(match("Liv Vane", properties=[{"pid": pid, "v": value}])[0]["score"])

    assert score("ambassadorOf", "Orsenne") == score("ambassadorOf", {"id": ORSENNE}) == score("ambassadorOf", ["Orsenne", "X"]) == 100
    assert score("ambassadorOf", "Nobody at all") < score("founderOf", "Orsenne") < 100
    assert score("noSuchThing", "x") == score("founderOf", "Orsenne")
    assert match("Maison Orsenne", properties=[{"pid": "^ambassadorOf", "v": "Liv Vane"}])[0]["score"] == 100
    assert score("occupation", "actress") == 100


def test_values_alone_find_too(match: Match) -> None:
    """Without a name the entities with these values are candidates, none of them certain."""
    found = match(properties=[{"pid": "ambassadorOf", "v": "Orsenne"}], type="Person")
    assert VANE in [each["id"] for each in found]
    assert match(properties=[{"pid": "^ambassadorOf", "v": "Liv Vane"}])[0]["id"] == ORSENNE
    assert match(properties=[{"pid": "noSuchThing", "v": "x"}]) == []
    assert not any(each["match"] for each in found)


def test_batches_are_answered_by_name_over_get_and_post(client: FlaskClient) -> None:
    """Each query has its own answer; the limit holds."""
    queries = json.dumps({"a": {"query": "Liv Vane", "limit": 1}, "b": {"query": ""}, "c": {"query": "Orsenne"}})
    by_get, by_post = client.get("/reconcile", query_string={"queries": queries}), client.post("/reconcile", data={"queries": queries})
    assert by_get.json == by_post.json
    assert by_get.json is not None
    assert {name: len(each["result"]) > 0 for name, each in by_get.json.items()} == {"a": True, "b": False, "c": True}
    assert len(by_get.json["a"]["result"]) == 1


@pytest.mark.parametrize("text", examples("0.2", "reconciliation-query-batch", "valid"))
def test_official_queries_are_answered(client: FlaskClient, text: str) -> None:
    """The suite's valid batches, of whatever properties and types."""
    response = client.post("/reconcile", data={"queries": text})
    validator("0.2", "reconciliation-result-batch")(response.json)
    assert response.json is not None
    assert set(response.json) == set(json.loads(text))


@pytest.mark.parametrize(
    "text", [*examples("0.2", "reconciliation-query-batch", "invalid"), "{", "[]", '{"q": 1}', "[" * 100_000, '{"q": {"query": 1}}']
)
def test_wrong_queries_are_refused(client: FlaskClient, text: str) -> None:
    """400 in the one shape of errors."""
    response = client.post("/reconcile", data={"queries": text})
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == "usage"


@pytest.mark.parametrize("text", examples(DRAFT, "reconciliation-query-batch", "valid"))
def test_official_queries_of_the_draft_are_answered(client: FlaskClient, text: str) -> None:
    """As many answers as queries, in their order."""
    response = client.post("/reconcile/1.0/match", data=text, content_type="application/json")
    validator(DRAFT, "reconciliation-result-batch")(response.json)
    assert response.json is not None
    assert len(response.json["results"]) == len(json.loads(text)["queries"])


@pytest.mark.parametrize("text", [*examples(DRAFT, "reconciliation-query-batch", "invalid"), "", "{", '{"queries": 3}', "[]"])
def test_wrong_queries_of_the_draft_are_refused(client: FlaskClient, text: str) -> None:
    """400, too."""
    response = client.post("/reconcile/1.0/match", data=text, content_type="application/json")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["hint"]


def test_more_than_a_batch_is_refused(client: FlaskClient) -> None:
    """413 above the size in the manifest, and an answer at it."""

    def statuses(size: int) -> set[int]:
        queries = {f"q{number}": {"query": "x"} for number in range(size)}
        conditions = [{"conditions": [{"matchType": "name", "propertyValue": "x"}]}] * size
        extend = {"ids": ["x"] * size, "properties": []}
        return {
            client.post("/reconcile", data={"queries": json.dumps(queries)}).status_code,
            client.post("/reconcile/1.0/match", json={"queries": conditions}).status_code,
            client.post("/reconcile", data={"extend": json.dumps(extend)}).status_code,
            client.post("/reconcile/1.0/extend", json=extend).status_code,
        }

    assert statuses(BATCH) == {200}
    assert statuses(BATCH + 1) == {413}


def test_conditions_of_the_draft(client: FlaskClient) -> None:
    """Names, ids and properties; required ones leave out who lacks them; none of some values; exactly."""
    name = {"matchType": "name", "propertyValue": "Liv Vane"}

    def face(value: Any, **more: Any) -> dict[str, Any]:
        return {"matchType": "property", "propertyId": "ambassadorOf", "propertyValue": value, **more}

    assert draft(client, name)[0]["match"]
    assert draft(client, {"matchType": "name", "propertyValue": ["Nobody at all", "Liv Vane"]})[0]["match"]
    assert [each["id"] for each in draft(client, {"matchType": "id", "propertyValue": VANE})] == [VANE]
    assert draft(client, name, face("Orsenne", required=True))[0]["score"] == 100
    assert draft(client, name, face("Zzz", required=True)) == []
    assert draft(client, name, face("Zzz", matchQuantifier="none", required=True))[0]["id"] == VANE
    assert draft(client, name, face("Orsenne", matchQuantifier="none", required=True)) == []
    absent = draft(client, face("Orsenne", matchQuantifier="none", required=True), limit=100)
    assert ORSENNE in [each["id"] for each in absent]
    assert VANE not in [each["id"] for each in absent]
    assert draft(client, name, face(["Orsenne", "Zzz"], matchQuantifier="all", required=True)) == []
    fuzzy, exact = (draft(client, name, face("Orsene", matchQualifier=how))[0]["score"] for how in ("fuzzy", "exact"))
    assert fuzzy > exact


# -- suggestions, previews, extension ----------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["/reconcile", "/reconcile/1.0"])
@pytest.mark.parametrize(
    ("kind", "prefix", "expected"),
    [
        ("entity", "liv", VANE),
        ("entity", "van", VANE),
        ("entity", "", VANE),
        ("property", "ambas", "ambassadorOf"),
        ("type", "per", "Person"),
    ],
)
def test_suggestions_fit_what_was_typed(client: FlaskClient, root: str, kind: str, prefix: str, expected: str) -> None:
    """The beginning of a name or of a word in it; as many as wanted, from wherever."""
    version, plural = ("0.2" if root == "/reconcile" else DRAFT), {"entity": "entities", "property": "properties", "type": "types"}[kind]
    response = client.get(f"{root}/suggest/{kind}", query_string={"prefix": prefix, "limit": 100})
    validator(version, f"suggest-{plural}-response")(response.json)
    assert response.json is not None
    found = [each["id"] for each in response.json["result"]]
    assert expected in found
    rest = client.get(f"{root}/suggest/{kind}", query_string={"prefix": prefix, "limit": 1, "cursor": 1}).json
    assert rest is not None
    assert [each["id"] for each in rest["result"]] == found[1:2]


def test_suggestions_of_a_wrong_kind_are_refused(client: FlaskClient) -> None:
    """One line that says what there is."""
    assert client.get("/reconcile/suggest/colour?prefix=x").status_code == 404


@pytest.mark.parametrize("root", ["/reconcile", "/reconcile/1.0"])
def test_a_preview_may_be_framed_and_holds_no_markup_of_documents(client: FlaskClient, root: str, matcher: Reconciler) -> None:
    """A small page for any entity; other pages may show it in a frame, and only it."""
    hostile = next(each for each in matcher.names.entities.values() if "<script>" in each.label)
    response = client.get(f"{root}/preview", query_string={"id": hostile.id})
    assert "frame-ancestors *" in response.headers["Content-Security-Policy"]
    assert "<script>alert" not in response.get_data(as_text=True)
    assert "&lt;script&gt;" in response.get_data(as_text=True)
    assert client.get(f"{root}/preview?id=person/nobody").status_code == 404


def test_a_flyout_says_what_a_suggestion_is(client: FlaskClient) -> None:
    """For entities, properties and types."""
    for kind, ident in (("entity", VANE), ("property", "ambassadorOf"), ("type", "Person")):
        response = client.get(f"/reconcile/flyout/{kind}", query_string={"id": ident})
        assert response.json is not None
        assert response.json["id"] == ident
        assert response.json["html"].startswith("<p><strong>")


def extended(client: FlaskClient, root: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Rows of an extension by id and property, whichever version."""
    if root == "/reconcile":
        response = client.post(root, data={"extend": json.dumps(asked)})
        validator("0.2", "data-extension-response")(response.json)
        assert response.json is not None
        return dict(response.json["rows"])
    validator(DRAFT, "data-extension-query")(asked)
    response = client.post(f"{root}/extend", json=asked)
    validator(DRAFT, "data-extension-response")(response.json)
    assert response.json is not None
    return {row["id"]: {each["id"]: each["values"] for each in row["properties"]} for row in response.json["rows"]}


@pytest.mark.parametrize("root", ["/reconcile", "/reconcile/1.0"])
def test_extension_gives_values(client: FlaskClient, root: str) -> None:
    """Entities, texts, dates and nothing, in both directions; the limit holds; an unknown id has no values."""
    names = ("ambassadorOf", "occupation", "^founderOf", "launchDate", "mentionedIn", "succeeds")
    rows = extended(client, root, {"ids": [VANE, ORSENNE, "person/nobody"], "properties": [{"id": name} for name in names]})
    assert {"id": ORSENNE, "name": "Maison Orsenne"} in rows[VANE]["ambassadorOf"]
    assert rows[VANE]["occupation"] == [{"str": "actress"}]
    assert {"str": "orsenne-vane-face"} in rows[VANE]["mentionedIn"]
    assert rows["person/nobody"] == {name: [] for name in names}
    one = extended(client, root, {"ids": [VANE], "properties": [{"id": "mentionedIn", "settings": {"limit": "1"}}]})
    assert len(one[VANE]["mentionedIn"]) == 1 < len(rows[VANE]["mentionedIn"])


def test_extension_of_a_property_that_there_is_not(client: FlaskClient) -> None:
    """Refused, with what is meant."""
    for response in (
        client.post("/reconcile", data={"extend": json.dumps({"ids": [VANE], "properties": [{"id": "ambasadorOf"}]})}),
        client.post("/reconcile/1.0/extend", json={"ids": [VANE], "properties": [{"id": "ambasadorOf"}]}),
    ):
        assert response.status_code == 400
        assert response.json is not None
        assert "ambassadorOf" in response.json["error"]["hint"]


@pytest.mark.parametrize("root", ["/reconcile", "/reconcile/1.0"])
def test_properties_are_proposed_for_a_type(client: FlaskClient, root: str) -> None:
    """What a person may have, but not what only a product has."""
    response = client.get(f"{root}/extend/propose?type=Person")
    validator("0.2" if root == "/reconcile" else DRAFT, "data-extension-property-proposal")(response.json)
    assert response.json is not None
    found = {each["id"] for each in response.json["properties"]}
    assert {"ambassadorOf", "^directedBy", "sameAs"} <= found
    assert "launchDate" not in found


# -- names -------------------------------------------------------------------------------------------------------


def test_two_of_one_name_are_never_certain(matcher: Reconciler) -> None:
    """Every label finds its own entity; it is certain exactly where no other candidate comes near."""
    from kg.query.reconcile import Sought

    for entity in matcher.names.entities.values():
        found = matcher.match(Sought((entity.label,), limit=50))
        assert entity in [each.entity for each in found if each.score == 100]
        near = [each for each in found if found[0].score - each.score < 10]
        assert found[0].match == (len(near) == 1)


def test_names_are_read_once_a_state(app: Flask, client: FlaskClient) -> None:
    """A read-only store's matcher is kept for the next request; another state of the store has another one."""
    client.get("/reconcile/suggest/entity?prefix=l")
    first = app.extensions["kg.names"][1]
    client.get("/reconcile/suggest/entity?prefix=l")
    assert app.extensions["kg.names"][1] is first
