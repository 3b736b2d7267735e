"""What must hold for any documents in any order: exact retraction, the same bytes, every edge opens its sentence."""

from __future__ import annotations

import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kg.build import build
from kg.extract.sentences import Sentences
from kg.fuse import Identity, fuse_facts, fuse_profile
from kg.ledger import Ledger
from kg.link import Index, Item
from kg.model import (
    Claim,
    Correction,
    Document,
    Entity,
    Extraction,
    Link,
    Literal,
    Mention,
    Name,
    Resolution,
    Span,
    Statement,
    Text,
    fact_id,
)
from kg.names import fold, slug
from kg.query.search import find_nodes
from kg.rdf.iris import WIKIDATA, Namespace
from kg.rdf.write import as_nquads
from kg.resolve import resolve
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import judge

DATA = Path(__file__).parent / "data" / "annotated" / "docs"
BASE = "http://localhost:8000/"
SINGLE = frozenset({"launchDate", "countryOfOrigin"})
INDEX = Index([Item("Q7", "Maison Orsenne", ("Orsenne",), "Brand"), Item("Q8", "Tidewell", (), "Brand")], name="test-index", digest="0")
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # where many small stores need not wait for a disk
CORRECTED = {"agent": "a reader", "date": "2026-01-01"}

PEOPLE = ("Liv Vane", "Vane", "LIV VANE", "Noor Marsh", "Liv Váne-Okoye")
BRANDS = ("Maison Orsenne", "Orsenne", "Tidewell", "Lacombe & Fils")
YEARS = ("1998", "1999", "1999-05", "1999-05-02")
SAYINGS = ("We never planned an icon", "Vane is the face of Orsenne", "ni \\u0022 ni \\\\ \t<&> 😀")

# -- small annotated documents -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One sentence, and the claim it makes."""

    words: str
    subject: Name
    predicate: str
    object: Name | Literal
    qualifiers: tuple[tuple[str, str], ...] = ()


people, brands = st.sampled_from(PEOPLE).map(lambda n: Name("Person", n)), st.sampled_from(BRANDS).map(lambda n: Name("Brand", n))
starts = st.sampled_from(((), (("start", "2023"),), (("start", "2023-04"),), (("end", "2024"), ("start", "2022"))))
faces = st.builds(lambda p, b, q: Said(f"{p.name} is the face of {b.name}.", p, "ambassadorOf", b, q), people, brands, starts)
launches = st.builds(
    lambda y: Said(
        f"The Carrel came out in {y}.",
        Name("Product", "Carrel"),
        "launchDate",
        Literal(y, {4: "gYear", 7: "gYearMonth"}.get(len(y), "date")),
    ),
    st.sampled_from(YEARS),
)
homes = st.builds(
    lambda b, c: Said(f"{b.name} is a house of {c}.", b, "countryOfOrigin", Name("Country", c)),
    brands,
    st.sampled_from(("France", "Italy")),
)
quotations = st.builds(lambda p, s: Said(f"“{s}”, said {p.name}.", p, "said", Literal(s)), people, st.sampled_from(SAYINGS))
sentences = st.lists(st.one_of(faces, launches, homes, quotations), max_size=4).map(tuple)


AGENCY = [f"word{number}" for number in range(160)]


def annotated(ident: str, said: Sequence[Said], window: int | None = None) -> tuple[Document, Extraction]:
    """A document of these sentences with what a perfect extractor finds in it.

    A window is a stretch of one long text behind them. Neighbouring windows make near duplicates, those further apart do not: what is
    between connects them.
    """
    text = "".join(f"{each.words}\n" for each in said) or "Nothing."
    text += "" if window is None else " ".join(AGENCY[6 * window : 6 * window + 120])
    document = Document(ident, (Text("body", text),), published="2024-03-12", title=said[0].words if said else None)
    mentions, claims, start = set(), [], 0
    for number, each in enumerate(said):
        span = Span(start, start + len(each.words))
        evidence = document.evidence(span, extractor="test", version="1", confidence=0.5 + number / 10)
        claims.append(Claim(each.subject, each.predicate, each.object, (evidence,), each.qualifiers))
        for end in (each.subject, each.object):
            if isinstance(end, Name):
                place = start + each.words.index(end.name)
                mentions.add(Mention("body", Span(place, place + len(end.name)), end.name, end))
        start = span.end + 1
    return document, Extraction(ident, tuple(sorted(mentions)), tuple(claims))


