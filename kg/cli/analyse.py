"""`kg analyse`: what a graph looks like as a network: who is central, what belongs together, how two entities are connected."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kg.cli.command import LISTS, Command, add_format
from kg.cli.export import add_selection, selection_of
from kg.cli.output import print_list
from kg.cli.stores import matching, open_for_reading
from kg.errors import NotFound, UsageError

if TYPE_CHECKING:
    from kg.export import View
    from kg.settings import Settings

__all__ = ["COMMANDS"]

_COLUMNS = ("label", "type", "degree", "betweenness", "community", "core", "wikidata", "iri")
_STEPS = ("step", "subject", "predicate", "object", "start", "end", "confidence", "documents", "sentence")
_SORTS = ("degree", "betweenness", "community", "core")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sort", choices=_SORTS, default="degree", help="the measure that comes first (default: degree)")
    parser.add_argument("--top", metavar="N", type=int, help="only so many entities")
    parser.add_argument("--path", metavar="NAME", nargs=2, help="a shortest path of facts between two entities instead")
    add_format(parser, LISTS)
    add_selection(parser)


def _run(arguments: Namespace, settings: Settings) -> int:
    from dataclasses import replace

    from kg.export import read_view

    if arguments.top is not None and arguments.top < 1:
        raise UsageError(f"--top is 1 or more, not {arguments.top}", hint="leave it out to see all")
    with open_for_reading(settings) as store:
        settings = matching(settings, store)
        view = read_view(store, replace(selection_of(arguments, store, settings), measures=not arguments.path))
    if arguments.path:
        print_list(_path(view, *arguments.path), _STEPS, arguments.format)
    else:
        print_list(_rows(view, arguments.sort)[: arguments.top], _COLUMNS, arguments.format)
    return 0


def _rows(view: View, sort: str) -> list[dict[str, Any]]:
    rows = []
    for node in view.nodes:
        known = {"label": node.label, "type": node.types[0], "wikidata": node.wikidata, "iri": node.iri}
        rows.append(known | dict(node.measures))
    sign = 1 if sort == "community" else -1
    return sorted(rows, key=lambda row: (sign * row[sort], -row["degree"], row["label"], row["iri"]))


def _path(view: View, one: str, other: str) -> list[dict[str, Any]]:
    """The facts of a shortest path, a line each; of several between two entities the most confident one."""
    from kg.export.measures import shortest_path
    from kg.export.view import find_nodes

    nodes = {node.iri: node for node in view.nodes}
    ends = [find_nodes(nodes, name)[0] for name in (one, other)]
    path = shortest_path([(edge.subject, edge.object) for edge in view.edges], *ends)
    if path is None:
        raise NotFound(f"no facts lead from {one} to {other}", hint="take a larger part of the graph")
    rows = []
    for step, pair in enumerate(pairwise(path), 1):
        edges = [edge for edge in view.edges if {edge.subject, edge.object} == set(pair)]
        edge = min(edges, key=lambda each: (-each.confidence, each.iri))
        ends_known = {"subject": nodes[edge.subject].label, "predicate": edge.predicate, "object": nodes[edge.object].label}
        dates = {"start": edge.start, "end": edge.end, "confidence": edge.confidence}
        rows.append({"step": step, **ends_known, **dates, "documents": list(edge.documents), "sentence": edge.sentence})
    return rows


COMMANDS = (
    Command(
        "analyse",
        "measures the graph: central entities, communities, shortest paths",
        _run,
        ("kg analyse --top 20", "kg analyse --sort betweenness --types Person,Brand --format csv"),
        _arguments,
    ),
)
