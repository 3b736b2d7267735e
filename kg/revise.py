"""The one step by which a store changes: what was derived before and after, and the difference of the two.

Adding, replacing and retracting a document and taking a decision by hand are all this step, so what a document
brought goes with it exactly, and the graph is at any time a pure function of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pyoxigraph as ox

from kg.fuse import Identity, fuse_facts, fuse_profile
from kg.ledger import Row
from kg.model import Correction, Document, Literal, Profile, Resolution, Statement, content_hash, fact_id
from kg.store import Store
from kg.validate import Verdict

__all__ = ["Reviser", "refused_as_data", "source_key"]


def source_key(document: Document) -> str:
    """Equal for documents whose texts differ in nothing but case and white space: they are one source."""
    text = document.body
    return content_hash(" ".join(text.content[text.metadata_end :].casefold().split()))


@dataclass(slots=True)
class _Touched:
    """What a change can alter: entities and facts of the fused view, by their ends."""

    entities: set[str] = field(default_factory=set)
    facts: set[tuple[str, str, str | Literal]] = field(default_factory=set)


def refused_as_data(verdict: Verdict) -> list[dict[str, Any]]:
    """What was refused and why, as plain data for the quarantine."""
    return [
        {
            "statement": asdict(refusal.statement) if refusal.statement else None,
            "entity": refusal.entity.id if refusal.entity else None,
            "violations": [asdict(violation) for violation in refusal.violations],
        }
        for refusal in verdict.refused
    ]


class Reviser:
    """Changes one store. `single_valued` are the predicates for which two values are a conflict."""

    def __init__(self, store: Store, *, single_valued: frozenset[str]) -> None:
        self.store = store
        self.ledger = store.ledger
        self.single_valued = single_valued
        self.identity = Identity(self.ledger.corrections())
        if not store.read_only:
            self._adopt(single_valued)

    def _adopt(self, single_valued: frozenset[str]) -> None:
        """Marks conflicts anew where the graph was derived with other single-valued predicates."""
        former = self.ledger.single_valued()
        if former == single_valued:
            return

        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            self.single_valued = former
            before = self.derive_all()
            self.single_valued = single_valued
            after = self.derive_all()
            self.ledger.set_single_valued(single_valued)
            return before - after, after - before

        self.store.take(difference)

    # -- changes -----------------------------------------------------------------------------------------------

    def put(self, document: Document, verdict: Verdict, *, fingerprint: str) -> None:
        """Takes a document in, in place of its former version."""
        resolution = verdict.accepted

        def change() -> None:
            self.ledger.remove(document.id)
            self.ledger.put(document, resolution, fingerprint=fingerprint, source=source_key(document), refused=refused_as_data(verdict))

        former = self.ledger.row(document.id)
        self._revise(self._touched_by(document.id, former, resolution), change, document_id=document.id)

    def relink(self, document_id: str, resolution: Resolution, *, fingerprint: str) -> None:
        """Records the links of a document's entities anew; entities and statements stay what they are."""
        former = self.ledger.row(document_id)
        self._revise(
            self._touched_by(document_id, former, None),
            lambda: self.ledger.relink(document_id, resolution, fingerprint=fingerprint),
            document_id=document_id,
        )

    def retract(self, document_id: str) -> None:
        """Takes a document out: nothing stays that only it said."""
        former = self.ledger.row(document_id)
        self._revise(self._touched_by(document_id, former, None), lambda: self.ledger.remove(document_id), document_id=document_id)

    def correct(self, correction: Correction) -> None:
        """Takes a decision by hand."""
        touched = _Touched()
        after = Identity([*self.ledger.corrections(), correction])
        raw = {"reject": set[str](), "merge": set(correction.arguments)}.get(correction.kind, set(correction.arguments[:1]))
        views = (self.identity, after)
        raw |= {member for view in views for each in raw for fused in self._fused(view, each) for member in view.members(fused)}
        for view in (self.identity, after):
            for document, entity in self.ledger.entities(raw):
                touched.entities.add(view.of(entity.id, document))
            for each in raw:
                facts = [fact_id(*ends) for ends in self.ledger.facts_of(each)]
                touched.facts |= {view.mapped(statement) for statement in self.ledger.statements(facts)}
                touched.entities |= {e for ends in touched.facts for e in (ends[0], ends[2]) if isinstance(e, str)}
        if correction.kind == "reject":
            fact = correction.arguments[0]
            touched.facts |= {self.identity.mapped(statement) for statement in self.ledger.statements([fact])}
            touched.facts |= set(self._ends_of_fact(fact))

        def change() -> None:
            self.ledger.correct(correction)
            self.identity = after

        try:
            self._revise(touched, change)
        except BaseException:
            self.identity = Identity(self.ledger.corrections())
            raise

    @staticmethod
    def _fused(view: Identity, entity: str) -> set[str]:
        """What an entity, or one that a split made of it (``A@document``), is in the fused view."""
        return {view.of(entity, ""), view.root(entity)}

    def _ends_of_fact(self, fact: str) -> Iterator[tuple[str, str, str | Literal]]:
        node = ox.NamedNode(self.store.namespace.fact(fact))
        term = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        subjects = [q.object for q in self.store.graph.quads_for_pattern(node, ox.NamedNode(f"{term}subject"), None, ox.DefaultGraph())]
        for subject in subjects:
            if isinstance(subject, ox.NamedNode):
                key = self.store.namespace.entity_id(subject.value) or ""
                for member in self.identity.members(key):
                    facts = [fact_id(*ends) for ends in self.ledger.facts_of(member)]
                    for statement in self.ledger.statements(facts):
                        mapped = self.identity.mapped(statement)
                        if fact_id(*mapped) == fact:
                            yield mapped

    # -- the step ----------------------------------------------------------------------------------------------

    def _touched_by(self, document_id: str, former: Row | None, resolution: Resolution | None) -> _Touched:
        touched = _Touched()
        for version in (former.resolution if former else None, resolution):
            if version is not None:
                touched.entities |= {self.identity.of(entity.id, document_id) for entity in version.entities}
                touched.facts |= {self.identity.mapped(statement) for statement in version.statements}
        return touched

    def _revise(self, touched: _Touched, change: Callable[[], None], *, document_id: str | None = None) -> None:
        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            before = set(self._derive(touched, document_id))
            change()
            after = set(self._derive(touched, document_id))
            return before - after, after - before

        self.store.take(difference)

    def _derive(self, touched: _Touched, document_id: str | None) -> Iterator[ox.Quad]:
        writer = self.store.writer
        row = self.ledger.row(document_id) if document_id is not None else None
        if row is not None:
            document = row.document
            yield from writer.document_graph(document, row.resolution)
            yield from writer.metadata(document)
        for correction in self.ledger.corrections():
            yield from writer.correction(correction)
        for fused in touched.entities:
            known = [(d, e) for d, e in self.ledger.entities(self.identity.members(fused)) if self.identity.of(e.id, d) == fused]
            if known:
                yield from writer.profile(fuse_profile(fused, known, self.identity))
        for fact in fuse_facts(
            self._statements(touched.facts), self.identity, single_valued=self.single_valued, sources=self._count_sources
        ):
            yield from writer.fact(fact)

    def _count_sources(self, documents: Iterable[str]) -> int:
        return len(self.ledger.source_keys(documents))

    def _statements(self, facts: set[tuple[str, str, str | Literal]]) -> list[Statement]:
        """Statements of these facts, and of the rivals of those that are single-valued."""
        plain, groups = set(), set()
        for subject, predicate, value in facts:
            if predicate in self.single_valued:
                groups.add((subject, predicate))
                continue
            values = [value] if isinstance(value, Literal) else sorted(self.identity.members(value))
            plain |= {fact_id(each, predicate, end) for each in self.identity.members(subject) for end in values}
        found = {(s.document_id, s.fact): s for s in self.ledger.statements(plain) if self.identity.mapped(s) in facts}
        for subject, predicate in groups:
            for s in self.ledger.statements_about(self.identity.members(subject), predicate):
                if self.identity.of(s.subject, s.document_id) == subject:
                    found[s.document_id, s.fact] = s
        return [found[key] for key in sorted(found)]

    def profiles(self) -> Iterator[Profile]:
        """Every entity of the fused view, sorted by id."""
        fused = {self.identity.of(each, d) for each in self.ledger.entity_ids() for d, _ in self.ledger.entities([each])}
        for each in sorted(fused):
            known = [(d, e) for d, e in self.ledger.entities(self.identity.members(each)) if self.identity.of(e.id, d) == each]
            if known:
                yield fuse_profile(each, known, self.identity)

    # -- the whole ---------------------------------------------------------------------------------------------

    def derive_all(self) -> set[ox.Quad]:
        """Everything that documents, index and corrections say: what the graph holds, hand-written triples aside."""
        quads: set[ox.Quad] = set()
        everything = _Touched()
        for document_id in self.ledger.ids():
            row = self.ledger.row(document_id)
            if row is None:
                continue
            document, resolution = row.document, row.resolution
            quads.update(self.store.writer.document_graph(document, resolution))
            quads.update(self.store.writer.metadata(document))
            everything.entities |= {self.identity.of(entity.id, document_id) for entity in resolution.entities}
            everything.facts |= {self.identity.mapped(statement) for statement in resolution.statements}
        quads.update(self._derive(everything, None))
        return quads

    def rederive(self) -> tuple[int, int]:
        """Makes the graph say what the ledger says; hand-written triples outside are kept. Counts removed and added.

        What lies in graphs and nodes that are ours but is not derived is removed only in documents' graphs.
        """

        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            wanted, present = self.derive_all(), set(self.store.graph)
            documents = {ox.NamedNode(self.store.namespace.document(each)) for each in self.ledger.ids()}
            return {quad for quad in present - wanted if quad.graph_name in documents}, wanted - present

        return self.store.take(difference)
