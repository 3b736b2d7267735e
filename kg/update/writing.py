"""The doors of a change: SPARQL Update and the graph store's operations, each guarded by the shapes and taken in one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

import pyoxigraph as ox

from kg.errors import InvalidSetting, RejectedByShapes
from kg.model import Violation
from kg.rdf.write import as_nquads
from kg.settings import Settings
from kg.store import Store
from kg.update.content import IN_MEMORY, Part, parsed, stream
from kg.update.guard import Guard, Node
from kg.update.load import fetcher
from kg.update.pending import GraphName, Pending, is_known
from kg.update.sparql import Using, run_update

__all__ = ["Outcome", "Writing", "Written"]

_PART = 20_000
"""Quads of one part of a larger change."""

_SETTLED = 1000
"""Differences after which the graph's files are brought up to date, so that the journal stays short."""

_ROUNDS = 10
_GUARDS = ("refuse", "quarantine", "off")
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written: quads removed and added, and the violations for which a part was held back."""

    removed: int = 0
    added: int = 0
    held: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a graph of the graph store; `created` where a named one held nothing before and does now."""

    outcome: Outcome
    created: bool


class Writing:
    """Writes what users send. One for each store that is written; keeps the shapes between changes."""

    def __init__(self, settings: Settings) -> None:
        if settings.guard not in _GUARDS:
            raise InvalidSetting(f"guard is {', '.join(_GUARDS)}, not {settings.guard!r}", hint="set KG_GUARD to one of them")
        self._settings = settings
        self._guards: dict[str, Guard] = {}

    def _guard(self, store: Store) -> Guard:
        base = store.namespace.base
        if base not in self._guards:
            self._guards[base] = Guard(self._settings, store.namespace)
        return self._guards[base]

    # -- doors -------------------------------------------------------------------------------------------------

    def update(self, store: Store, text: str, *, using: Using | None = None) -> Outcome:
        """Runs a SPARQL Update request: all of it or nothing. Raises what `run_update` raises, and RejectedByShapes."""
        return self._take(store, run_update(store, text, using=using, fetch=fetcher(self._settings)))

    def put(self, store: Store, name: GraphName | None, parts: Sequence[Part], *, base: str) -> Written:
        """Makes a graph, or with None the whole dataset, hold what was sent and nothing else (Graph Store Protocol, section 5.3)."""
        return self._send(store, name, parts, base, replace=True)

    def post(self, store: Store, name: GraphName | None, parts: Sequence[Part], *, base: str) -> Written:
        """Adds what was sent to a graph, or with None to the graphs that it names (Graph Store Protocol, section 5.5)."""
        return self._send(store, name, parts, base, replace=False)

    def delete(self, store: Store, name: GraphName) -> Outcome:
        """Takes a graph out (Graph Store Protocol, section 5.4)."""
        pending = Pending(store)
        pending.change(store.engine.quads_for_pattern(None, None, None, name), ())
        return self._take(store, pending)

    # -- steps -------------------------------------------------------------------------------------------------

    def _send(self, store: Store, name: GraphName | None, parts: Sequence[Part], base: str, *, replace: bool) -> Written:
        graph, size = store.engine, sum(part.size for part in parts)
        if size > IN_MEMORY and name is not None and not is_known(graph, name) and self._is_foreign(store, name, parts, base):
            return Written(self._stream(store, name, parts, base), isinstance(name, ox.NamedNode))
        with parsed(parts, base=base, target=name, folder=store.path, in_memory=IN_MEMORY) as content:
            new = isinstance(name, ox.NamedNode) and not is_known(graph, name)
            if size > IN_MEMORY:
                outcome = self._take_parts(store, name, content, replace=replace)
                return Written(outcome, new and outcome.added > 0)
            pending = Pending(store)
            former = graph.quads_for_pattern(None, None, None, name) if replace else ()
            pending.change((quad for quad in former if quad not in content), content)
            outcome = self._take(store, pending)
            return Written(outcome, new and outcome.added > 0)

    def _take(self, store: Store, pending: Pending) -> Outcome:
        held: tuple[Violation, ...] = ()
        withheld = Pending(store)
        if pending and self._settings.guard != "off":
            held = self._guard(store).violations(pending)
            if held and self._settings.guard == "refuse":
                raise _rejected(held)
            held = self._withhold(store, pending, withheld, held)
        if not pending and not held:
            return Outcome()

        def difference() -> Iterator[tuple[set[ox.Quad], set[ox.Quad]]]:
            if held:
                store.ledger.hold(as_nquads(withheld.removed), as_nquads(withheld.added), [asdict(each) for each in held])
            yield from ((part, set()) for part in _batched(pending.removed))
            yield from ((set(), part) for part in _batched(pending.added))

        if len(pending.removed) + len(pending.added) > _PART:
            counts = store.take_parts(difference)
        else:
            counts = store.take(lambda: _joined(difference()))
        _settle(store)
        return Outcome(*counts, held)

    def _withhold(self, store: Store, pending: Pending, withheld: Pending, found: tuple[Violation, ...]) -> tuple[Violation, ...]:
        """Moves what the change says of nodes that break a shape out of it, until the rest breaks none. Gives all violations."""
        every = dict.fromkeys(found)
        for _ in range(_ROUNDS):
            if not found:
                return tuple(every)
            broken = {violation.focus for violation in found}
            for source, target in ((pending.removed, withheld.removed), (pending.added, withheld.added)):
                parts = {quad for quad in source if _name(quad.subject) in broken}
                source -= parts
                target |= parts
            found = self._guard(store).violations(pending)
            every.update(dict.fromkeys(found))
        raise _rejected(tuple(every))

    def _take_parts(self, store: Store, name: GraphName | None, content: ox.Store, *, replace: bool) -> Outcome:
        """A change that is too large for memory: in parts, which are judged first, noted in one transaction, then applied."""
        if self._settings.guard != "off":
            found = self._judged(store, name, content, replace=replace)
            if found:
                raise _rejected(found)
        graph = store.graph

        def parts() -> Iterator[tuple[set[ox.Quad], set[ox.Quad]]]:
            if replace:
                yield from (
                    (part, set()) for part in _batched(q for q in graph.quads_for_pattern(None, None, None, name) if q not in content)
                )
            yield from ((set(), part) for part in _batched(quad for quad in content if quad not in graph))

        counts = store.take_parts(parts)
        store.checkpoint()
        return Outcome(*counts)

    def _is_foreign(self, store: Store, name: GraphName, parts: Sequence[Part], base: str) -> bool:
        """Whether the guard has nothing to look at. Reads everything once, so what doesn't parse is found before anything is written."""
        guard = None if self._settings.guard == "off" else self._guard(store)
        typed = False
        for part in parts:
            for quad in stream(part, base=base, target=name):
                typed = typed or (guard is not None and quad.predicate == _TYPE and guard.is_ours(quad.object))
        return not typed

    def _stream(self, store: Store, name: GraphName, parts: Sequence[Part], base: str) -> Outcome:
        """What fills a graph that holds nothing: it need not be compared with anything, so it is never held as a whole."""

        def added() -> Iterator[tuple[set[ox.Quad], set[ox.Quad]]]:
            for part in parts:
                for batch in _batched(stream(part, base=base, target=name)):
                    yield set(), batch

        counts = store.take_parts(added)
        store.checkpoint()
        return Outcome(*counts)

    def _judged(self, store: Store, name: GraphName | None, content: ox.Store, *, replace: bool) -> tuple[Violation, ...]:
        """What a large change breaks: the nodes are those of our classes in it, and in what it replaces."""
        guard, found = self._guard(store), set()
        names: Iterable[GraphName] = (name,) if name is not None else (ox.DefaultGraph(), *content.named_graphs())
        for each in names:
            sources = (content, store.graph) if replace else (content,)
            typed = chain.from_iterable(source.quads_for_pattern(None, _TYPE, None, each) for source in sources)
            ours: set[Node] = {quad.subject for quad in typed if guard.is_ours(quad.object)}  # type: ignore[misc]

            def before(s: object, p: object, o: object, each: GraphName = each) -> Iterator[ox.Quad]:
                yield from store.graph.quads_for_pattern(s, p, o, each)  # type: ignore[arg-type]

            def after(s: object, p: object, o: object, each: GraphName = each) -> Iterator[ox.Quad]:
                yield from content.quads_for_pattern(s, p, o, each)  # type: ignore[arg-type]
                if not replace:
                    yield from (q for q in store.graph.quads_for_pattern(s, p, o, each) if q not in content)  # type: ignore[arg-type]

            found |= guard.judge(ours, before, after, whole=False)
        return tuple(sorted(found, key=lambda violation: (violation.focus, violation.shape)))


def _settle(store: Store) -> None:
    if store.ledger.unapplied() >= _SETTLED:
        store.checkpoint()


def _rejected(violations: tuple[Violation, ...]) -> RejectedByShapes:
    first = violations[0]
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    return RejectedByShapes(
        f"breaks a shape: {first.message} ({first.focus}{more})", hint="mend what is sent; nothing was written", violations=violations
    )


def _name(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else "_:blank"


def _joined(parts: Iterable[tuple[set[ox.Quad], set[ox.Quad]]]) -> tuple[set[ox.Quad], set[ox.Quad]]:
    removed: set[ox.Quad] = set()
    added: set[ox.Quad] = set()
    for lost, gained in parts:
        removed |= lost
        added |= gained
    return removed, added


def _batched(quads: Iterable[ox.Quad]) -> Iterator[set[ox.Quad]]:
    part: set[ox.Quad] = set()
    for quad in quads:
        part.add(quad)
        if len(part) >= _PART:
            yield part
            part = set()
    if part:
        yield part
