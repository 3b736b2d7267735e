"""The pipeline: extractors in a row, a threshold, a time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from kg.errors import ModelError, NotFound
from kg.extract import Pipeline
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Problem, Span, Text
from kg.settings import Settings

DOCUMENT = Document("a", (Text("body", "Liv Vane said yes."),))
PERSON = Name("Person", "Liv Vane")


class Fake:
    """An extractor that does what a test says."""

    def __init__(self, name: str, find: Callable[[Document, Extraction], Extraction], version: str = "1", fingerprint: str = "") -> None:
        self.name, self.find, self.version, self.fingerprint = name, find, version, fingerprint

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        return self.find(document, draft)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pipeline]:
    """Makes a pipeline of fakes."""

    def make(*fakes: Fake, **changes: object) -> Pipeline:
        known = {fake.name: fake for fake in fakes}
        monkeypatch.setattr("kg.extract.pipeline.load_plugin", lambda family, name, settings: known[name])
        return Pipeline(Settings().replace(extractors=" , ".join(known), **changes))

    return make


def claim(*confidences: float, value: str = "yes") -> Claim:
    evidence = tuple(
        DOCUMENT.evidence(Span(i, 9 + i), extractor="x", version="1", confidence=confidence) for i, confidence in enumerate(confidences)
    )
    return Claim(PERSON, "said", Literal(value), evidence)


def found(*claims: Claim, **more: object) -> Callable[[Document, Extraction], Extraction]:
    return lambda document, draft: Extraction(document.id, claims=claims, **more)


def test_claims_below_the_threshold_are_left_out(pipeline: Callable[..., Pipeline]) -> None:
    """The surest piece of evidence counts, and the threshold itself is enough."""
    claims = [claim(0.49), claim(0.5, value="b"), claim(0.1, 0.9, value="c")]
    fake = Fake("x", found(*claims))
    assert pipeline(fake, threshold=0.5)(DOCUMENT).claims == tuple(claims[1:])
    assert pipeline(fake, threshold=0)(DOCUMENT).claims == tuple(claims)
    assert pipeline(fake, threshold=1)(DOCUMENT).claims == ()


def test_each_extractor_sees_what_those_before_it_found(pipeline: Callable[..., Pipeline]) -> None:
    """Findings join: nothing twice, mentions in order, problems of all."""
    drafts = []
    one, other = Mention("body", Span(4, 8), "Vane", PERSON), Mention("body", Span(0, 8), "Liv Vane", PERSON)
    problem = Problem("extract", "a", "odd", "it is odd")

    def second(document: Document, draft: Extraction) -> Extraction:
        drafts.append(draft)
        return Extraction(document.id, (other, one), (claim(0.9),), (problem,))

    result = pipeline(Fake("b", found(claim(0.9), mentions=(one,))), Fake("a", second))(DOCUMENT)
    assert drafts == [Extraction("a", (one,), (claim(0.9),))]
    assert result == Extraction("a", (other, one), (claim(0.9),), (problem,))


def slow(document: Document, draft: Extraction) -> Extraction:
    """Takes its time, and swallows what it can."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            sum(range(1000))
        except Exception:  # noqa: BLE001 - as a library might
            continue
    raise AssertionError


def test_a_slow_extractor_is_stopped(pipeline: Callable[..., Pipeline]) -> None:
    """Past the time limit a document is a problem that says what to do; the next one has the whole time again."""
    begin = time.monotonic()
    result = pipeline(Fake("x", slow), document_seconds=0.1)(DOCUMENT)
    assert time.monotonic() - begin < 5
    assert (result.claims, result.mentions) == ((), ())
    (problem,) = result.problems
    assert (problem.stage, problem.document_id, problem.category) == ("extract", "a", "time-limit")
    assert "0.1 s" in problem.message
    assert "document_seconds" in problem.message
    time.sleep(0.15)  # an alarm that was left on would end the test run here
    assert pipeline(Fake("x", found(claim(0.9))), document_seconds=0.1)(DOCUMENT).problems == ()


def in_thread(work: Callable[[], Extraction]) -> Extraction:
    """What a call gives in a thread that is not the main one, as a cluster's worker calls it."""
    results: list[Extraction] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(30)
    return results[0]


def test_the_limit_holds_in_a_thread(pipeline: Callable[..., Pipeline]) -> None:
    """Where no signal can reach, extraction is stopped all the same, and the next document has the whole time again."""
    begin = time.monotonic()
    (problem,) = in_thread(lambda: pipeline(Fake("x", slow), document_seconds=0.1)(DOCUMENT)).problems
    assert time.monotonic() - begin < 15
    assert problem.category == "time-limit"
    quick = pipeline(Fake("x", found(claim(0.9))), document_seconds=0.1)
    assert in_thread(lambda: [quick(DOCUMENT), time.sleep(0.15)][0] or Extraction("")) == quick(DOCUMENT)


def test_a_failing_extractor_is_a_problem(pipeline: Callable[..., Pipeline]) -> None:
    """What an extractor raises makes the document a problem, unless it is an error of the tree."""

    def fail(error: Exception) -> Fake:
        return Fake("x", lambda document, draft: (_ for _ in ()).throw(error))

    (problem,) = pipeline(fail(ZeroDivisionError("oh")))(DOCUMENT).problems
    assert problem.category == "extractor-failed"
    assert "'x' failed: ZeroDivisionError('oh')" in problem.message
    with pytest.raises(ModelError):
        pipeline(fail(ModelError("gone")))(DOCUMENT)


def test_the_fingerprint_covers_what_the_output_depends_on(pipeline: Callable[..., Pipeline]) -> None:
    """Names, their order, versions, models and the threshold, but not the time limit."""
    one, other = Fake("x", found()), Fake("y", found())
    prints = [
        pipeline(one).fingerprint,
        pipeline(one, other).fingerprint,
        pipeline(other, one).fingerprint,
        pipeline(Fake("x", found(), version="2")).fingerprint,
        pipeline(Fake("x", found(), fingerprint="model")).fingerprint,
        pipeline(one, threshold=0.6).fingerprint,
    ]
    assert len(set(prints)) == len(prints)
    assert pipeline(one, document_seconds=1).fingerprint == prints[0]


def test_an_unknown_extractor_is_named() -> None:
    """A misspelt name in the settings is an error that suggests the right one."""
    with pytest.raises(NotFound, match="no extractor 'rulez'") as caught:
        Pipeline(Settings().replace(extractors="rulez"))
    assert "rules" in caught.value.hint


def test_no_extractor_finds_nothing() -> None:
    """An empty list of extractors is allowed: documents without facts."""
    assert Pipeline(Settings().replace(extractors=""))(DOCUMENT) == Extraction("a")
