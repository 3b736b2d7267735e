"""What documents cost once they are extracted, in a store that grows large.

`record` extracts a sample of documents once and keeps documents and extractions in a file (a pickle: load none but your own).
`run` multiplies them: every copy has names of its own, and other words of the same length, so that spans hold and no two copies
are near duplicates; each name is shared by some of the copies. `--duplicates` of the documents are copies with one word more
instead, `--hub` adds one brand that stands in every second document. Only the stages after extraction are run: resolution,
linking, validation, near duplicates, store. Rates are documents a second of processor time, which other programs disturb less.

    python -m benchmarks.many_documents record news.jsonl.gz --documents 150 --to recorded.pickle
    python -m benchmarks.many_documents run recorded.pickle --documents 20000
"""

from __future__ import annotations

import argparse
import pickle
import random
import re
import resource
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from zlib import crc32

from kg.build import Line
from kg.extract import Pipeline
from kg.model import Claim, Document, Evidence, Extraction, Literal, Mention, Name, Span, Text
from kg.read import read_paths
from kg.resolve import resolve
from kg.revise import Reviser
from kg.settings import Settings
from kg.store import Store, open_store
from kg.validate import Verdict, judge

Recorded = list[tuple[Document, Extraction]]
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = "bcdfghklmnprstvw", "aeiou"
_HUB = Name("Brand", "Hubbertson")
_SPREAD = 6
_SAMPLE = 10


class Multiplier:
    """Copies of recorded documents, each with names and words of its own."""

    def __init__(self, recorded: Recorded, *, hub: bool, duplicates: float) -> None:
        self.recorded, self.hub, self.duplicates = recorded, hub, duplicates
        self.names = {word for _, e in recorded for m in e.mentions if m.kind == "name" for word in _WORD.findall(m.surface)}
        self.words: dict[int, list[str]] = {}
        for word in sorted({word.lower() for d, _ in recorded for word in _WORD.findall(d.body.content)}):
            self.words.setdefault(len(word), []).append(word)

    def document(self, number: int) -> tuple[Document, Extraction]:
        """Document and extraction of this number: always the same."""
        chance = random.Random(number)
        if number and chance.random() < self.duplicates:
            document, extraction = self._copy(chance.randrange(max(0, number - 1000), number))
            text = document.body.content.rstrip() + f" {chance.choice(self.words[6])}"
            return _with_id(replace(document, texts=(replace(document.body, content=text),)), extraction, f"document-{number}")
        return self._copy(number)

    def _copy(self, number: int) -> tuple[Document, Extraction]:
        document, extraction = self.recorded[number % len(self.recorded)]
        generation = number // len(self.recorded)

        def changed(text: str) -> str:
            return _WORD.sub(lambda found: self._word(found[0], generation), text)

        body = changed(document.body.content)
        hub = self.hub and number % 2 == 0
        start = len(body) + 1
        if hub:
            body += f"\n{_HUB.name}"
        known = {m.referent for m in extraction.mentions}
        referents = {name: Name(name.type, changed(name.name)) for name in known}
        mentions = [
            Mention(m.text, m.span, body[m.span.start : m.span.end], referents[m.referent], m.kind)
            for m in extraction.mentions
            if m.text == "body"
        ]
        claims = [self._claim(claim, body, changed, referents) for claim in extraction.claims if claim.evidence[0].text == "body"]
        if hub:
            mentions.append(Mention("body", Span(start, start + len(_HUB.name)), _HUB.name, _HUB))
        text = Text("body", body, document.body.metadata_end)
        made = Document(document.id, (text,), document.published, document.title and changed(document.title))
        return _with_id(made, Extraction(document.id, tuple(sorted(mentions)), tuple(claims)), f"document-{number}")

    @staticmethod
    def _claim(claim: Claim, body: str, changed, referents: dict[Name, Name]) -> Claim:  # type: ignore[no-untyped-def]
        def end(value: Name | Literal) -> Name | Literal:
            if isinstance(value, Name):
                return referents.setdefault(value, Name(value.type, changed(value.name)))
            return replace(value, value=changed(value.value)) if value.datatype == "string" else value

        evidence = tuple(replace(e, quote=body[e.span.start : e.span.end]) for e in claim.evidence if e.text == "body")
        subject = end(claim.subject)
        assert isinstance(subject, Name)
        return Claim(subject, claim.predicate, end(claim.object), evidence, claim.qualifiers)

    def _word(self, word: str, generation: int) -> str:
        """Another word of the same length: of a name, one that 2^n generations share, n by the word; else any of the vocabulary."""
        if word in self.names:
            seed = crc32(word.encode())
            chance = random.Random(seed ^ (generation >> seed % _SPREAD) * 2654435761)
            letters = [chance.choice(_LETTERS[place % 2]) for place in range(len(word))]
            made = "".join(letters)
            return made.capitalize() if word[0].isupper() else made
        others = self.words.get(len(word), [word])
        made = others[(crc32(word.lower().encode()) * 31 + generation * 7919) % len(others)]
        return made.capitalize() if word[0].isupper() else made


