"""What the app holds: where its store comes from, the settings and the ontology."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask import current_app, g

from kg.rdf.ontology import Ontology
from kg.settings import Settings
from kg.store import Store
from kg.update.writing import Writing

__all__ = ["NOTE", "State", "StoreSource", "WritingSource", "current", "state_tag", "store"]

NOTE = "kg.note"
"""Name in the WSGI environment of what is noted of a request: a dictionary, to which routes add. ``repeatable`` says that equal bytes
of a request would get the same answer as long as the store's state is the same."""

StoreSource = Callable[[], Store]
"""Gives the store in its newest state."""

WritingSource = Callable[[], AbstractContextManager[Store]]
"""Gives the store open for writing, for the length of a block and to one caller at a time."""


@dataclass(frozen=True, slots=True)
class State:
    """One app's own; kept in ``app.extensions``, so that two apps in a process share nothing. Without `writing` it takes no changes."""

    source: StoreSource
    settings: Settings
    ontology: Ontology
    changes: Writing
    writing: WritingSource | None = None


def current() -> State:
    """The state of the app that answers this request."""
    state: State = current_app.extensions["kg"]
    return state


def store() -> Store:
    """The store of this request: the same one from its beginning to its end."""
    if "store" not in g:
        g.store = current().source()
    found: Store = g.store
    return found


def state_tag(store: Store) -> str:
    """Names the state of the store that answers are tagged by: another word after every change; empty where nobody can tell."""
    return store.state
