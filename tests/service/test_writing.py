"""Writing over HTTP: who may, what is taken and refused, the shapes' guard, and what a killed process leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from kg.errors import InvalidSetting
from kg.service import create_app
from kg.settings import Settings
from kg.store import Store, open_store

TOKEN = {"Authorization": "Bearer secret"}
UPDATE = "application/sparql-update"
TURTLE = "text/turtle"
GRAPH = "/store?graph=http://a.example/g"
TRIPLE = "<http://a.example/s> <http://a.example/p> <http://a.example/o> ."
PERSON = "<http://localhost:8000/resource/person/alva-thorn>"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store without a document."""
    with open_store(tmp_path / "store", create=True) as made:
        yield made


@pytest.fixture
def client(store: Store) -> FlaskClient:
    """A client of an app that writes to it, with the token."""
    return client_of(store)


def client_of(store: Store, **changes: object) -> FlaskClient:
    made = create_app(store, Settings().replace(**{"token": "secret", **changes})).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = TOKEN["Authorization"]
    return made


def update(client: FlaskClient, text: str, **options: object) -> int:
    return client.post("/update", data=text, content_type=UPDATE, **options).status_code  # type: ignore[arg-type]


def lines(store: Store) -> set[str]:
    return {str(quad) for quad in store.graph}


# -- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/update"),
        ("PUT", "/store?default"),
        ("POST", "/store"),
        ("DELETE", "/store?default"),
        ("POST", "/documents"),
        ("DELETE", "/documents/x"),
    ],
)
def test_every_writing_route_needs_the_token(store: Store, method: str, path: str) -> None:
    """Without a token in the settings nobody may; with one, a request without it or with a wrong one is told how to send it."""
    closed, open_ = create_app(store, Settings()).test_client(), create_app(store, Settings().replace(token="secret")).test_client()
    body = {"data": "DROP ALL", "content_type": UPDATE}
    refused = closed.open(path, method=method, headers=TOKEN, **body)  # type: ignore[arg-type]
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "read-only")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic c2VjcmV0"}, {"Cookie": "token=secret"}):
        response = open_.open(path, method=method, headers=headers, **body)  # type: ignore[arg-type]
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="kg"')


def test_a_store_that_is_open_for_reading_takes_no_changes(store: Store) -> None:
    with open_store(store.path, read_only=True) as reading:
        assert update(client_of(reading), f"INSERT DATA {{ {TRIPLE} }}") == 403


# -- update -----------------------------------------------------------------------------------------------------


def test_an_update_is_seen_by_the_next_query(client: FlaskClient) -> None:
    assert update(client, f"INSERT DATA {{ {TRIPLE} }}") == 204
    response = client.get("/sparql", query_string={"query": "ASK { <http://a.example/s> ?p ?o }"})
    assert response.get_json()["boolean"] is True
    assert (
        client.post("/update", data=urlencode({"update": "DROP ALL"}), content_type="application/x-www-form-urlencoded").status_code == 204
    )
    assert client.get("/sparql", query_string={"query": "ASK { ?s ?p ?o }"}).get_json()["boolean"] is False


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        ("INSERT DATA {", UPDATE, 400, "query-syntax"),
        ("LOAD SILENT <http://a.example/x>", UPDATE, 403, "query-refused"),
        ("INSERT { ?s ?p ?o } WHERE { SERVICE <http://a.example/x> { ?s ?p ?o } }", UPDATE, 403, "query-refused"),
        ("DROP ALL", "text/plain", 415, "unsupported-media-type"),
        ("DROP ALL", f"{UPDATE}; charset=utf-16", 415, "unsupported-media-type"),
        ("", "application/x-www-form-urlencoded", 400, "update-missing"),
        ("update=DROP+ALL&update=DROP+ALL", "application/x-www-form-urlencoded", 400, "query-twice"),
        ("update=DROP+ALL&using-graph-uri=no%20iri", "application/x-www-form-urlencoded", 400, "graph-iri"),
    ],
)
def test_a_bad_update_changes_nothing(client: FlaskClient, store: Store, body: str, kind: str, status: int, code: str) -> None:
    update(client, f"INSERT DATA {{ {TRIPLE} }}")
    response = client.post("/update", data=body, content_type=kind)
    assert (response.status_code, response.get_json()["error"]["code"]) == (status, code)
    assert len(lines(store)) == 1


