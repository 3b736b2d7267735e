"""The extractor `llm` against a real HTTP server on loopback that speaks the protocol: what it keeps, drops, repeats and counts."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kg.errors import ChatError, InvalidSetting, ModelError
from kg.extract import Pipeline
from kg.extract.llm import LlmExtractor
from kg.model import Document, Extraction, Literal, Name, Span, Text
from kg.plugins import Extractor, load_plugin
from kg.rdf.ontology import load_ontology
from kg.resources import resource
from kg.settings import SETTINGS, Settings

pytestmark = pytest.mark.skipif(not resource("seeds", "model", "model.json").is_file(), reason="this checkout ships no model")

KEY = "sk-secret-7"
TEXT = (
    "date 2024-03-12 Balenciaga has appointed Kim Kardashian\nas its new “global” ambassador.\n\n"
    "“I grew up with this bag,” Kardashian said. The Italian house of Gucci opened in 1921."
)
DOCUMENT = Document("a", (Text("body", TEXT, len("date 2024-03-12")), Text("data", '{"name": "Prada opened"}')), published="2024-03-12")
KIM, BALENCIAGA = Name("Person", "Kim Kardashian"), Name("Brand", "Balenciaga")
ENTITIES = [
    {"type": "Person", "name": "Kim Kardashian", "mentions": ["Kardashian"]},
    {"type": "Brand", "name": "Balenciaga", "mentions": []},
    {"type": "Brand", "name": "Gucci", "mentions": ["Gucci"]},
    {"type": "Country", "name": "Italy", "mentions": ["Italian"]},
]


def claim(predicate: str, subject: str, object: str, evidence: str, **more: Any) -> dict[str, Any]:
    """A claim as the server gives it; ends are ``Type:name``."""
    ends = [end.split(":", 1) for end in (subject, object)]
    fields = {"predicate": predicate, "subject_type": ends[0][0], "subject": ends[0][1], "object_type": ends[1][0], "object": ends[1][1]}
    return {**fields, "evidence": evidence, "confidence": 0.9, **more}


APPOINTED = claim(
    "ambassadorOf", "Person:Kim Kardashian", "Brand:Balenciaga", 'Kim Kardashian as its new "global" ambassador', start="2024-03", end=None
)
SAID = claim("said", "Person:Kardashian", "quotation:“I grew up with this bag,”", "I grew up with this bag")
ORIGIN = claim("countryOfOrigin", "Brand:Gucci", "Country:Italy", "The Italian house of Gucci")
OPENED = claim("launchDate", "Brand:Gucci", "date:1921", "Gucci opened in 1921.")
RIGHT = [APPOINTED, SAID, ORIGIN, OPENED]


def completion(content: str | None, reason: str = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def answer(*claims: object, entities: object = None) -> bytes:
    return completion(json.dumps({"entities": ENTITIES if entities is None else entities, "claims": claims}))


class Stub:
    """A server of chat completions: gives the answers of a list, the last one for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.asked.append((self.path, dict(self.headers), body))
                status, content, headers = stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0]
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def says(self, content: bytes, status: int = 200, **headers: str) -> None:
        """One more answer."""
        self.answers.append((status, content, {name.replace("_", "-"): value for name, value in headers.items()}))

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A running server, reached by no proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Stub()
    yield made
    made.stop()


Make = Callable[..., LlmExtractor]


@pytest.fixture
def waits() -> list[float]:
    """How long the extractor would have waited, each time."""
    return []


@pytest.fixture
def make(stub: Stub, tmp_path: Path, waits: list[float]) -> Make:
    """Makes the extractor for the stub, through the registry; it notes its waits and doesn't take them."""

    def made(**changes: Any) -> LlmExtractor:
        given = {"llm_url": stub.url, "llm_model": "small", "llm_key": KEY, "llm_cache": str(tmp_path / "cache"), **changes}
        extractor: LlmExtractor = load_plugin("extractors", "llm", Settings().replace(llm_requests_per_minute=0).replace(**given))
        extractor.chat.line.sleep = waits.append
        return extractor

    return made


def run(extractor: Extractor, document: Document = DOCUMENT) -> Extraction:
    return extractor(document, Extraction(document.id))


# -- what is found -----------------------------------------------------------------------------------------------


