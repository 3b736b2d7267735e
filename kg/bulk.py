"""Builds a new store of very many documents: spread over workers, joined by a shuffle, filled by bulk loaders.

The stages are those of `kg/build.py`, and the store is the same, byte for byte:

1. **map**: a worker takes a batch of documents through extraction, resolution and validation. It writes the documents' own graphs as
   N-Quads, and the rows of entities and statements in as many parts as there are partitions, by a hash of what is fused together.
2. **group**: this process finds which documents are near duplicates and so one source, by signatures that the workers took of their texts.
3. **fuse**: a worker takes one partition of all batches, and writes its rows, sorted, and the N-Quads of its profiles and facts. An
   entity's key and a fact's id are functions of one document, so nothing that is to be joined is ever in two partitions.
4. **load**: bulk loaders fill a store in a folder beside, which takes its place when it is whole.

Batches and partitions are files named by what they were made from: what a killed run leaves is not made again.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import shutil
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from kg.build import Line, Outcome
from kg.clock import Clock, add_seconds, peak_memory
from kg.duplicates import VERSION, Duplicates, Signature, sign
from kg.engines import Runner, open_engine
from kg.errors import KgError, UsageError
from kg.fuse import Identity, fuse_facts, fuse_profile
from kg.graph.server import is_url
from kg.ledger import as_rows, entity_from, statement_from
from kg.model import BuildReport, Document, Problem
from kg.rdf.iris import Namespace
from kg.rdf.ontology import load_ontology
from kg.rdf.write import Writer, as_nquads
from kg.revise import refused_as_data
from kg.settings import Settings
from kg.shards import Shards, packed
from kg.store import checked_base, open_store

__all__ = ["bulk_build", "shards_of"]

_VERSION = 2
"""Of the files that workers pass on: others are made anew."""

_COUNTS = ("documents", "facts", "refused", "warnings")
_MOST_CHARACTERS = 4_000_000


class Stages(Protocol):
    """What takes a document up to validation; `fingerprint` changes with whatever the outcome depends on, the document aside."""

    @property
    def fingerprint(self) -> str:
        """As `Line` has it."""

    def __call__(self, document: Document) -> Outcome:
        """What the stages made of a document."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What became of some documents: the file's name, counts, problems, seconds; or the documents, where workers died of them."""

    name: str
    counts: dict[str, int]
    problems: tuple[Problem, ...]
    seconds: dict[str, float]
    fingerprint: str = ""
    lost: tuple[Document, ...] = ()


def shards_of(settings: Settings) -> Shards:
    """Where the workers of a bulk build pass on what they make. Raises UsageError where some could not see it."""
    shards = Shards(str(settings.shards) or f"{Path(settings.store).absolute()}.shards")
    if shards.is_private and (settings.engine or settings.workers > 1):
        raise UsageError(f"only this process can see {shards.url}", hint="name a folder or object storage with --shards")
    return shards


def bulk_build(
    documents: Iterable[Document | Problem],
    settings: Settings,
    *,
    progress: Callable[[str], None] = lambda document_id: None,
    limit: int | None = None,
    stages: Callable[[Settings, str], Stages] = Line,
) -> BuildReport:
    """Makes the store that the settings name, which must not be there yet, of documents with ids that differ.

    Workers are those of the settings `engine` and `workers`. `stages` makes what takes a document up to validation. A document that
    fails is a Problem of the report. Raises UsageError where the store is there already, KgError where workers can't go on.
    """
    if is_url(settings.store):
        hint = "name a folder with --store, or leave --bulk out"
        raise UsageError(f"a bulk build makes a store in a folder, and {settings.store} is a server", hint=hint)
    settings = settings.replace(base=checked_base(settings.base))
    place = Path(settings.store)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} is there already", hint="a bulk build makes a new store: name another one, or build without --bulk")
    shards = shards_of(settings)
    problems: list[Problem] = []
    clock = Clock()

    def fresh() -> Iterator[Document]:
        for document in documents:
            if isinstance(document, Problem):
                problems.append(document)
            else:
                yield document

    with closing(sqlite3.connect("", isolation_level=None)) as file:  # a file of its own, which SQLite removes
        sources = Duplicates(file)
        with open_engine(settings) as run:
            clock.lap("start")
            batches = _map(run, stages, shards, settings, (islice(fresh(), limit), progress))
            names = [batch.name for batch in batches if batch.name]
            clock.lap("map")
            _group(sources, shards, names)
            clock.lap("group")
            parts = _fuse(run, shards, settings, names, sources)
            clock.lap("fuse")
        _load(shards, place, settings, names, parts, sources)
        clock.lap("load")
    if not settings.shards:
        shards.remove()
    return _report(batches, problems, clock)


def _report(batches: list[_Batch], problems: list[Problem], clock: Clock) -> BuildReport:
    counts: Counter[str] = Counter()
    spent: dict[str, float] = {}
    for batch in batches:
        counts.update(batch.counts)
        add_seconds(spent, batch.seconds)
        problems += batch.problems
    add_seconds(spent, clock.seconds)
    numbers = {name: counts[name] for name in _COUNTS}
    rounded = {stage: round(value, 3) for stage, value in spent.items()}
    return BuildReport(**numbers, seconds=rounded, peak_memory=peak_memory(), problems=tuple(problems))