def test_an_update_is_all_or_nothing(client: FlaskClient, store: Store) -> None:
    """A fault in the last operation leaves no trace of the first."""
    assert update(client, f"INSERT DATA {{ {TRIPLE} }} ; COPY <http://a.example/none> TO DEFAULT") == 400
    assert lines(store) == set()


# -- graph store ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (TURTLE, TRIPLE),
        ("application/n-triples", TRIPLE),
        ("application/ld+json", '{"@id": "http://a.example/s", "http://a.example/p": {"@id": "http://a.example/o"}}'),
        (
            "application/rdf+xml",
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="http://a.example/">'
            '<rdf:Description rdf:about="http://a.example/s"><a:p rdf:resource="http://a.example/o"/></rdf:Description></rdf:RDF>',
        ),
    ],
)
def test_a_graph_goes_in_and_out_in_every_format(client: FlaskClient, kind: str, body: str) -> None:
    assert client.put(GRAPH, data=body, content_type=kind).status_code == 201
    assert client.put(GRAPH, data=body, content_type=kind).status_code == 204
    with client.get(GRAPH, headers={"Accept": kind}) as response:
        assert (response.status_code, response.mimetype) == (200, kind)
        (quad,) = ox.parse(response.data, format=ox.RdfFormat.from_media_type(kind))
    assert str(quad.triple) == TRIPLE.removesuffix(" .")
    head = client.head(GRAPH)
    assert (head.status_code, head.data) == (200, b"")


def test_put_replaces_post_adds_delete_ends(client: FlaskClient, store: Store) -> None:
    client.put(GRAPH, data=TRIPLE, content_type=TURTLE)
    client.post(GRAPH, data=TRIPLE.replace("/o>", "/o2>"), content_type=TURTLE)
    assert len(lines(store)) == 2
    client.put(GRAPH, data=TRIPLE.replace("/o>", "/o3>"), content_type=TURTLE)
    assert [line for line in lines(store) if "/o3>" in line] == list(lines(store))
    assert [client.delete(GRAPH).status_code for _ in range(2)] == [204, 404]
    assert client.get(GRAPH).status_code == 404
    assert client.delete("/store?default").status_code == 204


def test_post_without_a_graph_makes_one(client: FlaskClient, store: Store) -> None:
    response = client.post("/store", data="<> <http://a.example/p> 1 .", content_type=TURTLE)
    assert response.status_code == 201
    location = response.headers["Location"]
    assert {str(quad.graph_name) for quad in store.graph} == {str(quad.subject) for quad in store.graph} == {f"<{location}>"}
    with client.get(location) as found:
        assert found.status_code == 200


def test_datasets_go_in_whole(client: FlaskClient, store: Store) -> None:
    """TriG and N-Quads name their graphs themselves; where one graph is meant, a named one in it is a fault."""
    dataset = f"{TRIPLE} <http://a.example/g> {{ {TRIPLE} }}"
    assert client.post("/store", data=dataset, content_type="application/trig").status_code == 204
    assert len(lines(store)) == 2
    assert client.put("/store", data=TRIPLE, content_type="application/n-quads").status_code == 204
    assert len(lines(store)) == 1
    with client.get("/store", headers={"Accept": "application/n-quads"}) as response:
        assert response.data.decode() == f"{TRIPLE}\n"
    assert client.post(GRAPH, data=dataset, content_type="application/trig").status_code == 400
    assert client.put("/store", data=TRIPLE, content_type=TURTLE).status_code == 400


