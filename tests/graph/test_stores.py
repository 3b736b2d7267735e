"""The same life of a store on every place that can hold its graph: folder, Oxigraph's server, Virtuoso."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

import kg
from kg.build import build
from kg.cli.main import main
from kg.errors import StoreMissing
from kg.export import Selection, load_exporter
from kg.gold import GoldDocument, read_gold
from kg.graph.protocol import Graph
from kg.model import Correction, Document, Text, fact_id
from kg.query.facts import facts
from kg.query.library import ask, load_queries
from kg.query.run import run_query
from kg.rdf.write import as_nquads
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store

DATA = Path(__file__).parents[1] / "data" / "annotated"
GIVEN = {
    "ambassadors-of-brand": {"brand": "Maison Orsenne"},
    "creative-director-succession": {"brand": "brand/maison-orsenne"},
    "documents-about": {"about": "maison orsenne"},
    "neighbourhood": {"about": "Tidewell"},
    "owner-chain": {"thing": "Tidewell"},
    "products-of-brand": {"brand": "brand/maison-orsenne"},
    "said-about-brand": {"brand": "Tidewell"},
    "sentences-behind": {"about": "Maison Orsenne"},
    "timeline-of-person": {"person": "Liv Vane"},
    "within-two-hops": {"person": "Liv Vane"},
}
VIRTUOSO_FAULTS = {
    "creative-director-succession": "ORDER BY takes no name that the SELECT gives to an aggregate (SP031)",
    "facts-with-one-source": "rows come in another order",
    "owner-chain": "owners of other things come too",
    "timeline-of-person": "its optimizer ends with an internal error (SQ156)",
}
"""Named queries that Virtuoso 7.2.5 answers wrongly or not at all; docs/stores.md lists them too."""

ONE = Document("one", (Text("body", "Balenciaga opened. “We never planned an icon,” said Liv Vane."),), published="2024-03-12")
TWO = Document("two", (Text("body", "“I grew up with this bag,” Liv Vane said. Gucci closed."),))


def annotated() -> list[tuple[Document, GoldDocument]]:
    found = []
    for gold in read_gold(DATA / "gold"):
        content = (DATA / "docs" / f"{gold.id}.txt").read_text(encoding="utf-8")
        end = len(f"date {gold.published}") if gold.published else 0
        found.append((Document(gold.id, (Text("body", content, end),), published=gold.published), gold))
    return found


def opened(settings: Settings, *, create: bool = True, read_only: bool = False) -> Store:
    return open_store(settings.store, create=create and not read_only, read_only=read_only, settings=settings)


@pytest.fixture
def reference(tmp_path: Path, fill: Callable[..., Reviser]) -> Store:
    """All documents in a folder's store, to compare with."""
    with open_store(tmp_path / "reference", create=True) as made:
        fill(made, annotated())
    return open_store(tmp_path / "reference", read_only=True)


def test_is_a_graph(settings: Settings) -> None:
    """Every implementation has the methods of the protocol."""
    with opened(settings) as store:
        assert isinstance(store.graph, Graph)
        assert (len(store.graph), list(store.graph)) == (0, [])


def test_holds_the_same_quads(settings: Settings, fill: Callable[..., Reviser], reference: Store) -> None:
    """Byte for byte, read back from where the graph lies; nothing else is there, and a new handle sees it too."""
    with opened(settings) as store:
        fill(store, annotated())
        assert as_nquads(store.graph) == as_nquads(reference.graph)
        assert store.ledger.journal()
    with opened(settings, read_only=True) as store:
        assert store.ledger.journal() == []
        assert len(store.graph) == len(reference.graph) > 2000
        assert sorted(map(str, store.graph.named_graphs())) == sorted(map(str, reference.graph.named_graphs()))
        term = ox.NamedNode(store.namespace.term("published"))
        for graph in (None, ox.DefaultGraph(), ox.NamedNode(store.namespace.document(annotated()[0][0].id))):
            found = set(store.graph.quads_for_pattern(None, term, None, graph))
            assert found == set(reference.graph.quads_for_pattern(None, term, None, graph)) != set()


