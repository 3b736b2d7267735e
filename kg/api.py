"""The library's own door: builds from paths, and a store that can be asked. `import kg` offers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg import store as store_on_disk
from kg.build import build as build_documents
from kg.model import BuildReport
from kg.query.results import Results
from kg.query.run import run_query
from kg.read import read_paths
from kg.settings import Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask

    from kg.query.search import Hit

__all__ = ["Store", "build", "create_app", "open_store"]


class Store(store_on_disk.Store):
    """A store on disk that can be asked; `kg.open_store` opens one."""

    def query(self, sparql: str, *, settings: Settings | None = None) -> Results:
        """The answer of a SPARQL query: rows of terms, a yes or no, or a graph.

        Raises QuerySyntaxError with line and column, UsageError for an update.
        """
        return run_query(self, sparql, settings=settings or load_settings())

    def search(self, text: str, **options: Any) -> list[Hit]:
        """The best entities, sentences and documents for a text; the options are those of `kg.query.search.search`."""
        from kg.query.search import search

        return search(self, text, **options)

    def facts(self, **options: Any) -> Iterator[dict[str, Any]]:
        """The facts, one row a fact and document, with the sentence; the options are those of `kg.query.facts.facts`."""
        from kg.query.facts import facts

        return iter(facts(self, **options))


def open_store(
    path: str | Path,
    *,
    base: str | None = None,
    create: bool = False,
    read_only: bool = False,
    settings: Settings | None = None,
) -> Store:
    """Opens the store in a folder, or with `create` makes one, whose base IRI is `base`; `path` may be the URL of a SPARQL server.

    Raises StoreMissing where there is none, StoreVersionError for another format or base, StoreLocked while another process writes,
    ServerError where the server can't be reached.
    """
    return Store.open(path, base=base, create=create, read_only=read_only, settings=settings)


def build(
    paths: str | Path | Sequence[str | Path],
    *,
    store: store_on_disk.Store | str | Path = "kg-store",
    settings: Settings | None = None,
    id: str | None = None,
) -> BuildReport:
    """Reads files, folders and patterns into a store (made where there is none) and says what was done.

    A document that can't be read ends nothing: it is a Problem of the report. Raises NotFound for a path that isn't there.
    """
    chosen = settings or load_settings()
    given = [paths] if isinstance(paths, str | Path) else paths
    reading = read_paths([str(path) for path in given], chosen, id=id)
    opened: AbstractContextManager[store_on_disk.Store]
    opened = (
        nullcontext(store) if isinstance(store, store_on_disk.Store) else open_store(store, base=chosen.base, create=True, settings=chosen)
    )
    with opened as target:
        report = build_documents(reading, target, chosen)
    return replace(report, ignored_files=reading.ignored, left_out=reading.left_out)


def create_app(store: store_on_disk.Store, settings: Settings | None = None) -> Flask:
    """The service over a store, as a WSGI app."""
    from kg import service

    return service.create_app(store, settings or load_settings())
