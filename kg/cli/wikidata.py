"""`kg wikidata`: makes and asks offline indexes of Wikidata."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command, add_format
from kg.cli.online import add_online, finder_of
from kg.cli.output import count, print_list, print_notice
from kg.errors import InputError, UsageError

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.wikidata.index import Candidate, WikidataIndex
    from kg.wikidata.rank import Match
    from kg.wikidata.write import Origin

__all__ = ["COMMANDS", "as_row", "parse_type"]

_SOURCES = {
    "dump": ("FILE", "a Wikidata JSON dump: plain, .gz or .bz2, an array or one item a line"),
    "kgtk": ("DIR", "a folder of KGTK files (labels.en.tsv.gz …)"),
    "tsv": ("FILE", "a table with the columns qid, label, aliases, type, description and prior"),
    "nsi": ("DIR", "the unpacked npm package name-suggestion-index"),
}
_ONLINE = ("sparql", "qids")
_LANGUAGES = ("en", "mul")
"""Languages of what is fetched, where none is named."""


def _index_arguments(parser: ArgumentParser) -> None:
    for kind, (place, text) in _SOURCES.items():
        parser.add_argument(f"--from-{kind}", metavar=place, action="append", default=[], help=f"{text}; may be repeated")
    parser.add_argument(
        "--from-sparql",
        metavar="CLASS",
        nargs="+",
        action="extend",
        default=[],
        help="online: all items of these classes of Wikidata (Q…) and their subclasses",
    )
    parser.add_argument("--from-qids", metavar="FILE", action="append", default=[], help="online: the items of a file, one Q… a line")
    parser.add_argument("-o", "--output", metavar="INDEX", required=True, help="where the index is written")
    parser.add_argument("--type", metavar="T", action="append", default=[], help="keep items of this class only; may be repeated")
    parser.add_argument("--languages", metavar="L", default="", help="keep names in these languages only, as codes separated by commas")
    parser.add_argument("--snapshot", metavar="DATE", help="the date of the data, for the index's metadata")


def _index(arguments: Namespace, settings: Settings) -> int:
    from kg.wikidata.write import KINDS, Origin, make_index

    origins = [Origin(kind, Path(each)) for kind in KINDS for each in getattr(arguments, f"from_{kind}")]
    if not origins and not arguments.from_sparql and not arguments.from_qids:
        known = ", ".join(f"--from-{each}" for each in (*_SOURCES, *_ONLINE))
        raise UsageError("nothing to make an index of", hint=f"name a source: {known}")
    types = [kind for each in arguments.type for kind in parse_type(each)]
    languages = [each.strip() for each in arguments.languages.split(",") if each.strip()]
    path = Path(arguments.output)
    with _progress(getattr(arguments, "verbosity", 0)) as progress, _fetched(arguments, settings, progress) as (fetched, day):
        snapshot = arguments.snapshot or day
        made = make_index([*origins, *fetched], path, types=types, languages=languages, snapshot=snapshot, progress=progress)
    print_notice(f"wrote {count(made.items, 'item')} with {count(made.names, 'name')} and {count(made.edges, 'edge')} to {path}")
    return 0


@contextmanager
def _fetched(arguments: Namespace, settings: Settings, progress: Callable[[str, int], None]) -> Iterator[tuple[list[Origin], str | None]]:
    """Items from online as a dump beside the index, and the day of the last answer. A run that was stopped asks for nothing again:
    answers are kept in the folder of the setting `online_cache`."""
    from kg.wikidata.online import ActionApi, QueryService, connect, read_class, read_entities, read_ids, write_dump
    from kg.wikidata.write import Origin

    classes, files = arguments.from_sparql, [Path(each) for each in arguments.from_qids]
    if not classes and not files:
        yield [], None
        return
    ids = list(dict.fromkeys(each for file in files for each in read_ids(file)))
    wanted = [each.strip() for each in arguments.languages.split(",") if each.strip()]
    api = ActionApi(connect(settings.wikidata_api, settings), language="|".join(wanted or _LANGUAGES))
    service = QueryService(connect(settings.wikidata_sparql, settings))
    path = Path(f"{arguments.output}.items")
    name = f"{api.connection.url}: {', '.join([*(f'class {each}' for each in classes), *(file.name for file in files)])}"
    try:
        entities = chain(read_class(service, api, classes), read_entities(api, ids))
        written = write_dump(entities, path, progress=partial(progress, "items fetched"))
        if written.deleted:
            print_notice(f"{count(written.deleted, 'identifier')} of no item any more")
        if not written.items:
            raise InputError("there is no item of these classes and identifiers", hint="check them at https://www.wikidata.org/")
        yield [Origin("dump", path, name)], written.day
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}", hint="name another place with -o") from error
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


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
    parser.add_argument("--online", action="store_true", help="then ask a service for the names that the index leaves open")
    add_online(parser)
    add_format(parser)


def _find(arguments: Namespace, settings: Settings) -> int:
    from kg.wikidata.index import open_indexes

    if arguments.limit < 1:
        raise UsageError(f"--limit is 1 or more, not {arguments.limit}", hint="leave it out for 10")
    indexes = open_indexes(arguments.indexes or settings.wikidata_index)
    asked = _Online(settings) if arguments.online else None
    if arguments.name == "-":
        for number, line in enumerate(sys.stdin, 1):
            matches = _find_one(indexes, *_asked(line, number), arguments.limit, asked)
            print(json.dumps([as_row(each) for each in matches], ensure_ascii=False), flush=True)
        return 0
    matches = _find_one(indexes, arguments.name, parse_type(arguments.type), arguments.context, arguments.limit, asked)
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


class _Online:
    """A service that is asked for what the indexes leave open."""

    def __init__(self, settings: Settings) -> None:
        from kg.wikidata.online import Answers

        self.finder, self.answers = finder_of(settings), Answers(Path(settings.online_answers))

    def ask(self, name: str, kinds: list[str]) -> list[Candidate]:
        """What it offers for a name; ServiceUnavailable where it can't say."""
        from kg.wikidata.online import Wanted, as_candidates, ask_all

        (reply,) = ask_all(self.finder, [Wanted(name, kinds[0] if len(kinds) == 1 else None)], self.answers)
        return as_candidates(reply)


