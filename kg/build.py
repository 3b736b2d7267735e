"""The flow: documents in, graph out. Read it from top to bottom."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kg.clock import Clock, add_seconds, peak_memory, timed
from kg.engines import open_engine
from kg.extract import Pipeline
from kg.link import Index, load_index
from kg.model import BuildReport, Document, Problem
from kg.rdf.iris import Namespace
from kg.rdf.ontology import load_ontology, ontology_folder
from kg.read import Reading
from kg.resolve import VERSION, resolve
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store
from kg.validate import Shapes, Verdict, judge, load_shapes
from kg.wikidata.linking import load_linker

__all__ = ["Line", "Outcome", "build"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stages up to validation made of one document, and the seconds each took."""

    document: Document
    verdict: Verdict | None
    problems: tuple[Problem, ...]
    seconds: dict[str, float]

    @classmethod
    def lost(cls, document: Document) -> Outcome:
        """Of a document that killed one worker after another, as one does that takes more memory than there is."""
        message = "the workers that took it were killed; give each more memory, split its text, or leave it out"
        return cls(document, None, (Problem("extract", document.id, "worker-killed", message),), {})


class Line:
    """The stages from extraction to validation for one document: a pure function of document and settings."""

    def __init__(self, settings: Settings, base: str) -> None:
        settings = settings.replace(base=base)
        self.namespace = Namespace(base)
        self.pipeline = Pipeline(settings)
        self.index: Index = load_index("shipped")
        self.linker = load_linker(settings.wikidata_index)
        self.shapes: Shapes | None = load_shapes(settings) if settings.validate else None
        self.ontology = load_ontology(settings)
        self.ontology_digest, shapes_digest = (_digest(ontology_folder(settings) / name) for name in ("kg.ttl", "shapes.ttl"))
        self.shapes_digest = shapes_digest if self.shapes else ""

    @property
    def fingerprint(self) -> str:
        """Changes with extractors, model, index, ontology, shapes and the settings that matter: a document is then built anew."""
        parts = (self.pipeline.fingerprint, VERSION, self.index.name, self.index.digest, self.ontology_digest, self.shapes_digest)
        return self.linker.sign(hashlib.sha256("\n".join(parts).encode()).hexdigest())

    def __call__(self, document: Document) -> Outcome:
        """One document through extraction, resolution and validation."""
        clock = Clock()
        extraction = self.pipeline(document)
        clock.lap("extract")
        if extraction.problems and not extraction.mentions:
            return Outcome(document, None, extraction.problems, clock.seconds)
        resolution = resolve(extraction, self.index)
        clock.lap("resolve")
        resolution = self.linker(document, resolution)
        clock.lap("link")
        verdict = judge(document, resolution, self.shapes, self.namespace)
        clock.lap("validate")
        if verdict.document_refused:
            reason = verdict.refused[0].violations[0].message
            problem = Problem("validate", document.id, "refused", f"breaks a shape: {reason}; mend its metadata or text")
            return Outcome(document, None, (*extraction.problems, problem), clock.seconds)
        return Outcome(document, verdict, extraction.problems, clock.seconds)


def build(
    documents: Iterable[Document | Problem],
    store: Store,
    settings: Settings,
    *,
    progress: Callable[[str], None] = lambda document_id: None,
    limit: int | None = None,
    resume: bool = False,
) -> BuildReport:
    """Takes documents into a store; those that are in it unchanged are skipped, changed ones replace their former version.

    At most `limit` are built; with `resume`, what is stored with the same fingerprint is left aside by its id, mostly unread.
    One bad document never ends the run: it is a Problem of the report. Every document is one transaction.
    Raises StoreError where the store can't take them.
    """
    line = Line(settings, store.namespace.base)
    reviser = Reviser(store, single_valued=line.ontology.single_valued)
    counts: Counter[str] = Counter()
    seconds: dict[str, float] = defaultdict(float)
    problems: list[Problem] = []
    if resume and isinstance(documents, Reading):
        documents.leave_out(stored=lambda id: (store.ledger.state(id) or ("", ""))[1] == line.fingerprint)

    def fresh() -> Iterator[Document]:
        for document in timed(documents, seconds, "read"):
            if isinstance(document, Problem):
                problems.append(document)
            elif store.ledger.state(document.id) == (document.digest, line.fingerprint):
                counts["unchanged"] += 1
                progress(document.id)
            else:
                yield document

    for outcome in _outcomes(line, settings, islice(fresh(), limit)):
        problems += outcome.problems
        add_seconds(seconds, outcome.seconds)
        if (verdict := outcome.verdict) is not None:
            clock = Clock()
            counts["replaced"] += store.ledger.state(outcome.document.id) is not None
            reviser.put(outcome.document, verdict, fingerprint=line.fingerprint)
            clock.lap("store")
            add_seconds(seconds, clock.seconds)
            counts.update(documents=1, facts=len(verdict.accepted.statements), refused=len(verdict.refused), warnings=len(verdict.warnings))
        progress(outcome.document.id)
    store.checkpoint()
    rounded = {stage: round(value, 3) for stage, value in seconds.items()}
    return BuildReport(**counts, seconds=rounded, peak_memory=peak_memory(), problems=tuple(problems))


def _outcomes(line: Line, settings: Settings, documents: Iterator[Document]) -> Iterator[Outcome]:
    if settings.workers == 1 and not settings.engine:
        yield from map(line, documents)
        return
    with open_engine(settings) as run:
        yield from run(Line, (settings, line.namespace.base), documents, lost=Outcome.lost)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