def test_a_form_may_hold_several_files(client: FlaskClient, store: Store) -> None:
    files = [
        (io.BytesIO(TRIPLE.encode()), "one.ttl", TURTLE),
        (io.BytesIO(TRIPLE.replace("/o>", "/o2>").encode()), "two.nt", "application/n-triples"),
    ]
    assert client.post(GRAPH, data={"files": files}, content_type="multipart/form-data").status_code == 201
    assert len(lines(store)) == 2
    assert client.post(GRAPH, data={"note": "x"}, content_type="multipart/form-data").status_code == 400


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        (GRAPH, {"data": "<a> <b> .", "content_type": TURTLE}, 400),
        (GRAPH, {"data": b"\xff\xfe", "content_type": TURTLE}, 400),
        (GRAPH, {"data": TRIPLE, "content_type": "image/png"}, 415),
        (GRAPH, {"data": TRIPLE}, 415),
        (GRAPH, {"data": TRIPLE, "content_type": TURTLE, "headers": {"Content-Encoding": "br"}}, 415),
        (f"{GRAPH}&default", {"data": TRIPLE, "content_type": TURTLE}, 400),
        ("/store?graph=relative", {"data": TRIPLE, "content_type": TURTLE}, 400),
    ],
)
def test_what_cannot_be_taken_is_said(client: FlaskClient, store: Store, path: str, options: dict[str, object], status: int) -> None:
    response = client.put(path, **options)  # type: ignore[arg-type]
    assert response.status_code == response.get_json()["error"]["status"] == status
    assert lines(store) == set()


def test_a_fault_in_a_file_has_its_line(client: FlaskClient) -> None:
    response = client.put(GRAPH, data=f"{TRIPLE}\n<a> <b> .", content_type=TURTLE)
    assert "line 2" in response.get_json()["error"]["message"]


def test_a_body_past_the_limit_is_413_and_one_of_unknown_length_411(store: Store) -> None:
    client = client_of(store, upload_bytes=100)
    assert client.put(GRAPH, data=TRIPLE * 3, content_type=TURTLE).status_code == 413
    assert client.put(GRAPH, content_type=TURTLE, environ_overrides={"CONTENT_LENGTH": ""}).status_code == 411


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("kinds", ["foreign", "ours"])
def test_large_graphs_go_through_files_to_the_same_end(
    client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch, kinds: str, *, replace: bool
) -> None:
    """Past the limit of memory a body is streamed, or compared on disk; the effect is that of a small one."""
    monkeypatch.setattr("kg.update.writing.IN_MEMORY", 1000)
    monkeypatch.setattr("kg.update.writing._PART", 70)
    kind = "<http://localhost:8000/ontology#Person>" if kinds == "ours" else "<http://a.example/T>"
    body = "".join(f'<http://a.example/{n}> a {kind} ; <http://www.w3.org/2000/01/rdf-schema#label> "{n}", [] .\n' for n in range(150))
    assert client.put(GRAPH, data=body.replace(", []", ""), content_type=TURTLE).status_code == 201
    assert len(lines(store)) == 300
    changed = body.replace('"7"', '"seven"').replace(", []", "")
    assert (client.put if replace else client.post)(GRAPH, data=changed, content_type=TURTLE).status_code == 204
    assert len(lines(store)) == (300 if replace else 301)
    assert not list(store.path.glob("graph-incoming-*"))
    response = client.put(GRAPH, data=body + "<x> .", content_type=TURTLE)
    assert response.status_code == 400
    assert len(lines(store)) == (300 if replace else 301)


# -- the shapes' guard ------------------------------------------------------------------------------------------

BAD = f"INSERT DATA {{ {PERSON} a kg:Person . {TRIPLE} }}"


def test_a_write_that_breaks_a_shape_is_refused_with_the_report(client: FlaskClient, store: Store) -> None:
    response = client.post("/update", data=BAD, content_type=UPDATE)
    assert response.status_code == 422
    content = response.get_json()
    assert content["error"]["code"] == "rejected-by-shapes"
    assert [violation["focus"] for violation in content["violations"]] == [PERSON.strip("<>")]
    report = client.post("/update", data=BAD, content_type=UPDATE, headers={"Accept": TURTLE})
    assert (report.status_code, report.mimetype) == (422, TURTLE)
    assert any(quad.predicate.value.endswith("#focusNode") for quad in ox.parse(report.data, format=ox.RdfFormat.TURTLE))
    put = client.put("/store?default", data=f"{PERSON} a <http://localhost:8000/ontology#Person> .", content_type=TURTLE)
    assert put.status_code == 422
    assert lines(store) == set()


