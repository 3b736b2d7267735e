"""`kg wikidata ask`: names to candidates by an online service; what it answers is recorded with its day."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import print_list, print_notice
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.wikidata.online import Finder, Wanted

__all__ = ["COMMANDS", "add_online", "ask", "finder_of", "read_names"]


_LINE = 'lines are like {"name": "…", "type": null}'


def add_online(parser: ArgumentParser) -> None:
    """Arguments of every command that may ask an online service."""
    group = parser.add_argument_group("online")
    group.add_argument("--service", dest="wikidata_reconcile", metavar="URL", help="a reconciliation service of Wikidata's items")
    group.add_argument("--answers", dest="online_answers", metavar="FILE", help="where answers are recorded (default: $KG_ONLINE_ANSWERS)")


def finder_of(settings: Settings) -> Finder:
    """The service that the settings name, with the classes of Wikidata that stand for ours."""
    from kg.wikidata.online import SERVICE_TYPES, create_finder

    return create_finder(settings, types=SERVICE_TYPES)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name; - reads JSON Lines with name and type, and answers one line a line")
    parser.add_argument("--type", metavar="T", help="class of what is sought")
    add_online(parser)
    add_format(parser)


def read_names(lines: Iterator[str]) -> Iterator[Wanted]:
    """Names of JSON Lines ``{"name", "type", "context"}``. UsageError names a line that is none."""
    from kg.wikidata.online import Wanted

    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            name, kind, context = data["name"], data.get("type"), data.get("context")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UsageError(f"line {number} is no name: {error!r}", hint=_LINE) from error
        if not isinstance(name, str) or not isinstance(kind, str | None):
            raise UsageError(f"line {number} is no name: name is a text, type a text or null", hint=_LINE)
        yield Wanted(name, kind, str(context or ""))


def ask(arguments: Namespace, settings: Settings) -> int:
    """Asks for one name, or for all that stdin holds."""
    from kg.wikidata.online import Answers, Wanted, ask_all

    finder, answers = finder_of(settings), Answers(Path(settings.online_answers))
    if arguments.name == "-":
        for reply in ask_all(finder, read_names(sys.stdin), answers):
            print(json.dumps([each.as_data() for each in reply.candidates], ensure_ascii=False), flush=True)
        return 0
    (reply,) = ask_all(finder, [Wanted(arguments.name, arguments.type)], answers)
    print_notice(f"{reply.service} answered on {reply.asked}")
    print_list([each.as_data() for each in reply.candidates], ("qid", "label", "description", "score", "accepted"), arguments.format)
    return 0


COMMANDS = (
    Command(
        "wikidata ask",
        "asks Wikidata itself, or a reconciliation service, for the items of a name",
        ask,
        ("kg wikidata ask Balenciaga", "kg wikidata ask - --service https://example.org/reconcile"),
        _arguments,
    ),
)
