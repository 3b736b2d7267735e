"""`kg wikidata`: makes and asks offline indexes of Wikidata."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import count, print_list, print_notice
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["COMMANDS"]


def _index_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--from-nsi", metavar="DIR", required=True, help="the unpacked npm package name-suggestion-index")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="where the index is written")


def _index(arguments: Namespace, settings: Settings) -> int:
    from kg.link import read_name_suggestion_index, write_index

    items = read_name_suggestion_index(Path(arguments.from_nsi))
    try:
        write_index(items, Path(arguments.output))
    except OSError as error:
        raise UsageError(f"{arguments.output} can't be written: {error.strerror}", hint="name another place with -o") from error
    print_notice(f"wrote {count(len(items), 'item')} to {arguments.output}")
    return 0


def _find_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name")
    parser.add_argument("--type", metavar="T", default="Brand", help="class of what is sought (default: Brand)")
    parser.add_argument("--index", dest="wikidata_index", metavar="INDEX", help="a file, or shipped (default: $KG_WIKIDATA_INDEX)")
    add_format(parser)


def _find(arguments: Namespace, settings: Settings) -> int:
    from kg.link import load_index

    link = load_index(settings.wikidata_index).link(arguments.type, arguments.name)
    rows = [{"qid": link.qid, "label": link.label, "types": [arguments.type], "score": link.score, "accepted": True}] if link else []
    print_list(rows, ("qid", "label", "types", "score", "accepted"), arguments.format)
    return 0


COMMANDS = (
    Command(
        "wikidata index",
        "makes an index of names",
        _index,
        ("kg wikidata index --from-nsi name-suggestion-index -o brands.tsv",),
        _index_arguments,
    ),
    Command(
        "wikidata find", "finds the item of a name in an index", _find, ("kg wikidata find Balenciaga --format json",), _find_arguments
    ),
)