def test_only_what_the_write_breaks_is_its_fault(store: Store) -> None:
    """What was broken before stays so, and nodes of other classes are nobody's business."""
    assert update(client_of(store, guard="off"), BAD) == 204
    client = client_of(store)
    assert update(client, f'INSERT DATA {{ {PERSON} skos:altLabel "Alva" }}') == 204
    assert update(client, f'INSERT DATA {{ {PERSON} skos:altLabel "" }}') == 422
    assert update(client, "INSERT DATA { <http://a.example/x> a <http://a.example/Person> ; skos:altLabel '' }") == 204
    assert update(client, f'INSERT DATA {{ {PERSON} rdfs:label "Alva Thorn" }}') == 204
    assert update(client, f"DELETE WHERE {{ {PERSON} rdfs:label ?l }}") == 422
    assert update(client, f"DELETE WHERE {{ {PERSON} ?p ?o }}") == 204


def test_quarantine_keeps_the_node_out_and_writes_the_rest(store: Store) -> None:
    response = client_of(store, guard="quarantine").post("/update", data=BAD, content_type=UPDATE)
    assert response.status_code == 200
    assert [violation["focus"] for violation in response.get_json()["quarantined"]] == [PERSON.strip("<>")]
    assert lines(store) == {TRIPLE.removesuffix(" .")}
    ((removed, added, violations),) = store.ledger.held()
    assert (removed, added) == (
        "",
        f"{PERSON} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://localhost:8000/ontology#Person> .\n",
    )
    assert violations[0]["severity"] == "Violation"


def test_what_was_held_back_is_listed(store: Store) -> None:
    """`kg validate --quarantine` names the nodes that writes by hand lost."""
    client_of(store, guard="quarantine").post("/update", data=BAD, content_type=UPDATE)
    command = [sys.executable, "-m", "kg", "--store", str(store.path), "validate", "--quarantine"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "written by hand: person/alva-thorn: An entity has a name" in listed


def test_a_guard_of_another_name_is_no_setting(store: Store) -> None:
    with pytest.raises(InvalidSetting, match="guard"):
        client_of(store, guard="maybe")


# -- a killed process -------------------------------------------------------------------------------------------

WRITER = """
import sys
from kg.service import create_app
from kg.settings import Settings
from kg.store import open_store
with open_store(sys.argv[1], create=True) as store:
    client = create_app(store, Settings().replace(token="secret")).test_client()
    number = int(sys.argv[2])
    while True:
        body = "".join(f"<http://a.example/{number}> <http://a.example/p> {n} ." for n in range(20))
        blank = f"[] <http://a.example/number> {number} ."
        old = f"DELETE WHERE {{ <http://a.example/{number - 3}> ?p ?o }} ; " if number % 4 == 3 else ""
        answer = client.post("/update", data=f"{old}INSERT DATA {{ {body} {blank} }}", content_type="application/sparql-update",
                             headers={"Authorization": "Bearer secret"})
        assert answer.status_code == 204, answer.data
        print(number, flush=True)
        number += 1
"""


def test_a_writer_that_is_killed_loses_nothing_and_leaves_nothing_half(tmp_path: Path) -> None:
    """After kill -9 every write that was answered is there, and each that is there is whole."""
    answered = -1
    for delay in (0.15, 0.3, 0.2):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "store"), str(answered + 1)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            answered = int(process.stdout.readline())
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
            answered = max([answered, *(int(line) for line in process.stdout.read().split())])
        with open_store(tmp_path / "store") as store:
            number = ox.NamedNode("http://a.example/number")
            present = sorted(int(quad.object.value) for quad in store.graph.quads_for_pattern(None, number, None, None))
            assert present[: answered + 1] == list(range(answered + 1))
            assert len(present) <= answered + 2  # one may have been written and not answered
            for each in present:
                found = list(store.graph.quads_for_pattern(ox.NamedNode(f"http://a.example/{each}"), None, None, None))
                gone = (each % 4 == 0) and each + 3 <= present[-1]
                assert len(found) == (0 if gone else 20), each
            answered = present[-1]
    assert not list((tmp_path / "store").glob("graph-outlook-*"))
    assert json.loads((tmp_path / "store" / "store.json").read_text(encoding="utf-8"))
