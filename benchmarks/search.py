"""What the search index costs, and what it saves.

Puts synthetic documents (words of a Zipf-like vocabulary, three entities and six sentences each) into stores in turns: as every build
does, and with the index left out; the difference is the index's price, in seconds of work. Its bytes are those of its own tables. The
same texts go into tantivy, where it is installed. Then many labels are added, and searches are timed: by name, by words, misspelled;
and three ways to join a search with SPARQL: kg:matches (VALUES of what the index found), a Python function that the engine calls for
every label, and FILTER(CONTAINS(…)), for the same word.

    python -m benchmarks.search --documents 500 --labels 100000
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pyoxigraph as ox

from kg.model import Document, Entity, Evidence, Mention, Name, Resolution, Span, Statement, Text
from kg.query.run import run_query
from kg.query.search import search
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import Verdict


def documents(number: int, chance: random.Random) -> Iterator[tuple[Document, Verdict]]:
    """Documents with what they say, as validation would have accepted it."""
    letters = "abcdefghijklmnoprstuv"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(30000)]

    def some(count: int) -> str:
        return " ".join(words[min(int(chance.paretovariate(0.8)), len(words) - 1)] for _ in range(count))

    for each in range(number):
        sentences = [some(20).capitalize() for _ in range(6)]
        text = " ".join(f"{sentence}. {some(60)}." for sentence in sentences)
        document = Document(f"d{each}", (Text("body", text),), published="2024-01-01")
        names = [" ".join(chance.choices(words, k=2)).title() for _ in range(3)]
        keys = [f"person/{name.lower().replace(' ', '-')}" for name in names]
        span = Span(0, 3)
        entities = {
            key: Entity(key, "Person", name, (), (Mention("body", span, text[:3], Name("Person", name)),))
            for key, name in zip(keys, names, strict=True)
        }
        statements = {}
        for place, sentence in enumerate(sentences):
            start = text.index(sentence)
            evidence = Evidence(document.id, "body", Span(start, start + len(sentence)), sentence, "test", "1", 0.9)
            said = Statement(document.id, keys[place % 3], f"knows{place}", keys[(place + 1) % 3], (evidence,))
            statements[said.fact] = said
        yield document, Verdict(Resolution(document.id, tuple(entities.values()), tuple(statements.values())), ())


def filled(folder: Path, made: list[tuple[Document, Verdict]], *, indexed: bool) -> tuple[float, Store]:
    """Seconds of work of the puts, and the store."""
    store = open_store(folder, create=True)
    if not indexed:
        store.index = lambda removed, added: None  # type: ignore[method-assign]
    reviser = Reviser(store, single_valued=frozenset())
    begin = time.process_time()
    for document, verdict in made:
        reviser.put(document, verdict, fingerprint="x")
    return time.process_time() - begin, store


def index_bytes(store: Store) -> int:
    """Bytes of the pages of the index's tables."""
    (size,) = store.ledger.connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%searchable%'").fetchone()
    return int(size)


def prices(made: list[tuple[Document, Verdict]], place: Path) -> Store:
    """Prints what the index costs; the store with index."""
    number = len(made)
    rounds = [
        (filled(place / f"plain{turn}", made, indexed=False), filled(place / f"indexed{turn}", made, indexed=True)) for turn in range(3)
    ]
    without, within = (median(pair[side][0] for pair in rounds) for side in (0, 1))
    store = rounds[-1][1][1]
    for plain, indexed in rounds:
        plain[1].close()
        if indexed[1] is not store:
            indexed[1].close()
    characters = sum(len(document.body.content) for document, _ in made) / number
    print(f"{number} documents of {characters:.0f} characters; seconds of work for 1,000 documents, bytes a document:")
    print(f"  put, without index     {1000 * without / number:8.2f} s")
    print(f"  put, with index        {1000 * within / number:8.2f} s  {index_bytes(store) / number:9.0f} B   {within / without:.2f} ×")
    for name, each in (("tantivy, one commit", False), ("tantivy, commit each", True)):
        price = tantivy_price(made, place / name.replace(" ", "-"), each=each)
        print(f"  {name:22} " + (f"{1000 * price[0] / number:8.2f} s  {price[1] / number:9.0f} B" if price else "not installed"))
    return store