def test_right_answers_become_claims(stub: Stub, make: Make) -> None:
    """Claims have the sentence of the text as evidence, names their mentions, a country its common name."""
    stub.says(answer(*RIGHT))
    found = run(make())
    assert not found.problems
    assert [(c.subject, c.predicate, c.object, c.qualifiers) for c in found.claims] == [
        (KIM, "ambassadorOf", BALENCIAGA, (("start", "2024-03"),)),
        (KIM, "said", Literal("I grew up with this bag,"), ()),
        (Name("Brand", "Gucci"), "countryOfOrigin", Name("Country", "Italy"), ()),
        (Name("Brand", "Gucci"), "launchDate", Literal("1921", "gYear"), ()),
    ]
    quotes = [c.evidence[0].quote for c in found.claims]
    assert quotes[0].endswith("as its new “global” ambassador.")
    for each in (c.evidence[0] for c in found.claims):
        assert (each.extractor, each.version, each.confidence) == ("llm", "1", 0.9)
        assert TEXT[each.span.start : each.span.end] == each.quote
    assert {(m.surface, m.referent.name) for m in found.mentions} == {
        ("Kim Kardashian", "Kim Kardashian"), ("Kardashian", "Kim Kardashian"), ("Balenciaga", "Balenciaga"), ("Gucci", "Gucci"),
        ("Italian", "Italy"),
    }  # fmt: skip
    assert all(TEXT[m.span.start : m.span.end] == m.surface and m.span.start >= DOCUMENT.body.metadata_end for m in found.mentions)
    ontology = load_ontology(Settings())
    assert {c.predicate for c in found.claims} <= set(ontology.predicates)
    assert {m.referent.type for m in found.mentions} <= set(ontology.entity_types)


@pytest.mark.parametrize(
    "wrong",
    [
        {**APPOINTED, "evidence": "Balenciaga fired Kim Kardashian"},
        {**APPOINTED, "evidence": "Prada opened"},
        {**APPOINTED, "evidence": "date 2024-03-12"},
        {**APPOINTED, "evidence": ""},
        {**APPOINTED, "evidence": "new"},
        {**APPOINTED, "predicate": "admires"},
        {**APPOINTED, "subject_type": "Alien"},
        {**APPOINTED, "subject_type": "Campaign"},
        {**APPOINTED, "object_type": "Person", "object": "Kim Kardashian"},
        {**APPOINTED, "subject": "Liv Vane"},
        {**APPOINTED, "object": "Prada"},
        {**APPOINTED, "confidence": 1.5},
        {**APPOINTED, "confidence": float("nan")},
        {**APPOINTED, "confidence": True},
        {**APPOINTED, "confidence": "high"},
        {**APPOINTED, "subject": None},
        {**SAID, "object": "I never said this"},
        {**OPENED, "object": "1921-13"},
        {**OPENED, "object": "long ago"},
        {"predicate": "said"},
        "no object",
        None,
    ],
)
def test_what_the_text_or_the_ontology_does_not_bear_out_is_dropped(stub: Stub, make: Make, wrong: object) -> None:
    """A wrong claim is left out; the right one beside it stays."""
    stub.says(answer(wrong, OPENED))
    found = run(make())
    assert [c.predicate for c in found.claims] == ["launchDate"]
    assert not found.problems


def test_entities_that_the_text_does_not_name_are_dropped(stub: Stub, make: Make) -> None:
    """Neither an invented name, nor one inside a word, nor an unknown type gets a mention; a wrong full name gives way to the one used."""
    entities = [
        {"type": "Brand", "name": "Prada", "mentions": []}, {"type": "Brand", "name": "Guc", "mentions": []},
        {"type": "Alien", "name": "Gucci", "mentions": []}, {"type": "Person", "name": "Kim K. West", "mentions": ["Kim Kardashian", 7]},
        {"type": "Person", "name": "…", "mentions": None}, {"type": "Person"}, 3,
    ]  # fmt: skip
    stub.says(answer(entities=entities))
    assert {m.referent for m in run(make()).mentions} == {KIM}


def test_one_name_for_two_things(stub: Stub, make: Make) -> None:
    """Where a brand and its company share a name, each end of a claim still has its mention."""
    entities = [{"type": kind, "name": "Gucci", "mentions": []} for kind in ("Organization", "Brand")]
    stub.says(answer(OPENED, entities=entities))
    found = run(make())
    assert {m.referent.type for m in found.mentions} == {"Organization", "Brand"}
    assert found.claims[0].subject in {m.referent for m in found.mentions}