def _with_id(document: Document, extraction: Extraction, ident: str) -> tuple[Document, Extraction]:
    def own(evidence: Evidence) -> Evidence:
        return replace(evidence, document_id=ident)

    claims = tuple(replace(claim, evidence=tuple(own(each) for each in claim.evidence)) for claim in extraction.claims)
    return replace(document, id=ident), Extraction(ident, extraction.mentions, claims)


class Stages:
    """The stages of a build after extraction, one document at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.line = Line(settings, store.namespace.base)
        self.store = store
        self.reviser = Reviser(store, single_valued=self.line.ontology.single_valued)
        self.seconds = {"resolve": 0.0, "link": 0.0, "validate": 0.0, "store": 0.0}

    def __call__(self, document: Document, extraction: Extraction) -> tuple[float, float]:
        """Takes one document in; seconds it took, by the wall's clock and of processor time."""
        begin = time.perf_counter()
        cpu = time.process_time()
        resolution = resolve(extraction, self.line.index)
        resolved = time.perf_counter()
        resolution = self.line.linker(document, resolution)
        linked = time.perf_counter()
        verdict: Verdict = judge(document, resolution, self.line.shapes, self.store.namespace)
        judged = time.perf_counter()
        self.reviser.put(document, verdict, fingerprint="benchmark")
        end = time.perf_counter()
        for stage, spent in zip(self.seconds, (resolved - begin, linked - resolved, judged - linked, end - judged), strict=True):
            self.seconds[stage] += spent
        return end - begin, time.process_time() - cpu


