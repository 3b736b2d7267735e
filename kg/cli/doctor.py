"""`kg doctor`: is everything in order, and does the graph say what its documents say?"""

from __future__ import annotations

import platform
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from kg.cli.command import Command, add_format
from kg.cli.output import count, print_list
from kg.cli.stores import matching, open_for_reading, reviser
from kg.errors import KgError, StoreMissing

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

FAULT = 1
_PACKAGES = ("pyoxigraph", "rdflib", "pyshacl", "onnxruntime")
_EXAMPLES = 3


class _Finding(NamedTuple):
    """One line of the report; `state` is ``ok``, ``note`` or ``fault``."""

    check: str
    state: str
    detail: str


def _run(arguments: Namespace, settings: Settings) -> int:
    findings = [*_installation(settings), *_store(settings)]
    print_list([each._asdict() for each in findings], _Finding._fields, arguments.format)
    return FAULT if any(each.state == "fault" for each in findings) else 0


def _installation(settings: Settings) -> Iterator[_Finding]:
    yield _Finding("versions", "ok", f"kg {version('kg')}, Python {platform.python_version()}, {_packages()}")
    yield _checked("ontology", lambda: _ontology(settings))
    yield _checked("shapes", lambda: _shapes(settings))
    yield _checked("extractors", lambda: _extractors(settings))
    yield _checked("index", lambda: _index(settings))
    yield _checked("queries", lambda: _queries(settings))


def _packages() -> str:
    return ", ".join(f"{name} {version(name)}" for name in _PACKAGES)


def _checked(check: str, look: Callable[[], str]) -> _Finding:
    try:
        return _Finding(check, "ok", look())
    except KgError as error:
        return _Finding(check, "fault", str(error))


def _ontology(settings: Settings) -> str:
    from kg.rdf.ontology import load_ontology

    ontology = load_ontology(settings)
    return f"{count(len(ontology.classes), 'class', 'classes')}, {count(len(ontology.predicates), 'predicate')}"


def _shapes(settings: Settings) -> str:
    from kg.validate import load_shapes

    shapes = load_shapes(settings)
    return f"they parse; engine: {'shacl' if shapes.compiled is not None else 'pyshacl'}"


def _extractors(settings: Settings) -> str:
    from kg.extract import Pipeline

    return ", ".join(f"{each.name} {each.version}" for each in Pipeline(settings).extractors) or "none is set"


def _index(settings: Settings) -> str:
    from kg.wikidata.linking import load_linker

    return load_linker(settings.wikidata_index).name


def _queries(settings: Settings) -> str:
    from kg.query.library import load_queries

    return count(len(load_queries(settings)), "query", "queries")


# -- the store -----------------------------------------------------------------------------------------------------


def _store(settings: Settings) -> Iterator[_Finding]:
    try:
        with open_for_reading(settings) as store:
            yield _Finding("store", "ok", f"{store.path}: {count(len(store.ledger.ids()), 'document')}, base {store.namespace.base}")
            yield _checked("ledger", lambda: _ledger(store))
            yield from _graph(store, settings)
    except StoreMissing as error:
        yield _Finding("store", "note", str(error))
    except KgError as error:
        yield _Finding("store", "fault", str(error))


def _ledger(store: Store) -> str:
    import sqlite3

    from kg.errors import StoreError

    try:
        with closing(sqlite3.connect(f"{(store.path / 'ledger.sqlite').resolve().as_uri()}?mode=ro", uri=True)) as connection:
            words = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        words = [str(error)]
    if words != ["ok"]:
        raise StoreError(f"damaged: {words[0]}", hint="restore a backup, or build the documents into a new store")
    waiting = len(store.ledger.journal())
    return f"whole; {count(waiting, 'change')} of an interrupted run will be taken up by the next build" if waiting else "whole"


def _graph(store: Store, settings: Settings) -> Iterator[_Finding]:
    """Compares what the graph holds with what ledger and decisions say."""
    derived = reviser(store, matching(settings, store)).derive_all()
    missing, ours, others = 0, [], 0
    present = 0
    documents = {store.namespace.document(each) for each in store.ledger.ids()}
    for quad in store.graph:
        if quad in derived:
            present += 1
        elif getattr(quad.graph_name, "value", "") in documents:
            ours.append(quad)
        else:
            others += 1
    missing = len(derived) - present
    if missing or ours:
        detail = f"{missing:,} triples of its documents are missing, {len(ours):,} are in their graphs that they don't say{_examples(ours)}"
        yield _Finding("graph", "fault", f"{detail}; `kg build --rederive` restores it")
    else:
        yield _Finding("graph", "ok", f"the {present:,} triples that its documents say")
    if others:
        yield _Finding("user data", "note", f"{others:,} more triples, which no document says")


def _examples(quads: list[ox.Quad]) -> str:
    shown = "; ".join(sorted(str(quad.triple) for quad in quads)[:_EXAMPLES])
    return f" ({shown})" if shown else ""


COMMANDS = (Command("doctor", "checks that everything is in order", _run, ("kg doctor",), add_format),)
