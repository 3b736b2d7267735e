"""Opens the store that the settings name, and finds in it what arguments name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.output import print_notice
from kg.errors import NotFound, UsageError

if TYPE_CHECKING:
    from kg.revise import Reviser
    from kg.settings import Settings
    from kg.store import Store

_PAUSE = 0.1

__all__ = [
    "check_store",
    "entity_id",
    "folder",
    "is_on_server",
    "is_there",
    "matching",
    "open_for_reading",
    "open_for_writing",
    "require_document",
    "reviser",
]


def check_store(settings: Settings) -> None:
    """Raises StoreMissing or StoreVersionError, and opens nothing."""
    from kg import store

    store.check_store(folder(settings))


def open_for_reading(settings: Settings) -> Store:
    """The store as it is now; several processes may read while one writes."""
    from kg.store import open_store

    return open_store(_place(settings), read_only=True, settings=settings)


def open_for_writing(settings: Settings, *, create: bool = False) -> Store:
    """The store with the writer's lock.

    While another process writes it waits and says for whom; raises StoreLocked after the setting `lock_seconds`.
    """
    from kg.errors import StoreLocked
    from kg.store import open_store

    began, told = time.monotonic(), False
    while True:
        try:
            return open_store(_place(settings), base=settings.base if create else None, create=create, settings=settings)
        except StoreLocked as error:
            if time.monotonic() - began >= settings.lock_seconds:
                raise
            if not told:
                told = True
                print_notice(f"{error.message}; waiting for it")
            time.sleep(_PAUSE)


def _place(settings: Settings) -> str:
    place = str(settings.store)
    if not place:
        raise UsageError("--store is empty", hint="name a folder or a URL, or leave it out")
    return place


def folder(settings: Settings) -> Path:
    """The store's folder; for the URL of a server that of the ledger."""
    from kg.graph.server import checked_url, is_url, ledger_folder

    place = _place(settings)
    return ledger_folder(checked_url(place), settings) if is_url(place) else Path(place)


def is_there(settings: Settings) -> bool:
    """Whether there is a store to add to; a server's graph always is."""
    return is_on_server(settings) or (folder(settings) / "store.json").is_file()


def is_on_server(settings: Settings) -> bool:
    """Whether the store is named by the URL of a server that holds its graph."""
    from kg.graph.server import is_url

    return is_url(_place(settings))


def matching(settings: Settings, store: Store) -> Settings:
    """The settings with the base IRI of the store, which is fixed."""
    return settings.replace(base=store.namespace.base)


def reviser(store: Store, settings: Settings) -> Reviser:
    """What changes the store, and derives the graph from what its documents say."""
    from kg.rdf.ontology import load_ontology
    from kg.revise import Reviser

    return Reviser(store, single_valued=load_ontology(matching(settings, store)).single_valued)


def require_document(store: Store, document_id: str) -> str:
    """The id, where the store has this document; else NotFound with near ones."""
    if store.ledger.state(document_id) is None:
        raise NotFound.among("document", document_id, store.ledger.ids())
    return document_id


def entity_id(store: Store, text: str) -> str:
    """Id of the one entity that an IRI, id or name means; raises NotFound or UsageError."""
    from kg.query.parameters import find_entity

    node = find_entity(store, text)
    return store.namespace.entity_id(node.value) or node.value