def test_answers_are_equal(request: pytest.FixtureRequest, settings: Settings, fill: Callable[..., Reviser], reference: Store) -> None:
    """Facts view and every named query, but for the listed faults of Virtuoso, which are still there."""
    with opened(settings) as store:
        fill(store, annotated())
        assert list(facts(store)) == list(facts(reference)) != []
        assert list(facts(store, about="Liv Vane", at="2024")) == list(facts(reference, about="Liv Vane", at="2024")) != []
        wrong = set()
        for name in set(load_queries(settings)) - {"wikidata-dates-and-owners"}:  # which asks another service
            try:
                same = _answer(store, name) == _answer(reference, name)
            except kg.KgError:
                same = False
            if not same:
                wrong.add(name)
        assert wrong == (set(VIRTUOSO_FAULTS) if "virtuoso" in request.node.name else set())
        assert bool(kg.Store.query(store, "ASK { ?s a kg:Brand }", settings=settings))  # type: ignore[arg-type]
        assert not kg.Store.query(store, "ASK { ?s a kg:Nothing }", settings=settings)  # type: ignore[arg-type]


def _answer(store: Store, name: str) -> bytes:
    results = ask(store, name, GIVEN.get(name, {}), settings=Settings())
    return results.serialize("ntriples" if results.form == "graph" else "csv")


def test_what_goes_leaves_nothing(settings: Settings, fill: Callable[..., Reviser], tmp_path: Path) -> None:
    """Retracting, replacing, merging and rejecting give the same quads as in a folder."""
    with opened(settings) as store, open_store(tmp_path / "other", create=True) as other:
        for each in (store, other):
            reviser = fill(each, annotated())
            document, gold = annotated()[0]
            fill(each, [(replace(document, title="A title"), gold)])
            reviser.retract(annotated()[1][0].id)
            reviser.correct(Correction("merge", ("brand/maison-orsenne", "brand/tidewell"), "me", "2026-01-01"))
            rejected = each.ledger.facts_of("person/liv-vane")[0]
            reviser.correct(Correction("reject", (fact_id(*rejected),), "me", "2026-01-02"))
        assert as_nquads(store.graph) == as_nquads(other.graph)
        for document_id in store.ledger.ids():
            reviser = Reviser(store, single_valued=store.ledger.single_valued())
            reviser.retract(document_id)
        assert {getattr(quad.graph_name, "value", "") for quad in store.graph} == {store.namespace.corrections}


def test_user_data_is_kept_and_rederive_restores(settings: Settings, fill: Callable[..., Reviser]) -> None:
    """What others wrote stays; what they took out comes back from the ledger."""
    with opened(settings) as store:
        reviser = fill(store, annotated()[:1])
        before = set(store.graph)
        mine = ox.Quad(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), ox.Literal('né\n"c" \\'), ox.NamedNode("urn:mine"))
        store.apply(list(before)[:40], [mine])
        assert len(store.graph) == len(before) - 39
        assert reviser.rederive() == (0, 40)
        assert set(store.graph) == before | {mine}


def test_a_build_by_rules(settings: Settings) -> None:
    """Documents in by the flow itself; again they are unchanged."""
    with opened(settings) as store:
        assert build([ONE, TWO], store, settings).documents == 2
        assert build([ONE, TWO], store, settings).unchanged == 2
        assert set(store.graph) == Reviser(store, single_valued=store.ledger.single_valued()).derive_all()


def test_exports_are_equal(settings: Settings, fill: Callable[..., Reviser], reference: Store) -> None:
    """Files of every kind are those of a folder's store."""
    with opened(settings) as store:
        fill(store, annotated())
        for name in ("nquads", "trig", "turtle", "graphml", "csv", "cytoscape"):
            one, other = (_exported(each, name) for each in (store, reference))
            assert one == other, name
            assert one


def _exported(store: Store, name: str) -> object:
    """The file; of RDF what it says, since its order is that of the engine."""
    sink = io.BytesIO()
    load_exporter(name, Settings())(store, Selection(), sink)
    forms = {"nquads": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG, "turtle": ox.RdfFormat.TURTLE}
    return set(ox.parse(sink.getvalue(), format=forms[name])) if name in forms else sink.getvalue()


