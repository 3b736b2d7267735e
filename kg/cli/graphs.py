"""RDF as commands read it: from files, one graph after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import InputError, NotFound

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kg.graph.protocol import Graph

__all__ = ["graphs_of", "read_quads"]


def read_quads(file: str, *, base: str | None = None) -> list[ox.Quad]:
    """The quads of an RDF file, whose format its suffix tells; relative IRIs are under `base`.

    Raises NotFound, and InputError, which names the line.
    """
    import pyoxigraph as ox

    path = Path(file)
    form = ox.RdfFormat.from_extension(path.suffix.removeprefix("."))
    if not path.is_file():
        raise NotFound(f"there is no file {file}", hint="check the path")
    if form is None:
        raise InputError(f"{file} is of no RDF format that is known by its suffix", hint="one of .nq .nt .trig .ttl .jsonld .rdf")
    try:
        return list(ox.parse(path=str(path), format=form, base_iri=base))
    except (SyntaxError, OSError, ValueError) as error:
        raise InputError(f"{file} doesn't parse: {' '.join(str(error).split())}", hint="mend it there") from error


def graphs_of(quads: Graph | Iterable[ox.Quad]) -> Iterator[str]:
    """Every graph as N-Triples, the default graph first."""
    import pyoxigraph as ox

    from kg.graph.protocol import Graph
    from kg.rdf.write import as_ntriples

    graph = quads if isinstance(quads, Graph) else _in_memory(quads)
    for name in (ox.DefaultGraph(), *sorted(graph.named_graphs(), key=str)):
        yield as_ntriples(graph.quads_for_pattern(None, None, None, name))


def _in_memory(quads: Iterable[ox.Quad]) -> ox.Store:
    import pyoxigraph as ox

    store = ox.Store()
    store.extend(quads)
    return store
