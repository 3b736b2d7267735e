"""The one registry: readers, extractors, linkers and exporters, all found through entry points, loaded when used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

from kg.errors import NotFound, UsageError
from kg.model import Document, Extraction, Problem, Source
from kg.settings import Settings

__all__ = ["FAMILIES", "Extractor", "Plugin", "Reader", "list_plugins", "load_plugin"]

FAMILIES = ("readers", "extractors", "exporters")
"""Families of plug-ins; the entry point group of each is ``kg.<family>``."""


@runtime_checkable
class Reader(Protocol):
    """Makes documents of bytes. `suffixes` and `media_types` say which sources are its own.

    A reader that always makes one document of a file, named by its stem, may say so by an attribute `one_each = True`:
    its files are then read once, others twice where ids have to be compared first. Further attributes that a reader may have:

    - `streams = True`: it reads by `source.open()`, and needs no `source.content`; else `most_bytes`, the largest source it takes.
    - `ids(source)`: yields the ids that a call will give ("" for a Problem), without the cost of reading; one too many does no harm.
    - `skip`: a function that the caller may set, true of ids that need not be read.
    - `left_out`: a mapping of origins to how many of their parts were left out, being of no known type.
    """

    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]

    def __call__(self, source: Source) -> Iterator[Document | Problem]:
        """Yields the source's documents, and a Problem for each part of it that can't be read; raises UnreadableDocument."""


@runtime_checkable
class Extractor(Protocol):
    """Finds mentions and claims in one document: a pure function of document and settings.

    `name` and `version` stand in every piece of evidence and in the fingerprint of a build;
    `fingerprint` adds what else its output depends on (a model's hash, say).
    """

    name: str
    version: str
    fingerprint: str

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """What this extractor adds to `draft`, which holds what those before it found in the same document."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One registered plug-in: family, name, distribution and version it came with, and how to load it."""

    family: str
    name: str
    origin: str
    version: str
    entry: EntryPoint

    def load(self) -> Any:
        """The object behind the entry point (imports its module)."""
        return self.entry.load()

    def make(self, settings: Settings) -> Any:
        """The plug-in made ready for use; raises UsageError where its module can't be imported."""
        try:
            create = self.load()
        except (ImportError, AttributeError) as error:
            message = f"the {self.family[:-1]} {self.name!r} of {self.origin} can't be loaded: {error}"
            raise UsageError(message, hint="reinstall it") from error
        return create(settings)


def list_plugins(families: Iterable[str] = FAMILIES) -> list[Plugin]:
    """Every registered plug-in, sorted by family and name; imports none of them."""
    found = {}
    for family in families:
        for entry in entry_points(group=f"kg.{family}"):
            dist = entry.dist
            origin, version = (dist.name, dist.version) if dist else ("?", "?")
            found[family, entry.name] = Plugin(family, entry.name, origin, version, entry)
    return [found[key] for key in sorted(found)]


def load_plugin(family: str, name: str, settings: Settings) -> Any:
    """The plug-in made ready for use: its entry point is a callable that takes the settings.

    Raises NotFound, which names the known ones, and UsageError where the plug-in's module can't be imported.
    """
    known = {plugin.name: plugin for plugin in list_plugins([family])}
    if name not in known:
        raise NotFound.among(family[:-1], name, known)
    return known[name].make(settings)
