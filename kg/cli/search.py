"""`kg search` finds entities by their names, sentences, and documents by their titles and texts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import print_list, print_notice
from kg.cli.stores import open_for_reading

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["COMMANDS"]

_COLUMNS = ("kind", "label", "name", "type", "score", "iri", "document")
_KINDS = ("entity", "sentence", "document")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", nargs="+", help='words, any of them perhaps in "quotation marks" as a phrase')
    parser.add_argument("--kind", choices=_KINDS, metavar="K", action="append", help=f"only {', '.join(_KINDS)}; may be repeated")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="most hits of each kind (default: 20)")
    add_format(parser)


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.query.search import KINDS, search

    with open_for_reading(settings) as store:
        found = search(store, " ".join(arguments.text), kinds=arguments.kind or KINDS, most=arguments.limit)
    print_list((hit.as_data() for hit in found), _COLUMNS, arguments.format)
    if not found:
        print_notice("nothing fits; fewer words find more")
    return 0


COMMANDS = (
    Command(
        "search",
        "finds entities, sentences and documents by their words",
        _run,
        ("kg search balenciaga", "kg search --kind sentence creative director --format json"),
        _arguments,
    ),
)
