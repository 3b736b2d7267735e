"""Bulk builds: whoever works, wherever files lie, whatever dies, the store is that of a plain build."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from kg.build import Line, Outcome, build
from kg.bulk import bulk_build
from kg.errors import InvalidSetting, KgError, UsageError
from kg.gold import as_extraction
from kg.model import Document, Extraction, Problem, Text
from kg.query.search import search
from kg.rdf.write import as_nquads
from kg.settings import Settings
from kg.shards import Shards
from kg.store import Store, open_store
from tests.conftest import annotated

TABLES = {
    "document": "id, digest, fingerprint, document, resolution, refused",
    "entity": "id, document, type, name, aliases, link",
    "statement": "*",
    "single_valued": "predicate",
    "correction": "*",
    "source": "document, label",
    "source JOIN source_signature USING (number)": "document, shingles, bands",
    "source JOIN source_band USING (number)": "document, key",
    "source_state": "*",
    "searchable": "node, kind, text, folded",
}
DEADLY = "deadly"


class Recorded(Line):
    """The stages with what is annotated in place of extractors."""

    def __init__(self, settings: Settings, base: str) -> None:
        super().__init__(settings.replace(extractors=""), base)
        self.recorded = {document.id: as_extraction(document, gold, self.ontology.signatures) for document, gold in annotated()}

    def __call__(self, document: Document) -> Outcome:
        self.pipeline = self.extract  # type: ignore[assignment]
        return super().__call__(document)

    @property
    def fingerprint(self) -> str:
        return "recorded"

    def extract(self, document: Document) -> Extraction:
        """What is annotated, also for a copy of the document under another id."""
        name = document.id.partition("~")[0]
        found = self.recorded[name]
        evidence = {each: replace(each, document_id=document.id) for claim in found.claims for each in claim.evidence}
        claims = tuple(replace(claim, evidence=tuple(evidence[each] for each in claim.evidence)) for claim in found.claims)
        return Extraction(document.id, found.mentions, claims)


class KilledOnce(Recorded):
    """Stages whose worker is killed (-9) at the third document it takes, unless another was before."""

    def __call__(self, document: Document) -> Outcome:
        self.taken = getattr(self, "taken", 0) + 1
        mark = Path(os.environ["KG_STORE"])  # any variable that workers inherit
        if self.taken == 3:
            try:
                mark.touch(exist_ok=False)
            except FileExistsError:
                return super().__call__(document)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(document)


class Deadly(Recorded):
    """Stages that no worker survives with one of the documents."""

    def __call__(self, document: Document) -> Outcome:
        if document.id.endswith(DEADLY):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(document)


class Failing(Recorded):
    """Stages that work for so many documents, and then raise what is no document's fault."""

    left = 0

    def __call__(self, document: Document) -> Outcome:
        if not Failing.left:
            raise KgError("the power is gone")
        Failing.left -= 1
        return super().__call__(document)


def documents() -> list[Document]:
    """The annotated documents, and copies of some under other ids, word for word and nearly (one source, several documents a fact)."""
    plain = [document for document, _ in annotated()]
    longer = [replace(each, id=f"{each.id}~near", texts=(_longer(each.body), *each.texts[1:])) for each in plain[1::3]]
    return [*plain, *(replace(each, id=f"{each.id}~copy") for each in plain[::2]), *longer]


