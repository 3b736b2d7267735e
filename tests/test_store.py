"""The store on disk: whole steps only, one writer, nothing left of what was purged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import InvalidSetting, KgError, StoreError, StoreFull, StoreLocked, StoreMissing, StoreVersionError
from kg.graph.embedded import apply_difference
from kg.link import load_index
from kg.model import Claim, Correction, Document, Extraction, Literal, Mention, Name, Span, Text
from kg.rdf.write import as_nquads
from kg.resolve import resolve
from kg.revise import Reviser
from kg.store import FORMAT, Store, open_store
from kg.validate import judge

SECRET = "Ondine Vasseur keeps the zephyrine ledger"


def written(ident: str, words: str, *, person: str = "Ondine Vasseur") -> tuple[Document, Extraction]:
    """A document in which a person says these words."""
    document = Document(ident, (Text("body", f"“{words}”, said {person}."),))
    name, start = Name("Person", person), document.body.content.index(person)
    if person in words:
        start = document.body.content.rindex(person)
    evidence = document.evidence(Span(0, start + len(person)), extractor="test", version="1", confidence=0.9)
    mention = Mention("body", Span(start, start + len(person)), person, name)
    return document, Extraction(ident, (mention,), (Claim(name, "said", Literal(words), (evidence,)),))


def put(store: Store, ident: str, words: str, *, person: str = "Ondine Vasseur") -> None:
    document, extraction = written(ident, words, person=person)
    verdict = judge(document, resolve(extraction, load_index("shipped")), None, store.namespace)
    Reviser(store, single_valued=frozenset()).put(document, verdict, fingerprint="test")


def reviser(store: Store) -> Reviser:
    return Reviser(store, single_valued=frozenset())


def whole(store: Store) -> bool:
    """The graph is what the ledger says."""
    return set(store.graph) == reviser(store).derive_all()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A closed store of two documents."""
    with open_store(tmp_path / "small", create=True) as made:
        put(made, "first", "Nothing is lost")
        put(made, "second", SECRET)
    return tmp_path / "small"


# -- interruptions -----------------------------------------------------------------------------------------------