def record(given: argparse.Namespace) -> None:
    """Extracts a sample, evenly spread, and keeps it."""
    settings = Settings()
    documents = [each for each in read_paths([given.file], settings) if isinstance(each, Document)]
    count = min(given.documents, len(documents))
    pipeline = Pipeline(settings)
    kept = [(each, pipeline(each)) for each in (documents[n * len(documents) // count] for n in range(count))]
    Path(given.to).write_bytes(pickle.dumps(kept))
    print(f"{count} documents, {sum(len(e.mentions) for _, e in kept):,} mentions, {sum(len(e.claims) for _, e in kept):,} claims")


def alone(reference: Stages, make: Multiplier, number: int) -> tuple[float, float]:
    """Seconds that a document takes in a store that holds nothing else, by the wall's clock and of processor time."""
    spent = reference(*make.document(number))
    reference.reviser.retract(f"document-{number}")
    return spent


def probes(stages: Stages, reference: Stages, make: Multiplier, first: int, count: int) -> None:
    """Prints median seconds to add one document more, here and in an empty store by turns, and to take out one of all ages."""
    empty, added, taken = [], [], []
    for n in range(count):
        empty.append(alone(reference, make, first + n))
        added.append(stages(*make.document(first + n)))
    for n in range(count):
        wall, cpu = time.perf_counter(), time.process_time()
        stages.reviser.retract(f"document-{n * first // count}")
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    print("\nmedian ms                          wall    cpu")
    for name, times in (("one document, empty store", empty), (f"one document, after {first:,}", added), ("one document taken out", taken)):
        wall, cpu = (median(each) * 1000 for each in zip(*times, strict=True))
        print(f"{name:32} {wall:6.0f} {cpu:6.0f}")
    print(f"bar for one document more: {1.2 * median(each[1] for each in empty) * 1000 + 50:.0f} ms of processor time")


def tenths(stages: Stages, reference: Stages, make: Multiplier, numbers: range) -> None:
    """Builds; documents a second by tenth, and how that compares with the empty store at the same time."""
    ratios = []
    print("tenth  documents  documents/s  documents/cpu s  of empty store's      triples  peak MB")
    for tenth in range(10):
        these = numbers[len(numbers) * tenth // 10 : len(numbers) * (tenth + 1) // 10]
        spent, here, there = [], 0.0, 0.0
        for number in these:
            spent.append(stages(*make.document(number)))
            if number % _SAMPLE == 0:
                here += spent[-1][1]
                there += alone(reference, make, number)[1]
        wall, cpu = (len(these) / sum(each) for each in zip(*spent, strict=True))
        ratios.append(there / here)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures = f"{wall:12.1f} {cpu:16.1f} {ratios[-1]:17.2f} {len(stages.store.graph):12,} {peak:8.0f}"
        print(f"{tenth + 1:5} {these.stop:10,} {figures}", flush=True)
    print(f"last tenth against first, each against the empty store: {ratios[-1] / ratios[0]:.2f}")
    print("seconds a stage: " + ", ".join(f"{stage} {spent:.1f}" for stage, spent in stages.seconds.items()))


def run(given: argparse.Namespace) -> None:
    """Builds, or goes on where `--keep` names a store, and prints what was measured."""
    recorded: Recorded = pickle.loads(Path(given.recorded).read_bytes())
    make = Multiplier(recorded, hub=given.hub, duplicates=given.duplicates)
    settings = Settings().replace(validate=not given.no_validate)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
        reference = Stages(stack.enter_context(open_store(folder / "empty", create=True)), settings)
        place = Path(given.keep) if given.keep else folder / "store"
        stages = Stages(stack.enter_context(open_store(place, create=True)), settings)
        alone(reference, make, 0)  # caches are warm from here on
        numbers = range(len(stages.store.ledger.ids()), given.documents)
        if numbers:
            tenths(stages, reference, make, numbers)
            stages.store.checkpoint()
        probes(stages, reference, make, max(numbers.start, numbers.stop), given.probes)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="times the stages after extraction in a growing store")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("record", help="extract a sample once")
    making.add_argument("file", help="documents, as `kg build` reads them")
    making.add_argument("--documents", type=int, default=150)
    making.add_argument("--to", required=True, help="file that keeps documents and extractions")
    running = commands.add_parser("run", help="build a large store of it")
    running.add_argument("recorded", help="what `record` has kept")
    running.add_argument("--documents", type=int, default=20_000)
    running.add_argument("--duplicates", type=float, default=0.02, help="share of near duplicates (default: 0.02)")
    running.add_argument("--hub", action="store_true", help="one brand stands in every second document")
    running.add_argument("--no-validate", action="store_true")
    running.add_argument("--probes", type=int, default=21, help="documents added and taken out at the end")
    running.add_argument("--folder", help="where the stores are made (default: the system's folder for such)")
    running.add_argument("--keep", help="make the large store here and leave it, or go on with it")
    return parser.parse_args()


def main() -> None:
    """Records or runs."""
    given = arguments()
    record(given) if given.command == "record" else run(given)


if __name__ == "__main__":
    main()