def test_long_texts_and_large_differences(settings: Settings) -> None:
    """More triples than Virtuoso's parser takes at once, and a text of two million characters."""
    node, term = ox.NamedNode("urn:s"), ox.NamedNode("urn:p")
    long = ox.Quad(node, term, ox.Literal("Maison d’été 😀 " * 130_000), ox.NamedNode("urn:long"))
    many = [ox.Quad(ox.NamedNode(f"urn:s{number}"), term, ox.Literal(str(number))) for number in range(7_000)]
    with opened(settings) as store:
        store.apply([], [*many, long])
        assert len(store.graph) == 7_001
        assert set(store.graph) == {*many, long}
        store.apply([*many, long], [])
        assert list(store.graph) == []


def test_commands(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line, from build to diff, validate and purge."""
    monkeypatch.chdir(tmp_path)
    for name in ("ledger", "server_user", "server_password", "extractors"):
        monkeypatch.setenv(f"KG_{name.upper()}", getattr(settings, name))
    (tmp_path / "docs").mkdir()
    for document in (ONE, TWO):
        (tmp_path / "docs" / f"{document.id}.txt").write_text(document.body.content, encoding="utf-8")

    def run(*arguments: str) -> str:
        assert main(["--store", settings.store, *arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    run("build", "docs")
    canonical = run("export", "--format", "nquads", "--canonical")
    assert canonical.splitlines() == sorted(run("export", "--format", "nquads").splitlines())
    assert run("documents", "--format", "csv").count("\n") == 3
    assert "Liv Vane" in run("facts", "--format", "csv")
    assert "never planned" in run("show", "one")
    run("validate")
    (tmp_path / "all.nq").write_text(canonical, encoding="utf-8")
    assert run("diff", settings.store, "all.nq").count("\n") <= 1
    run("backup", "copy")
    run("retract", "one", "--purge")
    assert "never planned" not in run("export", "--format", "nquads")
    assert "never planned" in run("diff", settings.store, "all.nq")
    run("build", "docs", "--rederive")
    assert run("export", "--format", "nquads", "--canonical") == canonical
    assert "ok" in run("doctor", "--format", "csv")


def test_without_the_ledger(request: pytest.FixtureRequest, settings: Settings, fill: Callable[..., Reviser], tmp_path: Path) -> None:
    """The graph on a server can be asked from anywhere; changing it needs the ledger, and a second one isn't begun."""
    if "embedded" in request.node.name:
        pytest.skip("a folder has its ledger")
    with opened(settings) as store:
        fill(store, annotated())
        expected = list(facts(store))
    elsewhere = settings.replace(ledger=str(tmp_path / "nowhere"))
    with opened(elsewhere, read_only=True) as store:
        assert list(facts(store)) == expected
        assert len(ask(store, "launches", {}, settings=settings)) > 0
        with pytest.raises(StoreMissing, match="needs the ledger"):
            store.ledger.ids()
    for create in (True, False):
        with pytest.raises(StoreMissing, match="needs the ledger"):
            opened(elsewhere, create=create)
    assert not (tmp_path / "nowhere").exists()


def test_words_of_a_query_are_told_from_keywords(settings: Settings, fill: Callable[..., Reviser]) -> None:
    """A variable, comment, string or IRI with a keyword's name doesn't change which graphs are asked."""
    with opened(settings) as store:
        fill(store, annotated()[:2])
        plain = len(run_query(store, "SELECT ?x { ?s kg:quote ?x }", settings=settings))
        text = '# from graph\nSELECT ?from { ?s kg:quote ?from FILTER(?from != "FROM" && ?s != <urn:from>) }'
        assert len(run_query(store, text, settings=settings)) == plain > 0
        graph = store.namespace.document(annotated()[0][0].id)
        assert 0 < len(run_query(store, f"SELECT ?x FROM <{graph}> {{ ?s kg:quote ?x }}", settings=settings)) < plain