# -- unpublish exactly -------------------------------------------------------------------------------------------

ids = st.sampled_from(("a", "b", "c/ü ?#", "d@1"))
entities = st.sampled_from(
    [
        *(f"person/{name}" for name in ("liv-vane", "vane", "noor-marsh", "liv-vane-okoye", "liv-vane@a")),
        *(f"brand/{name}" for name in ("maison-orsenne", "tidewell", "lacombe-and-fils", "maison-orsenne@d@1")),
        *("product/carrel", "country/france", "country/italy"),
    ]
)
windows = st.one_of(st.none(), st.integers(0, 5))
commands = st.one_of(
    st.tuples(st.just("put"), ids, sentences, windows),
    st.tuples(st.just("put"), ids, sentences, windows),
    st.tuples(st.just("retract"), ids),
    st.tuples(st.just("merge"), entities, entities),
    st.tuples(st.just("split"), entities),
    st.tuples(st.just("reject"), st.integers(0, 20), st.booleans()),
)


def put(reviser: Reviser, ident: str, said: Sequence[Said], window: int | None = None) -> None:
    document, extraction = annotated(ident, said, window)
    verdict = judge(document, resolve(extraction, INDEX), None, reviser.store.namespace)
    reviser.put(document, verdict, fingerprint="test")


def fact_of(store: Store, number: int, *, fused: bool) -> str:
    """The id of some fact: as the graph has it, or as some document alone says it."""
    property_ = store.namespace.term("Fact" if fused else "statementOf")
    quads = (
        store.graph.quads_for_pattern(None, None, ox.NamedNode(property_))
        if fused
        else store.graph.quads_for_pattern(None, ox.NamedNode(property_), None)
    )
    found = sorted({str((quad.subject if fused else quad.object).value).rpartition("/")[2] for quad in quads})
    return found[number % len(found)] if found else "0" * 20


def obey(reviser: Reviser, command: tuple, documents: dict[str, tuple], corrections: list[Correction]) -> None:
    """Does what a command says, and notes what remains."""
    match command:
        case "put", ident, *content:
            documents[ident] = tuple(content)
            put(reviser, ident, *content)
        case "retract", ident:
            documents.pop(ident, None)
            reviser.retract(ident)
        case kind, *arguments:
            if kind == "reject":
                arguments = [fact_of(reviser.store, arguments[0], fused=arguments[1])]
            corrections.append(Correction(kind, tuple(arguments), **CORRECTED))
            reviser.correct(corrections[-1])


def face(person: str, brand: str) -> Said:
    return Said(f"{person} is the face of {brand}.", Name("Person", person), "ambassadorOf", Name("Brand", brand))


FACES = ("put", "a", (face("Liv Vane", "Tidewell"), face("Noor Marsh", "Tidewell"), face("Liv Váne-Okoye", "Tidewell")))
BRIDGE = [("put", ident, FACES[2], window) for ident, window in (("a", 0), ("b", 4), ("d@1", 1), ("c/ü ?#", 2))]
MERGES = (("merge", "person/liv-vane", "person/noor-marsh"), ("merge", "person/liv-vane", "person/liv-vane-okoye"))


@example([FACES, *MERGES, ("split", "person/liv-vane")], random.Random(0))
@example([FACES, *MERGES, ("split", "person/noor-marsh"), ("split", "person/noor-marsh")], random.Random(0))
@example([FACES, *MERGES, *(("reject", number, False) for number in range(3))], random.Random(0))
@example([*BRIDGE, ("put", "d@1", (), 3), ("retract", "c/ü ?#")], random.Random(0))
@example([*BRIDGE, ("put", "d@1", FACES[2], 3), ("retract", "c/ü ?#"), ("split", "person/liv-vane")], random.Random(0))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(commands, min_size=3, max_size=12), st.randoms(use_true_random=False))
def test_a_store_holds_what_its_documents_and_corrections_say(sequence: list[tuple], chance: random.Random) -> None:
    """After any sequence of changes the bytes are those of a fresh store of what remains, in any order."""
    live_and_compare(sequence, chance)