def _find_one(
    indexes: Sequence[WikidataIndex], name: str, kinds: list[str], context: str, limit: int, online: _Online | None
) -> list[Match]:
    """Matches by the indexes; where none is accepted and a service may be asked, with its candidates among them."""
    look_up = partial(_matches, name, indexes, kinds, context, limit)
    matches = look_up()
    return look_up(online.ask(name, kinds)) if online and not any(each.accepted for each in matches) else matches


def _matches(
    name: str, indexes: Sequence[WikidataIndex], kinds: list[str], context: str, limit: int, more: Sequence[Candidate] = ()
) -> list[Match]:
    """Matches of a name as one class, or as any of several: those that one of them accepts first."""
    from kg.wikidata.rank import find

    best: dict[str, Match] = {}
    wanted: list[str | None] = [*kinds] or [None]
    for kind in wanted:
        for each in find(name, indexes, type=kind, context=context, limit=limit, more=more):
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
        (
            "kg wikidata index --from-nsi name-suggestion-index -o brands.sqlite",
            "kg wikidata index --from-tsv items.tsv -o items.sqlite",
            "kg wikidata index --from-qids ids.txt -o mine.sqlite",
        ),
        _index_arguments,
    ),
    Command(
        "wikidata find",
        "finds what item of Wikidata a name means",
        _find,
        ("kg wikidata find Balenciaga --type Brand --format json", "kg wikidata find - --online < names.jsonl"),
        _find_arguments,
    ),
)