def tantivy_price(made: list[tuple[Document, Verdict]], folder: Path, *, each: bool) -> tuple[float, int] | None:
    """Seconds and bytes of the same sentences, names and texts in tantivy, committed once for each document or at the end."""
    try:
        import tantivy
    except ImportError:
        return None
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("node", stored=True, tokenizer_name="raw")
    builder.add_text_field("words", stored=False)
    folder.mkdir()
    index = tantivy.Index(builder.build(), path=str(folder))
    begin = time.process_time()
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for document, verdict in made:
        texts = [evidence.quote for s in verdict.accepted.statements for evidence in s.evidence]
        texts += [entity.name for entity in verdict.accepted.entities] + [document.body.content]
        for text in texts:
            writer.add_document(tantivy.Document(node=f"resource/{document.id}", words=text))
        if each:
            writer.commit()
    writer.commit()
    writer.wait_merging_threads()
    return time.process_time() - begin, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def milliseconds(call: Callable[[], Any], rounds: int = 7) -> float:
    """Median of some calls."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return 1000 * median(taken)


def compare_joins(store: Store, word: str) -> None:
    """The same search in SPARQL three ways."""
    settings, function = Settings(), ox.NamedNode("http://localhost:8000/ontology#hasWord")

    def has(label: Any) -> ox.Literal:
        return ox.Literal(word in label.value.lower().split())

    text = f"SELECT ?e ?n WHERE {{ ?e rdfs:label ?n FILTER(<{function.value}>(?n)) }}"
    prefixes = {"rdfs": "http://www.w3.org/2000/01/rdf-schema#"}
    ways: dict[str, Callable[[], Any]] = {
        "kg:matches (VALUES)": lambda: run_query(
            store, f'SELECT ?e ?n WHERE {{ ?e kg:matchesName ("{word} " 1000) ; rdfs:label ?n }}', settings=settings
        ),
        "custom function": lambda: list(store.graph.query(text, prefixes=prefixes, custom_functions={function: has})),
        "FILTER(CONTAINS)": lambda: run_query(
            store, f'SELECT ?e ?n WHERE {{ ?e rdfs:label ?n FILTER(CONTAINS(LCASE(?n), "{word}")) }}', settings=settings
        ),
    }
    taken = {name: milliseconds(call) for name, call in ways.items()}
    for name, value in taken.items():
        print(f"  {name:22} {value:8.2f} ms   {value / taken['kg:matches (VALUES)']:6.1f} ×")


def add_labels(store: Store, number: int, chance: random.Random) -> None:
    """Gives the graph people with names of two words."""
    words = ["".join(chance.choices("abcdefghijklmnoprstuv", k=chance.randint(4, 9))) for _ in range(20000)]
    label, kind = (
        ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label"),
        ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
    )
    person = ox.NamedNode(store.namespace.term("Person"))
    for each in range(number):
        node = ox.NamedNode(store.namespace.entity(f"person/p{each}"))
        name = " ".join(chance.choices(words, k=2)).title()
        store.graph.extend([ox.Quad(node, kind, person), ox.Quad(node, label, ox.Literal(name))])


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=100_000)
    options = parser.parse_args()
    chance = random.Random(7)
    made = list(documents(options.documents, chance))
    with tempfile.TemporaryDirectory() as folder:
        store = prices(made, Path(folder))
        add_labels(store, options.labels, chance)
        begin = time.process_time()
        store.rebuild_index()
        print(f"rebuilt with {options.labels} more labels: {time.process_time() - begin:.2f} s of work")
        name = made[0][1].accepted.entities[0].name
        words = made[0][1].accepted.statements[0].evidence[0].quote.split()
        asked = (("name", name, "entity"), ("misspelled", name[:3] + name[4:], "entity"), ("words", " ".join(words[3:6]), "sentence"))
        print("searches, 20 hits, milliseconds:")
        for label, text, kind in asked:
            print(f"  {label:22} {milliseconds(lambda text=text, kind=kind: search(store, text, kinds=[kind])):8.2f}")
        print("joined with SPARQL:")
        compare_joins(store, name.split()[1].lower())
        store.close()


if __name__ == "__main__":
    main()