@pytest.mark.soak
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(commands, min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_two_thousand_lives_of_a_store(sequence: list[tuple], chance: random.Random) -> None:
    """The same for many more and longer sequences."""
    live_and_compare(sequence, chance)


def live_and_compare(sequence: list[tuple], chance: random.Random) -> None:
    """Plays a sequence in one store, and builds another from what remains."""
    documents: dict[str, tuple] = {}
    corrections: list[Correction] = []
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        with open_store(Path(folder) / "lived", create=True) as lived:
            reviser = Reviser(lived, single_valued=SINGLE)
            for command in sequence:
                obey(reviser, command, documents, corrections)
                assert set(lived.graph) == reviser.derive_all(), command
        with open_store(Path(folder) / "lived", read_only=True) as lived, open_store(Path(folder) / "fresh", create=True) as fresh:
            reviser = Reviser(fresh, single_valued=SINGLE)
            remaining = list(documents)
            chance.shuffle(remaining)
            early = chance.randint(0, len(corrections))
            for correction in corrections[:early]:
                reviser.correct(correction)
            for ident in remaining:
                put(reviser, ident, *documents[ident])
            for correction in corrections[early:]:
                reviser.correct(correction)
            assert as_nquads(lived.graph) == as_nquads(fresh.graph)
            assert sources(lived) == sources(fresh)
            assert lived.words.is_in_step()
            assert indexed(lived) == indexed(fresh)
            for text in ("liv van", "tidewell", "face of", "lacombe et fils"):
                assert find_nodes(lived, text) == find_nodes(fresh, text)


def sources(store: Store) -> list[tuple]:
    """Every document with the name of its source, and what texts are compared by."""
    sql = "SELECT document, label, shingles, bands FROM source JOIN source_signature USING (number) ORDER BY document"
    return store.ledger.connection.execute(sql).fetchall()


def indexed(store: Store) -> list[list[tuple]]:
    """Everything that the search index holds: entries, and in which of them how often every word or part of one stands."""
    connection = store.ledger.connection
    found = [sorted(connection.execute("SELECT node, kind, text, coalesce(folded, '') FROM searchable"))]
    for table in ("searchable_name", "searchable_part", "searchable_text"):
        connection.execute(f"CREATE VIRTUAL TABLE temp.words_of_{table} USING fts5vocab('main', '{table}', 'row')")
        found.append(sorted(connection.execute(f"SELECT term, doc, cnt FROM temp.words_of_{table}")))
    return found


def test_taking_every_document_out_empties_the_graph(store: Store) -> None:
    """Of documents that are all retracted nothing stays."""
    reviser = Reviser(store, single_valued=SINGLE)
    assert len(store.graph) > 500
    for ident in store.ledger.ids():
        reviser.retract(ident)
    assert as_nquads(store.graph) == ""


def test_putting_the_same_document_again_changes_nothing(tmp_path: Path) -> None:
    """A document that is built anew and says the same leaves the graph as it was."""
    said = (Said("Liv Vane is the face of Tidewell.", Name("Person", "Liv Vane"), "ambassadorOf", Name("Brand", "Tidewell")),)
    with open_store(tmp_path / "store", create=True) as made:
        reviser = Reviser(made, single_valued=SINGLE)
        put(reviser, "a", said)
        before = as_nquads(made.graph)
        put(reviser, "a", said)
        assert as_nquads(made.graph) == before != ""


def test_a_change_of_what_is_single_valued_reaches_the_graph(tmp_path: Path) -> None:
    """Conflicts are marked anew when the ontology says differently which predicates have one value."""
    carrel = Name("Product", "Carrel")
    with open_store(tmp_path / "store", create=True) as made:
        reviser = Reviser(made, single_valued=frozenset())
        for ident, year in (("a", "1998"), ("b", "1999")):
            put(reviser, ident, (Said(f"The Carrel came out in {year}.", carrel, "launchDate", Literal(year, "gYear")),))
        without = as_nquads(made.graph)
        reviser = Reviser(made, single_valued=SINGLE)
        assert as_nquads(made.graph) == as_nquads(reviser.derive_all()) != without
        assert as_nquads(made.graph).count("conflictsWith") == 2
        Reviser(made, single_valued=frozenset())
        assert as_nquads(made.graph) == without


# -- the same bytes ----------------------------------------------------------------------------------------------


def documents() -> list[Document]:
    return [Document(path.stem, (Text("body", path.read_text(encoding="utf-8")),)) for path in sorted(DATA.glob("*.txt"))]


def built(place: Path, given_documents: Sequence[Document], workers: int) -> str:
    with open_store(place, create=True) as made:
        report = build(given_documents, made, Settings().replace(extractors="rules", workers=workers))
        assert (report.status, report.documents) == ("ok", len(given_documents))
        return as_nquads(made.graph)


def test_order_and_workers_change_no_byte(tmp_path: Path) -> None:
    """Any order of documents, in one process or two, gives the same canonical N-Quads."""
    forward = built(tmp_path / "one", documents(), 1)
    assert "startPosition" in forward
    assert built(tmp_path / "two", documents()[::-1], 1) == forward
    assert built(tmp_path / "three", [*documents()[2:], *documents()[:2]], 2) == forward


def test_the_graph_knows_neither_place_nor_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another folder, another day and another user make the same bytes, and none of them stands in the graph."""
    here = built(tmp_path / "here", documents(), 1)
    monkeypatch.setattr("time.time", lambda: 4e9)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.chdir(tmp_path)
    assert built(tmp_path / "else" / "where", documents(), 1) == here
    assert str(tmp_path) not in here
    assert "somebody" not in here


# -- every edge opens its sentence -------------------------------------------------------------------------------

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TYPE, LABEL = f"{RDF}type", "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS, SAME = "http://www.w3.org/2004/02/skos/core#altLabel", "http://www.w3.org/2002/07/owl#sameAs"
SCHEMA_SAME = "https://schema.org/sameAs"


class Walk:
    """A dataset as plain strings: graph → subject → predicate → objects."""

    def __init__(self, store: Store) -> None:
        self.space = store.namespace
        self.graphs: dict[str, dict[str, dict[str, list]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for quad in store.graph:
            assert isinstance(quad.subject, ox.NamedNode), "blank nodes are not allowed"
            assert isinstance(quad.object, ox.NamedNode | ox.Literal)
            graph = "" if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name.value
            self.graphs[graph][quad.subject.value][quad.predicate.value].append(quad.object)

    def term(self, local: str) -> str:
        return self.space.term(local)

    def of_type(self, graph: str, local: str) -> list[str]:
        wanted = ox.NamedNode(self.term(local))
        return [subject for subject, said in self.graphs[graph].items() if wanted in said[TYPE]]

    def get(self, graph: str, subject: str, local: str) -> list[str]:
        return [each.value for each in self.graphs[graph][subject][local if ":" in local else self.term(local)]]

    def one(self, graph: str, subject: str, local: str) -> str:
        (value,) = self.get(graph, subject, local)
        return value

    def opens(self, evidence: str, graph: str) -> None:
        """The quote of a piece of evidence is the stored text at its span."""
        document, text = self.one(graph, evidence, "inDocument"), self.one(graph, evidence, "inText")
        content = self.one(document, text, "content")
        start, end = int(self.one(graph, evidence, "startPosition")), int(self.one(graph, evidence, "endPosition"))
        assert content[start:end] == self.one(graph, evidence, "quote") != ""

    def documents(self) -> list[str]:
        return [graph for graph in self.graphs if graph and graph != self.space.corrections]

    def claimed(self, graph: str) -> set[tuple]:
        """The direct triples of a graph: predicates of facts between entities and values."""
        entity = re.compile(
            re.escape(self.space.base) + r"resource/(?!document/|text/|mention/|statement/|evidence/|fact/|match/|correction)"
        )
        terms = {LABEL, ALIAS, TYPE, SAME, SCHEMA_SAME, self.term("mentionedIn"), self.term("match")}
        return {
            (subject, predicate, value)
            for subject, said in self.graphs[graph].items()
            if entity.match(subject)
            for predicate, values in said.items()
            if predicate not in terms
            for value in values
        }

    def nodes(self, graph: str, local: str) -> Iterator[tuple]:
        for node in self.of_type(graph, local):
            value = self.graphs[graph][node][f"{RDF}object"]
            assert len(value) == 1
            yield self.one(graph, node, f"{RDF}subject"), self.one(graph, node, f"{RDF}predicate"), value[0]


@pytest.fixture
def corrected(store: Store) -> Store:
    """The annotated store with a merge, a split, and a rejection."""
    reviser = Reviser(store, single_valued=SINGLE)
    rejected = fact_id("person/liv-vane", "occupation", Literal("actress"))
    assert rejected in as_nquads(store.graph)
    for kind, arguments in (
        ("merge", ("product/undertow", "product/carrel-bag")),
        ("split", ("person/teo-marchetti",)),
        ("reject", (rejected,)),
    ):
        reviser.correct(Correction(kind, arguments, **CORRECTED))
    assert set(store.graph) == reviser.derive_all()
    return store


@pytest.fixture(params=["store", "corrected"])
def walk(request: pytest.FixtureRequest) -> Walk:
    """The annotated store, as it is and after corrections by hand."""
    return Walk(request.getfixturevalue(request.param))


def test_every_fact_and_statement_opens_its_sentence(walk: Walk) -> None:
    """All evidence of facts and statements is found verbatim at its span in the stored text."""
    facts = walk.of_type("", "Fact")
    assert len(facts) > 30
    for fact in facts:
        assert walk.get("", fact, "evidence")
        for evidence in walk.get("", fact, "evidence"):
            walk.opens(evidence, "")
        for statement in walk.get("", fact, "statement"):
            graphs = [graph for graph in walk.documents() if statement in walk.graphs[graph]]
            assert [graph for graph in graphs if graph in walk.get("", fact, "statedIn")] == graphs != []
    for graph in walk.documents():
        for statement in walk.of_type(graph, "Statement"):
            assert walk.one(graph, statement, "statedIn") == graph
            assert walk.get(graph, statement, "evidence")
            for evidence in walk.get(graph, statement, "evidence"):
                assert walk.one(graph, evidence, "inDocument") == graph
                walk.opens(evidence, graph)
    for graph in walk.graphs:
        known = {each for node in walk.graphs[graph] for each in walk.get(graph, node, "evidence")}
        assert set(walk.of_type(graph, "Evidence")) == known


def test_every_direct_triple_has_its_node(walk: Walk) -> None:
    """In the fused view direct triples are just those of facts, in a document's graph just those of its statements."""
    assert walk.claimed("") == set(walk.nodes("", "Fact"))
    for graph in walk.documents():
        assert walk.claimed(graph) == set(walk.nodes(graph, "Statement"))


def test_every_type_and_name_leads_to_a_mention(walk: Walk) -> None:
    """What is said of an entity's type and names is said in documents that mention it, at a place that reads so."""
    entities = {subject for subject, said in walk.graphs[""].items() if said[LABEL]}
    assert len(entities) > 15
    for entity in entities:
        documents_of = walk.get("", entity, "mentionedIn")
        types, names, surfaces = set(), set(), set()
        for graph in documents_of:
            facts = [fact for fact in walk.of_type("", "Fact") if entity in walk.get("", fact, f"{RDF}subject")]
            own = {walk.one(graph, mention, "refersTo") for mention in walk.of_type(graph, "Mention")}
            members = {
                each
                for each in own
                if each == entity or set(walk.get(graph, each, LABEL)) & {*walk.get("", entity, LABEL), *walk.get("", entity, ALIAS)}
            }
            assert members, (entity, graph, facts)
            for each in members:
                types |= set(walk.get(graph, each, TYPE))
                names |= {*walk.get(graph, each, LABEL), *walk.get(graph, each, ALIAS)}
                surfaces |= {
                    walk.one(graph, m, "surface") for m in walk.of_type(graph, "Mention") if each in walk.get(graph, m, "refersTo")
                }
        assert surfaces
        assert set(walk.get("", entity, TYPE)) <= types
        linked = {walk.one("", match, "matchLabel") for match in walk.get("", entity, "match")}
        assert {*walk.get("", entity, LABEL), *walk.get("", entity, ALIAS)} <= names | linked


def test_every_mention_stands_in_its_text(walk: Walk) -> None:
    """A mention's surface is the text at its span, and what it refers to has a type and a label there."""
    for graph in walk.documents():
        for mention in walk.of_type(graph, "Mention"):
            content = walk.one(graph, walk.one(graph, mention, "inText"), "content")
            start, end = int(walk.one(graph, mention, "startPosition")), int(walk.one(graph, mention, "endPosition"))
            assert content[start:end] == walk.one(graph, mention, "surface")
            entity = walk.one(graph, mention, "refersTo")
            assert len(walk.get(graph, entity, TYPE)) == len(walk.get(graph, entity, LABEL)) == 1


def test_every_identity_leads_to_its_match(walk: Walk) -> None:
    """Who an entity is said to be the same as is the candidate of a match that says what found it."""
    linked = {subject: walk.get("", subject, SAME) for subject, said in walk.graphs[""].items() if said[SAME]}
    assert linked
    for entity, items in linked.items():
        (match,) = walk.get("", entity, "match")
        assert items == [walk.one("", match, "candidate")]
        assert items[0].startswith(WIKIDATA)
        assert walk.one("", match, "method")
        assert walk.one("", match, "index")
    assert set(walk.of_type("", "Match")) == {match for entity in linked for match in walk.get("", entity, "match")}


def test_conflicts_are_mutual_and_between_documents(store: Store) -> None:
    """Two launch years of two documents each point to the other."""
    walk = Walk(store)
    pairs = {(fact, rival) for fact in walk.of_type("", "Fact") for rival in walk.get("", fact, "conflictsWith")}
    assert len(pairs) == 2
    assert pairs == {(rival, fact) for fact, rival in pairs}
    assert {walk.one("", fact, f"{RDF}object") for fact, _ in pairs} == {"1998", "1999"}


# -- round trips -------------------------------------------------------------------------------------------------

words = st.text(min_size=1, max_size=12)
dates = st.sampled_from(("2024", "2024-03", "2024-03-12"))
literals = st.builds(Literal, words, st.sampled_from(("string", "gYear", "date")))
spans = st.tuples(st.integers(0, 30), st.integers(1, 30)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))
texts = st.lists(st.builds(Text, words, st.text(max_size=60), st.integers(0, 9)), min_size=1, max_size=3, unique_by=lambda text: text.name)
optional = st.none() | words
stored = st.builds(
    Document,
    words.filter(lambda ident: ident == ident.strip()),
    texts.map(tuple),
    st.none() | dates,
    optional,
    optional,
    optional,
    optional,
    optional,
)
links = st.builds(Link, words, words, st.floats(0, 1).map(lambda score: round(score, 2)), words, words)