# -- map: documents to graphs of their own, and rows by partition ---------------------------------------------------


def _map(
    run: Runner,
    stages: Callable[[Settings, str], Stages],
    shards: Shards,
    settings: Settings,
    work: tuple[Iterator[Document], Callable[[str], None]],
) -> list[_Batch]:
    """All batches, in the order of the documents; those that workers died of are tried again, one document at a time."""
    documents, progress = work
    arguments = (stages, settings, shards.url)
    done: list[_Batch] = []
    lost: list[_Batch] = []
    under_way: deque[list[str]] = deque()

    def noted() -> Iterator[tuple[Document, ...]]:
        for batch in _batches(documents, int(settings.batch)):
            under_way.append([document.id for document in batch])
            yield batch

    for batch in run(_Mapper, arguments, noted(), lost=_lost):
        (lost if batch.lost else done).append(batch)
        for document_id in under_way.popleft():
            progress(document_id)
    for batch in lost:
        for again in run(_Mapper, arguments, [(each,) for each in batch.lost], lost=_lost):
            failed = tuple(problem for document in again.lost for problem in Outcome.lost(document).problems)
            done.append(_Batch("", {}, failed, {}) if again.lost else again)
    if len({batch.fingerprint for batch in done} - {""}) > 1:
        hint = "give every worker the same version of kg, model, ontology and indexes"
        raise KgError("the workers of the cluster don't extract alike", hint=hint)
    return done


def _batches(documents: Iterator[Document], most: int) -> Iterator[tuple[Document, ...]]:
    """Some documents at a time: `most` of them, or fewer where they are long."""
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += sum(len(text.content) for text in document.texts)
        if len(batch) >= most or characters >= _MOST_CHARACTERS:
            yield tuple(batch)
            batch, characters = [], 0
    if batch:
        yield tuple(batch)


def _lost(documents: tuple[Document, ...]) -> _Batch:
    return _Batch("", {}, (), {}, lost=documents)