def _longer(text: Text) -> Text:
    return replace(text, content=f"{text.content}\n\nPrinted anew.\n")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings().replace(store=str(tmp_path / "bulk"), batch=3, partitions=5)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store that a plain build makes of the documents."""
    chosen = Settings()
    with pytest.MonkeyPatch.context() as patch, open_store(tmp_path_factory.mktemp("plain") / "store", create=True) as store:
        patch.setattr(sys.modules["kg.build"], "Line", Recorded)
        report = build(documents(), store, chosen)
        assert report.documents == len(documents())
        yield store


def content(store: Store) -> dict[str, Any]:
    """Canonical N-Quads and every table that says something, in an order that does not depend on how they came."""
    tables = {
        table: sorted(store.ledger.connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
        for table, columns in TABLES.items()
    }
    return {**tables, "graph": as_nquads(store.graph)}


def require_same(made: Settings, plain: Store) -> None:
    """A store is that of a plain build: graph, ledger, index, answers of a search; and takes what comes next."""
    with open_store(made.store) as store:
        found, wanted = content(store), content(plain)
        assert found["document"]
        for part, expected in wanted.items():
            assert found[part] == expected, part
        assert store.words.is_in_step()
        for text in ("brand", "new", "said"):
            assert search(store, text) == search(plain, text)
        indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
        assert store.ledger.connection.execute(indexes).fetchall() == plain.ledger.connection.execute(indexes).fetchall()


@pytest.mark.parametrize(("batch", "partitions"), [(1, 1), (3, 5), (1000, 64)])
def test_a_bulk_build_is_a_plain_build(settings: Settings, plain: Store, batch: int, partitions: int) -> None:
    """However documents are batched and fused apart; nothing stays of what was passed on, and the report is the same."""
    chosen = settings.replace(batch=batch, partitions=partitions)
    told: list[str] = []
    report = bulk_build(documents(), chosen, stages=Recorded, progress=told.append)
    assert (report.documents, report.problems) == (len(documents()), ())
    assert report.facts == len(plain.ledger.connection.execute("SELECT 1 FROM statement").fetchall())
    assert told == [document.id for document in documents()]
    require_same(chosen, plain)
    assert [path.name for path in Path(chosen.store).parent.iterdir()] == ["bulk"]


def test_the_order_of_documents_does_not_matter(settings: Settings, plain: Store) -> None:
    """Other batches of the same documents make the same store."""
    bulk_build(reversed(documents()), settings, stages=Recorded)
    require_same(settings, plain)


def test_problems_are_told_and_the_rest_is_built(settings: Settings) -> None:
    """A document that can't be read or extracted is a problem; the limit counts documents."""
    unread = Problem("read", "unread", "empty", "has no text")
    foreign = Document(
        "foreign", (Text("body", "Der Hund und die Katze sind nicht mit dem Zug nach Wien gefahren, sondern mit dem Rad. " * 5),)
    )
    plainly = Document("plain", (Text("body", "Nothing of note happened at the quayside."),))
    chosen = settings.replace(extractors="rules")
    report = bulk_build([unread, foreign, plainly, replace(plainly, id="beyond")], chosen, limit=2)
    assert [problem.document_id for problem in report.problems] == ["unread", "foreign"]
    assert (report.documents, report.status) == (1, "partial")
    with open_store(chosen.store) as store:
        assert store.ledger.ids() == ["plain"]


def test_near_duplicates_are_one_source(plain: Store) -> None:
    """The documents that are compared here are of such sources too, else these tests would say nothing of them."""
    joined = list(plain.duplicates.joined())
    assert {document.rpartition("~")[2] for document, _ in joined} == {"copy", "near"}
    assert {document.partition("~")[0] == label.partition("~")[0] for document, label in joined} == {True}


def test_a_server_is_refused(settings: Settings) -> None:
    """Nothing is read or sent: one line says what to do."""
    with pytest.raises(UsageError, match="makes a store in a folder") as caught:
        bulk_build(documents(), settings.replace(store="http://localhost:1/"), stages=Recorded)
    assert "--bulk" in str(caught.value.hint)


def test_a_store_that_is_there_is_left_alone(settings: Settings, plain: Store) -> None:
    """A bulk build makes new stores only."""
    bulk_build(documents()[:1], settings, stages=Recorded)
    with pytest.raises(UsageError, match="is there already"):
        bulk_build(documents(), settings, stages=Recorded)
    with open_store(settings.store) as store:
        assert len(store.ledger.ids()) == 1


def test_a_run_that_ended_early_is_gone_on_with(settings: Settings, plain: Store) -> None:
    """What it had made is not made again, a file that was cut off in the writing is not taken for whole, and no store is there before."""
    Failing.left = 7
    with pytest.raises(KgError, match="the power is gone"):
        bulk_build(documents(), settings, stages=Failing)
    assert not Path(settings.store).exists()
    shards = Path(f"{settings.store}.shards")
    assert len(list(shards.glob("batches/*.json"))) == 2
    (shards / "batches" / ".half.json.0").write_bytes(b'{"cou')
    Failing.left = len(documents()) - 6
    bulk_build(documents(), settings, stages=Failing)
    assert Failing.left == 0
    require_same(settings, plain)


