"""`kg wikidata`: makes and asks offline indexes of Wikidata."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command, add_format
from kg.cli.output import count, print_list, print_notice
from kg.errors import InputError, UsageError

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.wikidata.index import WikidataIndex
    from kg.wikidata.rank import Match

__all__ = ["COMMANDS", "as_row", "parse_type"]

_SOURCES = {
    "dump": ("FILE", "a Wikidata JSON dump: plain, .gz or .bz2, an array or one item a line"),
    "kgtk": ("DIR", "a folder of KGTK files (labels.en.tsv.gz …)"),
    "tsv": ("FILE", "a table with the columns qid, label, aliases, type, description and prior"),
    "nsi": ("DIR", "the unpacked npm package name-suggestion-index"),
}


def _index_arguments(parser: ArgumentParser) -> None:
    for kind, (place, text) in _SOURCES.items():
        parser.add_argument(f"--from-{kind}", metavar=place, action="append", default=[], help=f"{text}; may be repeated")
    parser.add_argument("-o", "--output", metavar="INDEX", required=True, help="where the index is written")
    parser.add_argument("--type", metavar="T", action="append", default=[], help="keep items of this class only; may be repeated")
    parser.add_argument("--languages", metavar="L", default="", help="keep names in these languages only, as codes separated by commas")
    parser.add_argument("--snapshot", metavar="DATE", help="the date of the data, for the index's metadata")


def _index(arguments: Namespace, settings: Settings) -> int:
    from kg.wikidata.write import KINDS, Origin, make_index

    origins = [Origin(kind, Path(each)) for kind in KINDS for each in getattr(arguments, f"from_{kind}")]
    if not origins:
        raise UsageError("nothing to make an index of", hint="name a source: --from-dump, --from-kgtk, --from-tsv or --from-nsi")
    types = [kind for each in arguments.type for kind in parse_type(each)]
    languages = [each.strip() for each in arguments.languages.split(",") if each.strip()]
    path = Path(arguments.output)
    with _progress(getattr(arguments, "verbosity", 0)) as progress:
        made = make_index(origins, path, types=types, languages=languages, snapshot=arguments.snapshot, progress=progress)
    print_notice(f"wrote {count(made.items, 'item')} with {count(made.names, 'name')} and {count(made.edges, 'edge')} to {path}")
    return 0


@contextmanager
def _progress(verbosity: int) -> Iterator[Callable[[str, int], None]]:
    """Counts what is read and written on a terminal's stderr; silent elsewhere."""
    if not sys.stderr.isatty() or verbosity < 0:
        yield lambda what, number: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading") as status:
        yield lambda what, number: status.update(f"{what}: {number:,}")


def parse_type(text: str | None) -> list[str]:
    """Classes of the ontology that a text names, separated by commas or slashes, in any case; UsageError for others."""
    from kg.wikidata.classes import TYPES

    known = {kind.lower(): kind for kind in TYPES}
    names = [each.strip() for each in (text or "").replace("/", ",").replace("|", ",").split(",") if each.strip()]
    wrong = [each for each in names if each.lower() not in known]
    if wrong:
        raise UsageError(f"there is no type {wrong[0]!r}", hint=f"one of {', '.join(TYPES)}")
    return list(dict.fromkeys(known[each.lower()] for each in names))


# -- finding -----------------------------------------------------------------------------------------------------


def _find_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name, or - for JSON Lines with name, type and context on stdin")
    parser.add_argument("--type", metavar="T", help="class of what is sought (default: any)")
    parser.add_argument("--context", metavar="TEXT", default="", help="text that the name stands in")
    parser.add_argument(
        "--index",
        dest="indexes",
        metavar="INDEX",
        action="append",
        help="a file, or shipped; may be repeated: candidates are ranked together (default: $KG_WIKIDATA_INDEX, else shipped)",
    )
    parser.add_argument("--limit", metavar="N", type=int, default=10, help="most candidates (default: 10)")
    add_format(parser)


def _find(arguments: Namespace, settings: Settings) -> int:
    from kg.wikidata.index import open_indexes

    if arguments.limit < 1:
        raise UsageError(f"--limit is 1 or more, not {arguments.limit}", hint="leave it out for 10")
    indexes = open_indexes(arguments.indexes or settings.wikidata_index)
    if arguments.name == "-":
        for number, line in enumerate(sys.stdin, 1):
            name, kinds, context = _asked(line, number)
            rows = [as_row(each) for each in _matches(name, indexes, kinds, context, arguments.limit)]
            print(json.dumps(rows, ensure_ascii=False), flush=True)
        return 0
    matches = _matches(arguments.name, indexes, parse_type(arguments.type), arguments.context, arguments.limit)
    print_list([as_row(each) for each in matches], ("qid", "label", "description", "types", "score", "accepted"), arguments.format)
    return 0


def _asked(line: str, number: int) -> tuple[str, list[str], str]:
    try:
        asked = json.loads(line)
        name, kind, context = asked["name"], asked.get("type"), asked.get("context")
        if not isinstance(name, str) or not isinstance(kind, str | None) or not isinstance(context, str | None):
            raise ValueError("name, type and context are texts")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"line {number} of the input can't be used: {error!r}", hint='a line is {"name": …, "type": …, "context": …}'
        ) from error
    return name, parse_type(kind), context or ""


def _matches(name: str, indexes: Sequence[WikidataIndex], kinds: list[str], context: str, limit: int) -> list[Match]:
    """Matches of a name as one class, or as any of several: those that one of them accepts first."""
    from kg.wikidata.rank import find

    best: dict[str, Match] = {}
    wanted: list[str | None] = [*kinds] or [None]
    for kind in wanted:
        for each in find(name, indexes, type=kind, context=context, limit=limit):
            best[each.qid] = max(best.get(each.qid, each), each, key=lambda match: (match.accepted, match.score))
    ordered = sorted(best.values(), key=lambda match: (not match.accepted, -match.score, int(match.qid[1:])))
    several = sum(match.accepted for match in ordered) > 1
    return [_undecided(match) if several else match for match in ordered[:limit]]


def _undecided(match: Match) -> Match:
    from dataclasses import replace

    return replace(match, accepted=False)


def as_row(match: Match) -> dict[str, Any]:
    """A match as the command line and the service show it."""
    item = match.candidate.item
    return {
        "qid": item.qid,
        "label": item.label,
        "description": item.description,
        "types": list(item.types or ()),
        "score": match.score,
        "accepted": match.accepted,
        "features": match.features,
    }


COMMANDS = (
    Command(
        "wikidata index",
        "makes an index of Wikidata items from dumps and tables",
        _index,
        ("kg wikidata index --from-nsi name-suggestion-index -o brands.sqlite", "kg wikidata index --from-tsv items.tsv -o items.sqlite"),
        _index_arguments,
    ),
    Command(
        "wikidata find",
        "finds what item of Wikidata a name means",
        _find,
        ("kg wikidata find Balenciaga --type Brand --format json",),
        _find_arguments,
    ),
)