def test_a_symmetric_relation_counts_once(stub: Stub, make: Make) -> None:
    """Both directions of one collaboration are one claim."""
    words = "The Italian house of Gucci opened"
    one = claim("collaboratedWith", "Brand:Gucci", "Brand:Balenciaga", words)
    stub.says(answer(one, claim("collaboratedWith", "Brand:Balenciaga", "Brand:Gucci", words)))
    assert len(run(make()).claims) == 1


def test_long_texts_go_in_pieces(stub: Stub, make: Make) -> None:
    """Each piece is asked for alone, no character is lost, and evidence is looked for in its own piece."""
    stub.says(answer())
    stub.says(answer(OPENED, entities=ENTITIES))
    text = "Nothing was said here. " * 600 + "Gucci opened in 1921. " + "X" * 30_000
    found = run(make(llm_cache=""), Document("b", (Text("body", text),)))
    pieces = [body["messages"][1]["content"].partition("Text:\n")[2] for _, _, body in stub.asked]
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= 12_000
    assert "".join("".join(piece.split()) for piece in pieces) == "".join(text.split())
    assert [(c.evidence[0].quote) for c in found.claims] == ["Gucci opened in 1921."]
    assert found.mentions[0].span == Span(text.index("Gucci"), text.index("Gucci") + 5)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_text_is_not_sent(stub: Stub, make: Make, text: str) -> None:
    """No request for nothing."""
    assert run(make(), Document("b", (Text("body", text),))) == Extraction("b")
    assert stub.asked == []


# -- what is sent ------------------------------------------------------------------------------------------------


def test_the_request_speaks_the_protocol(stub: Stub, make: Make) -> None:
    """Address, bearer key, model, temperature 0, seed, a strict schema of the ontology; the date line is no part of the text."""
    stub.says(answer())
    run(make())
    ((path, headers, body),) = stub.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"], body["seed"]) == ("small", 0, 1)
    assert body["messages"][1]["content"].startswith("Published: 2024-03-12\nText:\nBalenciaga has")
    assert KEY not in json.dumps(body)
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    forms = {form["properties"]["predicate"]["enum"][0]: form for form in schema["schema"]["properties"]["claims"]["items"]["anyOf"]}
    assert set(forms) == set(load_ontology(Settings()).predicates)
    for name, (subjects, objects) in load_ontology(Settings()).signatures.items():
        assert set(forms[name]["properties"]["subject_type"]["enum"]) <= subjects
        assert objects is None or set(forms[name]["properties"]["object_type"]["enum"]) <= objects
        assert forms[name]["required"] == list(forms[name]["properties"])
    assert "- wore (Person → Brand or Product or Collection): The subject wore, carried" in body["messages"][0]["content"]


def test_no_key_sends_no_header(stub: Stub, make: Make) -> None:
    """A local server needs none."""
    stub.says(answer())
    run(make(llm_key="", llm_url=f"{stub.url}/chat/completions/"))
    ((path, headers, _),) = stub.asked
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers


def test_making_it_opens_no_connection(stub: Stub, make: Make) -> None:
    """The server is asked when there is a text to read, not before; its fingerprint is that of model and schema, not of the key."""
    assert isinstance(make(), Extractor)
    assert make().fingerprint == make(llm_key="other", llm_cache="").fingerprint != make(llm_model="large").fingerprint
    assert stub.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"llm_url": ""}, {"llm_model": " "}, {"llm_url": "file:///etc/passwd"}, {"llm_url": "127.0.0.1:80/v1"}, {"llm_url": "http://"},
        {"llm_url": "http://me:pass@x/v1"}, {"llm_url": "http://x/v1?a=b"}, {"llm_url": "http://x:99999/"}, {"llm_url": "http://a b/"},
        {"llm_key": "a\nb"}, {"llm_key": "schlüssel"},
    ],
)  # fmt: skip
def test_wrong_settings_are_named(make: Make, changes: dict[str, str]) -> None:
    """One line with what to do; no secret in it."""
    with pytest.raises(InvalidSetting) as caught:
        make(**changes)
    assert caught.value.hint
    assert not any(value in str(caught.value) for name, value in changes.items() if name == "llm_key")
    assert "pass@" not in str(caught.value)


