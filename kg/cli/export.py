"""`kg export`: the graph, or a part of it, in a format of other programs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kg.cli.command import Command
from kg.cli.output import print_list, print_notice
from kg.cli.progress import waiting
from kg.cli.stores import matching, open_for_reading, reviser
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.export import Exporter, Selection
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS", "add_selection", "selection_of"]

_DEFAULT = "trig"
_SUFFIXES = {".nq": "nquads", ".nt": "ntriples", ".ttl": "turtle", ".rdf": "rdfxml", ".net": "pajek", ".json": "cytoscape"}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--format", metavar="F", help=f"see `kg plugins` (default: by the suffix of FILE, else {_DEFAULT})")
    parser.add_argument("-o", "--output", metavar="FILE", help="a file instead of standard output; a folder with site")
    parser.add_argument("--canonical", action="store_true", help="with nquads: what documents and decisions say, as sorted lines")
    parser.add_argument("--dry-run", action="store_true", help="with quickstatements: list what would be written, and what not")
    parser.add_argument("--measures", action="store_true", help="add degree, betweenness, community and core to the entities")
    parser.add_argument("--width", metavar="PX", dest="picture_width", help="width of svg and png (default: 1600)")
    parser.add_argument("--height", metavar="PX", dest="picture_height", help="height of svg and png (default: 1000)")
    parser.add_argument("--nodes", metavar="N", dest="picture_nodes", help="most entities in svg and png (default: 200)")
    add_selection(parser)


def add_selection(parser: ArgumentParser) -> None:
    """The arguments that choose a part of the graph."""
    group = parser.add_argument_group("a part of the graph")
    group.add_argument("--about", metavar="NAME", action="append", help="an entity: IRI, id or name; may be repeated")
    group.add_argument("--hops", metavar="N", type=int, default=1, help="how many facts away from it is still in (default: 1)")
    group.add_argument("--types", metavar="T,…", type=_names, help="only entities of these classes")
    group.add_argument("--predicates", metavar="P,…", type=_names, help="only facts with these predicates")
    group.add_argument("--since", metavar="DATE", help="only facts that hold on or after this date")
    group.add_argument("--until", metavar="DATE", help="only facts that hold on or before this date")
    group.add_argument("--min-confidence", metavar="C", type=float, default=0.0, help="only facts of at least this confidence, 0 to 1")
    group.add_argument("--query", metavar="NAME_OR_FILE", help="only what this query gives, which must be a CONSTRUCT")
    group.add_argument("--param", metavar="K=V", action="append", default=[], help="a parameter of the query")


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.export import load_exporter, write_file

    with open_for_reading(settings) as store:
        settings = matching(settings, store)
        if arguments.canonical:
            return _canonical(arguments, store, settings)
        exporter = load_exporter(_format(arguments), settings)
        selection = selection_of(arguments, store, settings)
        if arguments.dry_run:
            return _list(exporter, store, selection)
        with waiting(f"writing {exporter.name}", verbosity=arguments.verbosity) as watched:
            if arguments.output:
                for path in write_file(exporter, store, selection, Path(arguments.output), watch=watched):
                    print_notice(f"wrote {path}")
            else:
                _write(exporter, store, selection, watched)
    return 0


def _format(arguments: Namespace) -> str:
    suffix = Path(arguments.output or "").suffix.lower()
    return str(arguments.format or _SUFFIXES.get(suffix) or suffix.removeprefix(".") or _DEFAULT)


def _list(exporter: Exporter, store: Store, selection: Selection) -> int:
    from kg.export.formats import ListingExporter

    if not isinstance(exporter, ListingExporter):
        raise UsageError(f"{exporter.name} has no dry run", hint="--dry-run goes with --format quickstatements")
    rows = [asdict(row) for row in exporter.propose(store, selection)]
    print_list(rows, ("action", "subject", "property", "value", "reason"), None)
    return 0


def _write(exporter: Exporter, store: Store, selection: Selection, watch: Callable[[BinaryIO], BinaryIO]) -> None:
    sys.stdout.flush()
    stream: Any = watch(sys.stdout.buffer)
    exporter(store, selection, stream)
    stream.flush()


def _canonical(arguments: Namespace, store: Store, settings: Settings) -> int:
    from kg.rdf.write import as_nquads

    if _format(arguments) not in ("nquads", _DEFAULT):
        raise UsageError("--canonical is a form of N-Quads", hint="use --format nquads --canonical")
    content = as_nquads(reviser(store, settings).derive_all()).encode()
    if arguments.output:
        try:
            Path(arguments.output).write_bytes(content)
        except OSError as error:
            raise UsageError(f"{arguments.output} can't be written: {error.strerror}", hint="name another place with -o") from error
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    return 0


def selection_of(arguments: Namespace, store: Store, settings: Settings) -> Selection:
    """The part of the graph that the arguments of add_selection choose."""
    from kg.export import Selection
    from kg.query.parameters import read_date

    since, until = (read_date(text, name=name) if text else None for name, text in _dates(arguments))
    triples = _triples(arguments, store, settings) if arguments.query else None
    return Selection(
        tuple(arguments.about or ()),
        arguments.hops,
        arguments.types or frozenset(),
        arguments.predicates or frozenset(),
        since,
        until,
        arguments.min_confidence,
        triples,
        getattr(arguments, "measures", False),
    )


def _dates(arguments: Namespace) -> tuple[tuple[str, str | None], ...]:
    return ("--since", arguments.since), ("--until", arguments.until)


def _triples(arguments: Namespace, store: Store, settings: Settings) -> frozenset[Any]:
    from kg.cli.query import parameters
    from kg.query.library import ask

    results = ask(store, arguments.query, parameters(arguments.param), settings=settings)
    if results.form != "graph":
        raise UsageError(f"{arguments.query} gives rows, not a graph", hint="name a CONSTRUCT query, such as neighbourhood")
    return frozenset(results.triples())


COMMANDS = (
    Command(
        "export",
        "writes the graph, or a part of it, for other programs",
        _run,
        (
            "kg export --format graphml -o graph.graphml",
            "kg export --format turtle --about Balenciaga",
            "kg export -o graph.png --width 1200 --height 800",
            "kg export --format site -o site",
            "kg export --format nquads --canonical",
            "kg export --format quickstatements --dry-run",
        ),
        _arguments,
    ),
)
