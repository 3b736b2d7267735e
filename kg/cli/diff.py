"""`kg diff`: what differs between two stores or N-Quads files, fact by fact."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kg.cli.command import Command, add_format
from kg.cli.graphs import read_quads
from kg.cli.output import is_terminal, print_list, visible
from kg.errors import NotFound

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kg.settings import Settings

__all__ = ["COMMANDS"]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PARTS = {
    f"{_RDF}subject": "subject",
    f"{_RDF}predicate": "predicate",
    f"{_RDF}object": "object",
    "ontology#startDate": "start",
    "ontology#endDate": "end",
    "ontology#statedIn": "doc",
}
_COLUMNS = ("only_in", "doc", "subject", "predicate", "object", "start", "end")


class _Line(NamedTuple):
    """A fact as one document has it; IRIs without their base, so that stores under different bases can be compared."""

    doc: str
    subject: str
    predicate: str
    object: str
    start: str
    end: str


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("first", metavar="A", help="folder or URL of a store, or an RDF file such as `kg export --format nquads` writes")
    parser.add_argument("second", metavar="B", help="another one")
    add_format(parser, default="lines on a terminal, else csv")


def _run(arguments: Namespace, settings: Settings) -> int:
    first, second = _lines(arguments.first, settings), _lines(arguments.second, settings)
    sides = [("A", line) for line in first - second] + [("B", line) for line in second - first]
    rows = [{"only_in": side, **line._asdict()} for side, line in sorted(sides, key=lambda pair: (pair[1], pair[0]))]
    if arguments.format == "table" or (arguments.format is None and is_terminal()):
        for row in rows:
            period = ", ".join(f"{name} {row[name]}" for name in ("start", "end") if row[name])
            parts = [row["subject"], row["predicate"], row["object"], f"({period})" if period else "", f"[{row['doc']}]"]
            print("-" if row["only_in"] == "A" else "+", "  ".join(visible(part) for part in parts if part))
    else:
        print_list(rows, _COLUMNS, arguments.format)
    return 0


def _lines(place: str, settings: Settings) -> set[_Line]:
    """The facts of the fused view."""
    from kg.store import open_store

    if "://" in place or Path(place).is_dir():
        with open_store(place, read_only=True, settings=settings) as store:
            return _read(store.graph)
    if not Path(place).exists():
        raise NotFound(f"there is no store and no file {place}", hint="check the path")
    return _read(read_quads(place))


def _read(quads: Iterable[ox.Quad]) -> set[_Line]:
    import pyoxigraph as ox

    facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in quads:
        if (
            isinstance(quad.graph_name, ox.DefaultGraph)
            and isinstance(quad.subject, ox.NamedNode)
            and "/resource/fact/" in quad.subject.value
        ):
            term = quad.predicate.value
            part = _PARTS.get(term) or _PARTS.get(term[term.rfind("ontology#") :])
            if part:
                facts[quad.subject.value][part].append(_shortened(quad.object))
    return {_Line(doc, *("|".join(sorted(fact[part])) for part in _Line._fields[1:])) for fact in facts.values() for doc in fact["doc"]}


def _shortened(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    import pyoxigraph as ox

    if not isinstance(term, ox.NamedNode):
        return term.value if isinstance(term, ox.Literal | ox.BlankNode) else str(term)
    for mark in ("/resource/document/", "/resource/", "/ontology#"):
        _, found, after = term.value.partition(mark)
        if found:
            return after
    return term.value


COMMANDS = (Command("diff", "tells what differs between two stores or N-Quads files", _run, ("kg diff kg-store graph.nq",), _arguments),)