def test_the_model_folder_must_be_one(make: Make, tmp_path: Path) -> None:
    """The vocabulary is that of the model in use; without it there is a clear error."""
    with pytest.raises(ModelError):
        make(model=str(tmp_path))
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError):
        make(model=str(tmp_path))


# -- what goes wrong ---------------------------------------------------------------------------------------------

BAD = {
    "no completion": b"<html>hello</html>",
    "no choices": b'{"choices": []}',
    "a list": b"[1]",
    "prose": completion("I found nothing, sorry."),
    "half JSON": completion('{"entities": ['),
    "other JSON": completion('{"entities": {}}'),
    "deep JSON": completion("[" * 100_000),
    "nothing": completion(None),
    "cut off": completion("{", "length"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_malformed_answer_is_a_problem(stub: Stub, make: Make, name: str) -> None:
    """The document has a problem that says what to do, and no claims; the answer is not kept, so the next build asks again."""
    stub.says(BAD[name])
    stub.says(answer(*RIGHT))
    extractor = make()
    found = run(extractor)
    (problem,) = found.problems
    assert (problem.stage, problem.document_id, problem.category) == ("extract", "a", "llm-answer")
    assert not found.claims
    assert not found.mentions
    assert len(run(extractor).claims) == 4


def test_an_answer_in_a_fence_is_read(stub: Stub, make: Make) -> None:
    """Some servers wrap JSON in Markdown."""
    content = json.dumps({"entities": ENTITIES, "claims": [OPENED]})
    stub.says(completion(f"```json\n{content}\n```\n"))
    assert len(run(make()).claims) == 1


def test_too_many_requests_waits_as_told(stub: Stub, make: Make, waits: list[float]) -> None:
    """Retry-After in seconds or as a date is kept to, then the answer counts."""
    stub.says(b"{}", 429, Retry_After="7")
    stub.says(b"{}", 503, Retry_After=formatdate(0, usegmt=True))
    stub.says(b"{}", 429, Retry_After="soon")
    stub.says(answer(*RIGHT))
    extractor = make()
    assert len(run(extractor).claims) == 4
    assert waits == [7, 2, 4]
    assert extractor.usage.requests == 4


def test_a_dropped_connection_is_tried_again(stub: Stub, make: Make, waits: list[float]) -> None:
    """A server that hangs up is asked once more."""
    stub.says(b"", 0)
    stub.says(answer(*RIGHT))
    assert len(run(make()).claims) == 4
    assert waits == [1]


def test_it_gives_up_with_a_hint(stub: Stub, make: Make, waits: list[float]) -> None:
    """After five attempts the run ends with one clear line, which the pipeline passes on."""
    stub.says(json.dumps({"error": {"message": f"out of\nmemory {KEY}"}}).encode(), 500)
    with pytest.raises(ChatError, match=r"failed 5 times: status 500 .*out of memory \(key\)") as caught:
        run(make())
    assert waits == [1, 2, 4, 8]
    assert len(stub.asked) == 5
    assert "llm_url" in caught.value.hint


def test_a_very_long_wait_ends_the_run(stub: Stub, make: Make, waits: list[float]) -> None:
    """A server that is out of quota until tomorrow isn't waited for."""
    stub.says(b"{}", 429, Retry_After="86400")
    with pytest.raises(ChatError, match="asks to wait 86400 s"):
        run(make())
    assert waits == []


def test_a_dead_server_ends_the_run(stub: Stub, make: Make, waits: list[float]) -> None:
    """Nobody listens."""
    with pytest.raises(ChatError, match="failed 5 times"):
        run(make(llm_url="http://127.0.0.1:1/v1"))
    assert len(waits) == 4


@pytest.mark.parametrize(("status", "hint"), [(401, "llm_key"), (403, "llm_key"), (404, "llm_model"), (307, "redirections")])
def test_a_refusal_ends_the_run_at_once(stub: Stub, make: Make, waits: list[float], status: int, hint: str) -> None:
    """What every request would meet is not repeated; a redirection takes the key nowhere."""
    stub.says(json.dumps({"error": f"bad key {KEY}"}).encode(), status, Location=f"{stub.url}/elsewhere")
    with pytest.raises(ChatError) as caught:
        run(make())
    assert hint in caught.value.hint
    assert KEY not in str(caught.value)
    assert (len(stub.asked), waits) == (1, [])


def test_a_refused_document_is_a_problem(stub: Stub, make: Make) -> None:
    """A text that is too long for the model is that document's matter; the pipeline goes on."""
    stub.says(b'{"error": {"message": "context length exceeded"}}', 400)
    (problem,) = run(make()).problems
    assert problem.category == "llm-refused"
    assert "context length exceeded" in problem.message


def test_the_time_limit_of_a_document_holds(stub: Stub, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the server counts: the pipeline ends it, as a problem of the document."""
    stub.says(b"{}", 429, Retry_After="60")
    changes = {"extractors": "llm", "llm_url": stub.url, "llm_model": "small", "llm_cache": str(tmp_path / "c"), "document_seconds": 0.5}
    (problem,) = Pipeline(Settings().replace(**changes))(DOCUMENT).problems
    assert problem.category == "time-limit"


# -- what is kept and counted ------------------------------------------------------------------------------------


def test_a_second_run_asks_nothing(stub: Stub, make: Make, tmp_path: Path) -> None:
    """Answers are kept: the same extraction, no request; another model, text or server is asked anew. The key is nowhere on disk."""
    stub.says(answer(*RIGHT))
    first, second = make(), make(llm_key="other")
    one = run(first)
    stub.answers = [(500, b"", {})]
    assert run(second) == one == run(first)
    assert len(stub.asked) == 1
    assert (second.usage.requests, second.usage.cached, second.usage.cost) == (0, 1, 0.0)
    (kept,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert KEY not in kept.read_text(encoding="utf-8")
    stub.answers = [(200, answer(), {})]
    run(make(llm_model="large"))
    run(first, Document("b", (Text("body", "Gucci came."),)))
    assert len(stub.asked) == 3


@pytest.mark.parametrize("damage", ["", "{", '{"content": 3}', '{"content": "prose"}'])
def test_a_damaged_kept_answer_is_asked_for_again(stub: Stub, make: Make, tmp_path: Path, damage: str) -> None:
    """It is replaced by the new one."""
    stub.says(answer(*RIGHT))
    one = run(make())
    (kept,) = (tmp_path / "cache").rglob("*.json")
    kept.write_text(damage, encoding="utf-8")
    assert run(make()) == one == run(make())
    assert len(stub.asked) == 2


def test_without_a_folder_nothing_is_kept(stub: Stub, make: Make, tmp_path: Path) -> None:
    """An empty llm_cache asks each time."""
    stub.says(answer(*RIGHT))
    extractor = make(llm_cache="")
    assert run(extractor) == run(extractor)
    assert len(stub.asked) == 2
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cant_be_written_is_named(stub: Stub, make: Make, tmp_path: Path) -> None:
    """A clear error instead of answers that are paid for and lost."""
    (tmp_path / "cache").write_text("", encoding="utf-8")
    stub.says(answer(*RIGHT))
    with pytest.raises(ChatError) as caught:
        run(make())
    assert "llm_cache" in caught.value.hint


def test_usage_is_counted_and_told(stub: Stub, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Requests, kept answers, tokens and their price, in one line at level INFO."""
    stub.says(answer(*RIGHT))
    extractor = make(llm_price_in=2.5, llm_price_out=10)
    logger = logging.getLogger("kg")
    former, logger.propagate = logger.propagate, True
    try:
        with caplog.at_level(logging.INFO, "kg"):
            run(extractor)
            run(extractor)
    finally:
        logger.propagate = former
    assert str(extractor.usage) == "1 requests, 1 cached, 1,000 tokens in, 200 out, cost 0.0045"
    assert caplog.messages[-1] == f"llm: {extractor.usage}"


def test_requests_keep_to_the_rate(stub: Stub, make: Make, waits: list[float]) -> None:
    """The second request of a minute that allows six waits ten seconds; several workers share the rate."""
    stub.says(answer())
    extractor = make(llm_requests_per_minute=6, llm_cache="")
    run(extractor)
    run(extractor)
    assert waits == [pytest.approx(10, abs=1)]
    assert make(llm_requests_per_minute=6, workers=3).chat.access.requests_per_minute == 2


def test_the_key_is_not_shown(make: Make) -> None:
    """The settings mark it as secret, and the access leaves it out where it is printed."""
    assert [setting.name for setting in SETTINGS if setting.secret] == ["server_password", "server_token", "token", "llm_key"]
    assert KEY not in repr(make().chat.access)