@st.composite
def resolutions(draw: st.DrawFn, document: Document) -> Resolution:
    """Any entities and statements of a document."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        kind, name = draw(words), draw(words)
        mentions = [Mention(draw(words), draw(spans), draw(words), Name(kind, name), draw(words)) for _ in range(draw(st.integers(0, 2)))]
        found.append(
            Entity(f"{kind}/{number}", kind, name, tuple(draw(st.lists(words, max_size=2))), tuple(mentions), draw(st.none() | links))
        )
    body = Document(document.id, (Text("body", "x" * 70),))
    said = {}
    for _ in range(draw(st.integers(0, 3))):
        evidence = body.evidence(draw(spans), extractor=draw(words), version=draw(words), confidence=draw(st.floats(0, 1)))
        qualifiers = tuple(draw(st.lists(st.tuples(words, dates), max_size=2)))
        statement = Statement(document.id, draw(words), draw(words), draw(words | literals), (evidence,), qualifiers)
        said[statement.fact] = statement
    return Resolution(document.id, tuple(found), tuple(said.values()))


@settings(max_examples=60, deadline=None)
@given(stored.flatmap(lambda document: st.tuples(st.just(document), resolutions(document))))
def test_the_ledger_gives_back_what_it_took(pair: tuple[Document, Resolution]) -> None:
    """Documents, entities and statements come out of the ledger as they went in."""
    document, resolution = pair
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        refused = [{"statement": None, "entity": resolution.document_id, "violations": []}]
        ledger.put(document, resolution, fingerprint="f", refused=refused)
        row = ledger.row(document.id)
        assert row is not None
        assert (row.document, row.resolution, row.refused) == (document, resolution, refused)
        assert ledger.state(document.id) == (document.digest, "f")
        assert ledger.statements([s.fact for s in resolution.statements]) == sorted(resolution.statements, key=lambda s: s.fact)
        assert {e.id: (e.name, e.aliases, e.link) for _, e in ledger.entities(e.id for e in resolution.entities)} == {
            e.id: (e.name, e.aliases, e.link) for e in resolution.entities
        }
        ledger.remove(document.id)
        assert (ledger.ids(), ledger.entity_ids(), ledger.statements([s.fact for s in resolution.statements])) == ([], [], [])
        ledger.close()


@given(st.text(max_size=40))
def test_any_text_survives_the_graph(text: str) -> None:
    """Whatever characters a text holds, it comes out of the engine and out of the journal's N-Quads as it went in."""
    quad = ox.Quad(ox.NamedNode("http://x/s"), ox.NamedNode("http://x/p"), ox.Literal(text), ox.NamedNode("http://x/g"))
    assert list(ox.parse(as_nquads([quad]).encode(), format=ox.RdfFormat.N_QUADS)) == [quad]
    graph = ox.Store()
    graph.update(f"INSERT DATA {{ GRAPH <http://x/g> {{ {quad.triple} }} }}")
    assert set(graph) == {quad}
    graph.update(f"DELETE DATA {{ GRAPH <http://x/g> {{ {quad.triple} }} }}")
    assert set(graph) == set()


