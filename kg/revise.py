"""The one step by which a store changes: what was derived before and after, and the difference of the two.

Adding, replacing and retracting a document and taking a decision by hand are all this step, so what a document
brought goes with it exactly, and the graph is at any time a pure function of the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyoxigraph as ox

from kg.duplicates import Signature, sign
from kg.fuse import Identity, fuse_facts, fuse_forms, fuse_profile
from kg.model import Correction, Document, Entity, Literal, Profile, Resolution, Statement, Testimony, fact_id
from kg.store import Store
from kg.validate import Verdict

__all__ = ["Reviser", "refused_as_data"]


@dataclass(frozen=True, slots=True)
class _Version:
    """One document as it is before or after a step."""

    document: Document
    resolution: Resolution


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
        """Derives all anew where that was done with other single-valued predicates, or by other signatures of texts."""
        former = self.ledger.single_valued()
        duplicates = self.store.duplicates
        if former == single_valued and duplicates.is_current():
            return

        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            self.single_valued = former
            before = self.derive_all()
            self.single_valued = single_valued
            if not duplicates.is_current():
                duplicates.rebuild(row.document for row in map(self.ledger.row, self.ledger.ids()) if row)
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
            self.ledger.put(document, resolution, fingerprint=fingerprint, refused=refused_as_data(verdict))

        self._replace(document.id, self._version(document.id), _Version(document, resolution), change)

    def relink(self, document_id: str, resolution: Resolution, *, fingerprint: str) -> None:
        """Records the links of a document's entities anew; entities and statements stay what they are."""
        former = self._version(document_id)
        if former is None:
            return
        touched = _Touched({self.identity.of(entity.id, document_id) for entity in former.resolution.entities})
        self._revise(
            touched,
            lambda: self.ledger.relink(document_id, resolution, fingerprint=fingerprint),
            before=former,
            after=_Version(former.document, resolution),
        )

    def retract(self, document_id: str) -> None:
        """Takes a document out: nothing stays that only it said."""
        former = self._version(document_id)
        if former is not None:
            self._replace(document_id, former, None, lambda: self.ledger.remove(document_id))

    def _replace(self, document_id: str, former: _Version | None, latter: _Version | None, change: Callable[[], None]) -> None:
        """One version of a document in place of another, or of none."""
        duplicates = self.store.duplicates
        signature: Signature | None = sign(latter.document) if latter else None
        regrouping = duplicates.regroup(document_id, signature)
        touched = _Touched()
        for version in (former, latter):
            if version is not None:
                touched.entities |= {self.identity.of(entity.id, document_id) for entity in version.resolution.entities}
                touched.facts |= {self.identity.mapped(statement) for statement in version.resolution.statements}
        touched.facts |= {self.identity.mapped(each) for each in self.ledger.testimonies_in(regrouping.parted)}

        def change_both() -> None:
            change()
            duplicates.change(document_id, signature, regrouping)

        self._revise(touched, change_both, before=former, after=latter)

    def _version(self, document_id: str) -> _Version | None:
        row = self.ledger.row(document_id)
        return _Version(row.document, row.resolution) if row else None

    def correct(self, *corrections: Correction) -> None:
        """Takes decisions, all or none of them."""
        touched = _Touched()
        after = Identity([*self.ledger.corrections(), *corrections])
        for correction in corrections:
            self._touch(touched, correction, after)

        def change() -> None:
            for correction in corrections:
                self.ledger.correct(correction)
            self.identity = after

        try:
            self._revise_all(touched, change)
        except BaseException:
            self.identity = Identity(self.ledger.corrections())
            raise

    def _touch(self, touched: _Touched, correction: Correction, after: Identity) -> None:
        """What a decision can alter, seen without and with it."""
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

    def _revise(self, touched: _Touched, change: Callable[[], None], *, before: _Version | None, after: _Version | None) -> None:
        """A step that changes what one document says: of what is touched, only what it says and what is counted is derived."""

        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            lost = set(self._derive_part(touched, before))
            change()
            gained = set(self._derive_part(touched, after))
            return lost - gained, gained - lost

        self.store.take(difference)

    def _revise_all(self, touched: _Touched, change: Callable[[], None]) -> None:
        """A step that changes how documents are read: all that they say of what is touched is derived."""

        def difference() -> tuple[set[ox.Quad], set[ox.Quad]]:
            lost = set(self._derive(touched))
            change()
            gained = set(self._derive(touched))
            return lost - gained, gained - lost

        self.store.take(difference)

    def _derive_part(self, touched: _Touched, version: _Version | None) -> Iterator[ox.Quad]:
        """What `_derive` gives of these entities and facts, less what depends on other documents than this one alone."""
        writer = self.store.writer
        own, named = dict[tuple[str, str], Statement](), set[str]()
        if version is not None:
            document, resolution = version.document, version.resolution
            yield from writer.document_graph(document, resolution)
            yield from writer.metadata(document)
            own = {(document.id, statement.fact): statement for statement in resolution.statements}
            named = {self.identity.of(entity.id, document.id) for entity in resolution.entities}
        for fused in touched.entities:
            forms = self._forms(fused)
            if forms:
                yield from writer.profile(
                    fuse_forms(fused, forms, [version.document.id] if version and fused in named else (), self.identity)
                )
        said = [own.get((each.document_id, each.fact), each) for each in self._testimonies(touched.facts)]
        for fact in fuse_facts(said, self.identity, single_valued=self.single_valued, sources=self.store.duplicates.count):
            yield from writer.fact(fact)

    def _forms(self, fused: str) -> Mapping[Entity, int]:
        """Forms in which documents know a fused entity."""
        members = self.identity.members(fused)
        return self.ledger.forms(members) if self.identity.is_whole(fused) else Counter(entity for _, entity in self._known(fused))

    def _known(self, fused: str) -> list[tuple[str, Entity]]:
        """Documents that know a fused entity, and what they know of it."""
        return [(d, e) for d, e in self.ledger.entities(self.identity.members(fused)) if self.identity.of(e.id, d) == fused]

    def _derive(self, touched: _Touched) -> Iterator[ox.Quad]:
        """Everything in the fused view about entities and facts, and the corrections."""
        writer = self.store.writer
        for correction in self.ledger.corrections():
            yield from writer.correction(correction)
        for fused in touched.entities:
            if known := self._known(fused):
                yield from writer.profile(fuse_profile(fused, known, self.identity))
        testimonies = self._testimonies(touched.facts)
        whole = {(s.document_id, s.fact): s for s in self.ledger.statements(each.fact for each in testimonies)}
        said = [whole[each.document_id, each.fact] for each in testimonies]
        for fact in fuse_facts(said, self.identity, single_valued=self.single_valued, sources=self.store.duplicates.count):
            yield from writer.fact(fact)

    def _testimonies(self, facts: set[tuple[str, str, str | Literal]]) -> list[Testimony]:
        """Testimonies of these facts, and of the rivals of those that are single-valued."""
        plain, groups = set(), set()
        for subject, predicate, value in facts:
            if predicate in self.single_valued:
                groups.add((subject, predicate))
                continue
            values = [value] if isinstance(value, Literal) else sorted(self.identity.members(value))
            plain |= {fact_id(each, predicate, end) for each in self.identity.members(subject) for end in values}
        found = {(each.document_id, each.fact): each for each in self.ledger.testimonies(plain) if self.identity.mapped(each) in facts}
        for subject, predicate in groups:
            for each in self.ledger.testimonies_about(self.identity.members(subject), predicate):
                if self.identity.of(each.subject, each.document_id) == subject:
                    found[each.document_id, each.fact] = each
        return [found[key] for key in sorted(found)]

    def profiles(self) -> Iterator[Profile]:
        """Every entity of the fused view, sorted by id."""
        fused = {self.identity.of(each, d) for each in self.ledger.entity_ids() for d, _ in self.ledger.entities([each])}
        for each in sorted(fused):
            if known := self._known(each):
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
        quads.update(self._derive(everything))
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