def test_shards_in_memory(settings: Settings, plain: Store) -> None:
    """``memory://`` serves one process, and is refused for several, which could not see it."""
    chosen = settings.replace(shards="memory://passed/on")
    bulk_build(documents(), chosen, stages=Recorded)
    require_same(chosen, plain)
    assert fsspec.filesystem("memory").find("/passed/on")
    with pytest.raises(UsageError, match="only this process"):
        bulk_build(documents(), settings.replace(shards="memory://x", workers=2, store=f"{settings.store}-2"), stages=Recorded)


def test_shards_by_url(settings: Settings, plain: Store, tmp_path: Path) -> None:
    """``file://``: what was named is kept, packed N-Quads that other stores can load, and saves the work for another store."""
    chosen = settings.replace(shards=f"file://{tmp_path}/passed on")
    bulk_build(documents(), chosen, stages=Recorded)
    require_same(chosen, plain)
    shards = Shards(chosen.shards)
    names = sorted(f"quads/{path.name}" for path in tmp_path.glob("passed on/quads/*.nq.gz"))
    with shards.joined(names) as stream:
        lines = io.TextIOWrapper(stream, "utf-8").read().splitlines(keepends=True)
    assert "".join(sorted(lines)) == as_nquads(plain.graph)
    Failing.left = 0
    other = chosen.replace(store=f"{settings.store}-2")
    bulk_build(documents(), other, stages=Failing)
    require_same(other, plain)


@pytest.mark.parametrize("url", ["nosuch://bucket/x", "s3x://"])
def test_an_unknown_file_system(settings: Settings, url: str) -> None:
    """One line that names it."""
    with pytest.raises(InvalidSetting, match="can't be used"):
        bulk_build([], settings.replace(shards=url))


def test_an_unknown_engine(settings: Settings) -> None:
    """One line that says which there are."""
    with pytest.raises(InvalidSetting, match="there is no engine"):
        bulk_build([], settings.replace(engine="abacus"))


# -- several processes, and a cluster ------------------------------------------------------------------------------


def test_two_processes(settings: Settings, plain: Store) -> None:
    """Processes of this machine make the same store."""
    chosen = settings.replace(workers=2)
    bulk_build(documents(), chosen, stages=Recorded)
    require_same(chosen, plain)


def test_a_cluster_whose_worker_is_killed(settings: Settings, plain: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real cluster of two processes, one of them killed (-9) in mid-run: nothing is lost, nothing is there twice."""
    mark = tmp_path / "killed"
    monkeypatch.setenv("KG_STORE", str(mark))
    chosen = settings.replace(engine="dask", workers=2)
    report = bulk_build(documents(), chosen, stages=KilledOnce)
    assert mark.exists()
    assert (report.documents, report.problems) == (len(documents()), ())
    require_same(chosen, plain)


def test_a_store_grows_on_a_cluster(settings: Settings, plain: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a store that is there, one document after the other, extraction alone is spread; a killed worker is made up for."""
    mark = tmp_path / "killed"
    monkeypatch.setenv("KG_STORE", str(mark))
    monkeypatch.setattr(sys.modules["kg.build"], "Line", KilledOnce)
    monkeypatch.setattr("os.kill", lambda *_: None)  # here, where no document is taken but by a cluster's worker
    with open_store(settings.store, create=True) as store:
        report = build(documents(), store, settings.replace(engine="dask", workers=2))
    assert mark.exists()
    assert (report.documents, report.problems) == (len(documents()), ())
    require_same(settings, plain)


@pytest.mark.soak
def test_a_document_that_kills_every_worker(settings: Settings) -> None:
    """It is a problem, and all others of its batch are built."""
    deadly = [*documents()[:4], replace(documents()[0], id=f"{documents()[0].id}~{DEADLY}"), *documents()[4:6]]
    chosen = settings.replace(engine="dask", workers=2)
    report = bulk_build(deadly, chosen, stages=Deadly)
    assert [(problem.document_id, problem.category) for problem in report.problems] == [(deadly[4].id, "worker-killed")]
    with open_store(chosen.store) as store:
        assert store.ledger.ids() == sorted(document.id for document in documents()[:6])