class _Mapper:
    """Takes batches of documents up to validation and writes what was found, unless that was done before."""

    def __init__(self, stages: Callable[[Settings, str], Stages], settings: Settings, url: str) -> None:
        base = str(settings.base)
        self.line = stages(settings, base)
        self.shards = Shards(url)
        self.partitions = int(settings.partitions)
        self.writer = Writer(Namespace(base))
        self.single_valued = load_ontology(settings).single_valued
        self.recipe = [_VERSION, VERSION, self.line.fingerprint, base, self.partitions, sorted(self.single_valued)]

    def __call__(self, documents: tuple[Document, ...]) -> _Batch:
        name = _name(self.recipe, [[document.id, document.digest] for document in documents])
        known = self.shards.read_json(f"batches/{name}.json")
        if known is None:
            known = self._made(name, documents)
            self.shards.write_json(f"batches/{name}.json", known)  # last, so that it says that all is there
        problems = tuple(Problem(**each) for each in known["problems"])
        return _Batch(name, known["counts"], problems, known["seconds"], self.line.fingerprint)

    def _made(self, name: str, documents: tuple[Document, ...]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        seconds: dict[str, float] = {}
        problems: list[Problem] = []
        rows: list[tuple[Any, ...]] = []
        groups: dict[str, list[Any]] = {}
        signatures: list[tuple[str, Signature]] = []
        quads: set[Any] = set()
        for document in documents:
            outcome: Outcome = self.line(document)
            problems += outcome.problems
            add_seconds(seconds, outcome.seconds)
            verdict = outcome.verdict
            if verdict is None:
                continue
            clock = Clock()
            refused = refused_as_data(verdict)
            row, entities, statements = as_rows(document, verdict.accepted, fingerprint=self.line.fingerprint, refused=refused)
            rows.append(row)
            signatures.append((document.id, sign(document)))
            for entity in entities:
                groups.setdefault(f"entity-{self._partition(entity[0])}", []).append(entity)
            for statement in statements:
                groups.setdefault(f"statement-{self._partition(self._fused_by(statement))}", []).append(statement)
            quads.update(self.writer.document_graph(document, verdict.accepted))
            quads.update(self.writer.metadata(document))
            counts.update(documents=1, facts=len(verdict.accepted.statements), refused=len(verdict.refused), warnings=len(verdict.warnings))
            clock.lap("write")
            add_seconds(seconds, clock.seconds)
        self.shards.write(f"quads/{name}.nq.gz", packed(as_nquads(quads)))
        self.shards.write_rows(f"documents/{name}.jsonl.gz", {"": sorted(rows)})
        self.shards.write_rows(f"signatures/{name}.jsonl.gz", {"": ((each, *map(sorted, signature)) for each, signature in signatures)})
        places = self.shards.write_rows(f"shuffle/{name}.jsonl.gz", groups)
        return {"counts": counts, "problems": [asdict(each) for each in problems], "seconds": seconds, "places": places}

    def _fused_by(self, statement: tuple[Any, ...]) -> str:
        """What a statement is fused by: its fact, or, where rivals must be seen, subject and predicate."""
        fact, _, subject, predicate, *_ = statement
        return f"{subject} {predicate}" if predicate in self.single_valued else fact

    def _partition(self, key: str) -> int:
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % self.partitions


# -- group: near duplicates are one source ---------------------------------------------------------------------------


def _group(sources: Duplicates, shards: Shards, batches: list[str]) -> None:
    """Finds the sources of all documents, in an order of documents like that of a plain build."""
    sources.prepare()
    for name in batches:
        rows = shards.stream_rows(f"signatures/{name}.jsonl.gz")
        sources.fill((document_id, Signature(frozenset(shingles), frozenset(bands))) for document_id, shingles, bands in rows)


# -- fuse: one partition of all batches ------------------------------------------------------------------------------


def _fuse(run: Runner, shards: Shards, settings: Settings, batches: list[str], sources: Duplicates) -> list[str]:
    """Names of all partitions, fused."""
    wanted = sorted(batches)
    job = _name([_VERSION], wanted)
    shards.write_json(f"jobs/{job}.json", wanted)
    shards.write_rows(f"jobs/{job}-sources.jsonl.gz", {"": sources.joined()})
    return list(run(_Fuser, (settings, shards.url, job), range(int(settings.partitions))))


class _Fuser:
    """Fuses one partition: sorted rows for the ledger, and N-Quads of profiles and facts."""

    def __init__(self, settings: Settings, url: str, job: str) -> None:
        self.shards = Shards(url)
        self.job = job
        self.writer = Writer(Namespace(str(settings.base)))
        self.single_valued = load_ontology(settings).single_valued
        self.batches: list[str] = self.shards.read_json(f"jobs/{job}.json") or []
        self.sources: dict[str, str] = dict(self.shards.stream_rows(f"jobs/{job}-sources.jsonl.gz"))

    def __call__(self, partition: int) -> str:
        name = f"{self.job}-{partition:05}"
        if self.shards.read_json(f"parts/{name}.json") is None:
            entities, statements = self._gathered(partition)
            self.shards.write(f"quads/{name}.nq.gz", packed(as_nquads((*self._profiles(entities), *self._facts(statements)))))
            self.shards.write_rows(f"entities/{name}.jsonl.gz", {"": entities})
            self.shards.write_rows(f"statements/{name}.jsonl.gz", {"": statements})
            self.shards.write_json(f"parts/{name}.json", {"entities": len(entities), "statements": len(statements)})
        return name

    def _gathered(self, partition: int) -> tuple[list[list[Any]], list[list[Any]]]:
        """Rows of entities and of statements, each sorted by key and document."""
        found: dict[str, list[list[Any]]] = {"entity": [], "statement": []}
        for batch in self.batches:
            places = self.shards.read_json(f"batches/{batch}.json")["places"]
            for kind, rows in found.items():
                if place := places.get(f"{kind}-{partition}"):
                    rows += self.shards.rows(f"shuffle/{batch}.jsonl.gz", place)
        for rows in found.values():
            rows.sort(key=lambda row: (row[0], row[1]))
        return found["entity"], found["statement"]

    def _profiles(self, rows: list[list[Any]]) -> Iterator[Any]:
        known: dict[str, list[Any]] = {}
        for row in rows:
            known.setdefault(row[0], []).append(entity_from(row))
        for entity, documents in known.items():
            yield from self.writer.profile(fuse_profile(entity, documents))

    def _facts(self, rows: list[list[Any]]) -> Iterator[Any]:
        facts = fuse_facts(
            [statement_from(row) for row in rows],
            Identity([]),
            single_valued=self.single_valued,
            sources=lambda documents: len({self.sources.get(each, each) for each in documents}),
        )
        for fact in facts:
            yield from self.writer.fact(fact)


# -- load: a store beside, which takes its place when it is whole -----------------------------------------------------


def _load(shards: Shards, place: Path, settings: Settings, batches: list[str], parts: list[str], sources: Duplicates) -> None:
    fresh = place.with_name(f"{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with (
        open_store(fresh, base=settings.base, create=True) as store,
        shards.joined(f"quads/{name}.nq.gz" for name in (*batches, *parts)) as quads,
        store.filling(quads),
    ):
        for name in batches:
            store.ledger.insert("document", shards.stream_rows(f"documents/{name}.jsonl.gz"))
        for table, folder in (("entity", "entities"), ("statement", "statements")):
            streams = [shards.stream_rows(f"{folder}/{name}.jsonl.gz") for name in parts]
            store.ledger.insert(table, heapq.merge(*streams, key=lambda row: (row[0], row[1])))  # in the order of the table's key
        store.duplicates.fill_from(sources)
        store.ledger.set_single_valued(load_ontology(settings).single_valued)
    fresh.replace(place)
    parent = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _name(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