@given(st.tuples(words, words), st.tuples(words, words))
def test_iris_are_one_to_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Different things have different IRIs, which are ASCII, and an entity's gives its id back."""
    space = Namespace(BASE)
    for iri in (space.document, space.entity):
        assert (iri(one[0]) == iri(other[0])) == (one[0] == other[0])
    assert (space.text(*one) == space.text(*other)) == (one == other)
    assert space.entity_id(space.entity(one[0])) == one[0]
    for made in (space.document(one[0]), space.text(*one), space.entity(one[0])):
        assert made.isascii()
        assert ox.NamedNode(made).value == made
        assert not set('<>"{}|^`\\ ') & set(made)
    assert space.entity_id("http://elsewhere.example/resource/x") is None


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(name: str) -> None:
    """A folded name folds to itself, so that keys are stable."""
    assert fold(fold(name)) == fold(name)


@given(st.text(max_size=6), st.text(max_size=6))
def test_names_have_one_slug_where_they_fold_alike(one: str, other: str) -> None:
    """Slugs are equal exactly where folded names are, and hold no white space."""
    assert (slug(one) == slug(other)) == (fold(one) == fold(other))
    assert not re.search(r"\s", slug(one))


@settings(max_examples=60)
@given(st.lists(st.tuples(ids, sentences), min_size=1, max_size=4, unique_by=lambda pair: pair[0]), st.randoms(use_true_random=False))
def test_fusing_knows_no_order(spoken: list[tuple[str, Sequence[Said]]], chance: random.Random) -> None:
    """Statements and profiles in any order make the same facts and labels."""
    resolved = [resolve(annotated(*pair)[1], INDEX) for pair in spoken]
    statements = [statement for each in resolved for statement in each.statements]
    known = [(each.document_id, entity) for each in resolved for entity in each.entities]
    facts = fuse_facts(statements, Identity([]), single_valued=SINGLE)
    profile = fuse_profile("x/y", known) if known else None
    chance.shuffle(statements)
    chance.shuffle(known)
    assert fuse_facts(statements, Identity([]), single_valued=SINGLE) == facts
    assert not known or fuse_profile("x/y", known) == profile
    assert {fact.id for fact in facts} == {statement.fact for statement in statements}


@given(st.text(alphabet=st.sampled_from("aA.!?…”’\"') \n\t\u00a0\u2028U.S.Mr."), max_size=60), st.integers(0, 10))
def test_sentences_hold_the_whole_text(text: str, start: int) -> None:
    """Sentences are in order, apart from each other, without white space at their ends, and leave nothing else out."""
    found = Sentences(text, start).spans
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(text[span.start : span.end] == text[span.start : span.end].strip() for span in found)
    held = {position for span in found for position in range(span.start, span.end)}
    assert all(text[position].isspace() for position in range(start, len(text)) if position not in held)
    assert all(span.start >= start for span in found)