def fail_once(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """The next change of a graph fails; later ones don't."""
    real, left = Store.apply, [error]

    def apply(self: Store, removed: object, added: object) -> None:
        if left:
            raise left.pop()
        real(self, removed, added)

    monkeypatch.setattr(Store, "apply", apply)


def test_blank_nodes_keep_their_labels(small: Path) -> None:
    """A difference with blank nodes, as users may write them, is taken and undone, also by whoever follows the journal."""
    quad = ox.Quad(ox.BlankNode("b1"), ox.NamedNode("http://example.org/p"), ox.BlankNode("b2"), ox.NamedNode("http://example.org/g"))
    with open_store(small) as store:
        before = set(store.graph)
        assert store.take(lambda: (set(), {quad})) == (0, 1)
        assert set(store.graph) - before == {quad}
        follower = ox.Store()
        for _, removed, added in store.ledger.since(store.ledger.newest() - 1) or []:
            apply_difference(follower, ox.parse(removed, format=ox.RdfFormat.N_QUADS), ox.parse(added, format=ox.RdfFormat.N_QUADS))
        assert set(follower) == {quad}
        store.take(lambda: ({quad}, set()))
        assert set(store.graph) == before


@pytest.mark.parametrize("error", [StoreFull("no space left"), KeyboardInterrupt()], ids=["disk full", "interrupted"])
def test_what_the_graph_missed_is_made_up_for(small: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A graph that could not take a difference has it when the store is opened again, or already by closing it."""
    store = open_store(small)
    fail_once(monkeypatch, error)
    with pytest.raises(type(error)):
        put(store, "third", "All of it")
    assert not whole(store)
    store.close()
    with open_store(small, read_only=True) as store:
        assert whole(store)
    with open_store(small) as store:
        assert store.ledger.ids() == ["first", "second", "third"]
        assert whole(store)
        assert "All of it" in as_nquads(store.graph)


def test_the_same_handle_makes_up_for_a_failure(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next change after a failed one brings both into the graph."""
    with open_store(small) as store:
        fail_once(monkeypatch, StoreFull("no space left"))
        with pytest.raises(StoreFull):
            put(store, "third", "All of it")
        assert not whole(store)
        put(store, "fourth", "And more")
        assert whole(store)
        assert store.ledger.ids() == ["first", "fourth", "second", "third"]


def test_a_disk_that_stays_full_loses_nothing(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even closing can bring the difference into the graph, the journal keeps it."""

    def full(self: Store, removed: object, added: object) -> None:
        raise StoreFull("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "apply", full)
        with pytest.raises(StoreFull), open_store(small) as store:
            put(store, "third", "All of it")
        assert store.path == small
    with open_store(small) as store:
        assert whole(store)
        assert "third" in store.ledger.ids()


def test_a_change_that_fails_in_the_ledger_leaves_no_trace(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction that can't be recorded changes neither the graph nor how later documents are read."""
    with open_store(small) as store:
        before = as_nquads(store.graph)
        mine = reviser(store)
        with monkeypatch.context() as patch:
            patch.setattr(store.ledger, "log", lambda removed, added: (_ for _ in ()).throw(StoreFull("no space left")))
            with pytest.raises(StoreFull):
                mine.correct(Correction("merge", ("person/a", "person/ondine-vasseur"), "reader", "2026-01-01"))
        assert mine.identity.of("person/ondine-vasseur", "first") == "person/ondine-vasseur"
        assert as_nquads(store.graph) == before
        assert store.ledger.corrections() == []
        assert whole(store)


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_store import put, reviser
from kg.store import Store, open_store
from kg.ledger import Ledger
point = {point!r}
store = open_store({path!r})
die = lambda *arguments, **named: os._exit(9)
if point == "before the commit":
    Ledger.log = die
elif point == "after the commit":
    Store.apply = die
elif point == "before the checkpoint":
    Ledger.checkpoint = die
elif point == "while scrubbing":
    Ledger.scrub = die
elif point == "before the old graph goes":
    import shutil; shutil.rmtree = die
if "scrub" in point or "old" in point:
    reviser(store).retract("second")
    store.scrub()
else:
    put(store, "third", "All of it")
    store.close()
os._exit(3)
"""


@pytest.mark.parametrize(
    ("point", "documents"),
    [
        ("before the commit", ["first", "second"]),
        ("after the commit", ["first", "second", "third"]),
        ("before the checkpoint", ["first", "second", "third"]),
        ("while scrubbing", ["first"]),
        ("before the old graph goes", ["first"]),
    ],
)
def test_a_killed_process_leaves_whole_documents(small: Path, point: str, documents: list[str]) -> None:
    """Killed at any point, the store opens, holds whole documents only, and takes new ones."""
    code = KILLED.format(tests=str(Path(__file__).parent), point=point, path=str(small))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9, done.stderr
    with open_store(small, read_only=True) as store:
        assert store.ledger.ids() == documents
    with open_store(small) as store:
        assert store.ledger.ids() == documents
        assert whole(store)
        assert (holding(small, SECRET) == []) == ("second" not in documents)
        put(store, "third", "All of it")
        assert whole(store)
    assert len(list(small.glob("graph-*"))) == 1


# -- purge -------------------------------------------------------------------------------------------------------


def holding(folder: Path, text: str) -> list[str]:
    """Files under a folder with a text in any form in which a program may have written it."""
    forms = {text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")} | {json.dumps(text)[1:-1].encode()}
    return [path.name for path in folder.rglob("*") if any(form in bytes_of(path) for form in forms)]


def bytes_of(path: Path) -> bytes:
    """What is in a file; nothing where it is a folder, or where the engine, tidying up behind, has removed it since it was listed."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""


def test_scrubbing_leaves_no_byte(small: Path) -> None:
    """Of a retracted document no byte stays under the folder, neither at once nor when the store is opened again."""
    assert holding(small, SECRET)
    with open_store(small) as store:
        put(store, "third", "zephyrine ledger, said again")
        reviser(store).retract("second")
        store.scrub()
        kept = as_nquads(store.graph)
        assert whole(store)
        for word in (SECRET, "keeps the zephyrine"):
            assert holding(small, word) == []
    for word in (SECRET, "keeps the zephyrine", "document/second"):
        assert holding(small, word) == []
    assert holding(small, "Nothing is lost")
    with open_store(small) as store:
        assert as_nquads(store.graph) == kept
        assert whole(store)
        reviser(store).retract("third")
        reviser(store).retract("first")
        store.scrub()
    for word in ("zephyrine", "Nothing is lost", "Vasseur"):
        assert holding(small, word) == []


def test_scrubbing_with_a_reader_says_so_or_leaves_no_byte(small: Path) -> None:
    """A reader that is open meanwhile keeps no text in the files."""
    with open_store(small, read_only=True) as reader, open_store(small) as store:
        before = as_nquads(reader.graph)
        reviser(store).retract("second")
        store.scrub()
        assert holding(small, SECRET) == []
        assert as_nquads(reader.graph) == before


def test_hand_written_triples_survive_scrubbing(small: Path) -> None:
    """Scrubbing rewrites what is in the graph, whoever wrote it."""
    quad = ox.Quad(ox.NamedNode("http://x/s"), ox.NamedNode("http://x/p"), ox.Literal("mine"), ox.NamedNode("http://x/g"))
    with open_store(small) as store:
        store.graph.add(quad)
        store.scrub()
        assert quad in store.graph
    with open_store(small) as store:
        assert quad in store.graph
        assert reviser(store).rederive() == (0, 0)


def test_rederiving_restores_what_was_written_over(small: Path) -> None:
    """What a stranger's update took from or added to documents' graphs is mended; other graphs are left alone."""
    with open_store(small) as store:
        before = as_nquads(store.graph)
        document = ox.NamedNode(store.namespace.document("first"))
        alien = ox.Quad(document, ox.NamedNode("http://x/p"), ox.Literal("mine"), document)
        store.graph.add(alien)
        taken = list(store.graph.quads_for_pattern(None, None, None, ox.DefaultGraph()))[:5]
        for quad in taken:
            store.graph.remove(quad)
        assert reviser(store).rederive() == (1, 5)
        assert as_nquads(store.graph) == before


# -- who may do what ---------------------------------------------------------------------------------------------


def test_one_writer_at_a_time(small: Path) -> None:
    """A second writer is told who writes; readers are let in; afterwards the store is free."""
    with open_store(small) as store:
        with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
            open_store(small)
        with open_store(small, read_only=True) as reader:
            assert len(reader.graph) == len(store.graph) > 0
    open_store(small).close()


def test_an_opening_that_fails_frees_the_store(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock does not outlive an opening that went wrong."""
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_recover", lambda self: (_ for _ in ()).throw(StoreFull("no space left")))
        with pytest.raises(StoreFull):
            open_store(small)
    open_store(small).close()


def test_a_reader_can_not_write(small: Path) -> None:
    """Every way of writing through a read-only handle fails with an error of the tree and changes nothing."""
    with open_store(small, read_only=True) as store:
        before = as_nquads(store.graph)
        with pytest.raises(StoreError):
            put(store, "third", "All of it")
        with pytest.raises(StoreError):
            reviser(store).retract("first")
        with pytest.raises(StoreError, match="reading only"):
            store.apply([], list(store.graph)[:1])
        assert as_nquads(store.graph) == before
    with open_store(small) as store:
        assert store.ledger.ids() == ["first", "second"]
        assert whole(store)


def test_a_closed_store_says_so(small: Path) -> None:
    """A handle that was closed gives an error of the tree."""
    store = open_store(small)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        _ = store.graph
    store.close()


def test_stale_generations_go_with_the_next_writer(small: Path) -> None:
    """What an interrupted scrubbing left is removed by the next writer, but not by a reader."""
    stale = small / "graph-7"
    stale.mkdir()
    (stale / "000001.sst").write_text(SECRET, encoding="utf-8")
    open_store(small, read_only=True).close()
    assert stale.exists()
    open_store(small).close()
    assert not stale.exists()


# -- what is no store --------------------------------------------------------------------------------------------


def manifest(path: Path, **changes: object) -> None:
    content = json.loads((path / "store.json").read_text(encoding="utf-8")) | changes
    (path / "store.json").write_text(json.dumps(content), encoding="utf-8")


def foreign(path: Path) -> None:
    path.mkdir()
    (path / "holiday.txt").write_text("hello", encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "create", "error", "message"),
    [
        (lambda path: None, False, StoreMissing, "no store"),
        (Path.mkdir, False, StoreMissing, "no store"),
        (foreign, True, StoreMissing, "holds files"),
        (lambda path: path.write_text("x"), True, StoreMissing, "no folder"),
        (lambda path: path.parent.joinpath("file").write_text("x"), False, StoreMissing, "no store"),
    ],
    ids=["nothing there", "empty folder", "foreign files", "a file", "beside a file"],
)
def test_what_is_no_store_is_named(
    tmp_path: Path, prepare: Callable[[Path], object], create: bool, error: type[KgError], message: str
) -> None:
    """A place without a store gives exit code 2, says what to do, and stays as it was."""
    place = tmp_path / "place"
    prepare(place)
    before = sorted(each.name for each in tmp_path.rglob("*"))
    with pytest.raises(error, match=message) as caught:
        open_store(place, create=create)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert sorted(each.name for each in tmp_path.rglob("*")) == before


def test_a_store_of_another_version_is_left_alone(small: Path) -> None:
    """Another format is refused for reading and writing alike, and the lock is free afterwards."""
    manifest(small, format=FORMAT + 1)
    for read_only in (True, False):
        with pytest.raises(StoreVersionError, match=f"format {FORMAT + 1}"):
            open_store(small, read_only=read_only)
    manifest(small, format=FORMAT)
    open_store(small).close()


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "{}"])
def test_a_damaged_manifest_is_an_error_of_the_tree(small: Path, content: str) -> None:
    """A manifest that can't be read names the file."""
    (small / "store.json").write_text(content, encoding="utf-8")
    with pytest.raises(StoreError):
        open_store(small)


@pytest.mark.parametrize("name", ["ledger.sqlite", "graph-1"])
def test_damaged_files_are_errors_of_the_tree(small: Path, name: str) -> None:
    """Garbage in the ledger or in the graph gives no traceback of an engine."""
    places = [small / name] if (small / name).is_file() else [path for path in (small / name).iterdir() if path.name.startswith("MANIFEST")]
    for place in places:
        place.write_bytes(b"garbage" * 400)
    for read_only in (True, False):
        with pytest.raises(StoreError), open_store(small, read_only=read_only) as store:
            store.ledger.ids()


# -- base --------------------------------------------------------------------------------------------------------


def test_the_base_is_kept(tmp_path: Path) -> None:
    """The base is fixed when the store is made; the slash at its end is added; another one is refused later."""
    open_store(tmp_path / "s", base="https://example.org/kg", create=True).close()
    for base in ("https://example.org/kg", "https://example.org/kg/", None, "http://localhost:8000/"):
        with open_store(tmp_path / "s", base=base, create=True) as store:
            assert store.namespace.base == "https://example.org/kg/"
    with pytest.raises(StoreVersionError, match=r"has base IRI https://example\.org/kg/"):
        open_store(tmp_path / "s", base="https://example.com/", create=True)


@pytest.mark.parametrize("base", ["example.org", "http://a b/", "urn:x:", "https://example.org/#", "https://example.org/?q="])
def test_a_base_that_is_none_is_refused(tmp_path: Path, base: str) -> None:
    """A base that is no web address makes no store."""
    with pytest.raises(InvalidSetting, match="base IRI"):
        open_store(tmp_path / "s", base=base, create=True)
    assert not (tmp_path / "s").exists()


def test_hostile_text_goes_in_and_out(tmp_path: Path) -> None:
    """Escapes, control characters and markup in a text are neither read as SPARQL nor lost."""
    words = '"} ; DROP ALL ; \\u0022 \\\\ \x00\x01\x7f\r\n\t <x> {{%s}} \u2028 😀 ؀'
    with open_store(tmp_path / "s", create=True) as store:
        put(store, 'it"s } # \n.', words)
        assert whole(store)
        quads = store.graph.quads_for_pattern(None, ox.NamedNode(store.namespace.term("content")), None)
        assert [quad.object.value for quad in quads] == [f"“{words}”, said Ondine Vasseur."]
        reviser(store).retract('it"s } # \n.')
        assert len(store.graph) == 0
