"""RDF that was sent, in any of its formats, as quads of a scratch store that needs little memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyoxigraph as ox

from kg.errors import InputError
from kg.update.pending import GraphName

__all__ = ["DATASETS", "IN_MEMORY", "MEDIA_TYPES", "Part", "parsed", "stream"]

MEDIA_TYPES = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/x-turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/xml": ox.RdfFormat.RDF_XML,
    "text/xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/json": ox.RdfFormat.JSON_LD,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
}
"""Media type → format in which RDF can be sent."""

IN_MEMORY = 32 * 1024 * 1024
"""Bytes of RDF up to which a change is held in memory as a whole."""

DATASETS = frozenset({"application/n-quads", "application/trig"})
"""Media types of whole datasets; JSON-LD may hold one too."""


@dataclass(frozen=True, slots=True)
class Part:
    """One body, or one part of a multipart body."""

    stream: BinaryIO
    form: ox.RdfFormat
    size: int


@contextmanager
def parsed(parts: Iterable[Part], *, base: str, target: GraphName | None, folder: Path, in_memory: int = IN_MEMORY) -> Iterator[ox.Store]:
    """A store of the quads of all parts, in one graph, or with `target` None in the graphs that they name.

    Bodies of more than `in_memory` bytes together go to a store on disk under `folder`, which is removed after use. Blank nodes are
    new ones. Raises InputError with line and column for what doesn't parse, and for named graphs where one graph is meant.
    """
    bodies = list(parts)
    if sum(part.size for part in bodies) <= in_memory:
        scratch = ox.Store()
        _load(scratch, bodies, base, target)
        yield scratch
        return
    place = Path(tempfile.mkdtemp(prefix="graph-incoming-", dir=folder))
    try:
        scratch = ox.Store(str(place / "content"))
        _load(scratch, bodies, base, target)
        yield scratch
        del scratch
    finally:
        shutil.rmtree(place)


def stream(part: Part, *, base: str, target: GraphName) -> Iterator[ox.Quad]:
    """The quads of a body in one graph, as they are read; raises InputError as `parsed` does. The body can be read again."""
    part.stream.seek(0)
    with _explained():
        for quad in ox.parse(part.stream, part.form, base_iri=base, without_named_graphs=True, rename_blank_nodes=True):
            yield ox.Quad(quad.subject, quad.predicate, quad.object, target)


def _load(scratch: ox.Store, parts: list[Part], base: str, target: GraphName | None) -> None:
    for part in parts:
        part.stream.seek(0)
        with _explained():
            if target is None:
                scratch.bulk_load(part.stream, part.form, base_iri=base)
            else:
                scratch.bulk_extend(stream(part, base=base, target=target))


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of the parser become errors of the tree."""
    try:
        yield
    except SyntaxError as error:
        reason = " ".join(str(error.msg).split())
        raise InputError(f"the RDF does not parse: {reason}", hint="mend it there, and check that Content-Type names its format") from error
    except ValueError as error:
        raise InputError(f"the RDF can't be read: {error}", hint="send UTF-8, in the format that Content-Type names") from error
