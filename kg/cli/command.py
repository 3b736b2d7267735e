"""What a command is, and the parser that is made of all of them."""

from __future__ import annotations

import re
from argparse import SUPPRESS, Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from kg.errors import NotFound, UsageError

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["FAMILIES", "LISTS", "Command", "Parser", "add_format", "create_parser"]

LISTS = ("table", "json", "jsonl", "csv")
"""Formats of lists."""

FAMILIES = {"wikidata": "makes and asks offline indexes of Wikidata"}
"""First words of commands that have two, with what they are about."""


def _no_arguments(parser: ArgumentParser) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `run` gives the exit code; `examples` are whole command lines, shown in its help and run by a test."""

    name: str
    summary: str
    run: Callable[[Namespace, Settings], int]
    examples: tuple[str, ...]
    arguments: Callable[[ArgumentParser], None] = _no_arguments


class Parser(ArgumentParser):
    """An ArgumentParser whose errors are UsageErrors, which name near commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=RawDescriptionHelpFormatter, **options)
        self.known: tuple[str, ...] = ()

    def error(self, message: str) -> NoReturn:
        """Raises UsageError; for an unknown command NotFound."""
        unknown = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(", message)
        if unknown:
            raise NotFound.among("command", unknown[1], self.known)
        raise UsageError(message, hint=f"see `{self.prog} --help`")


class _Version(Action):
    """Prints the version and ends."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: str | Sequence[Any] | None, option: str | None = None) -> None:
        from importlib.metadata import version

        print(f"kg {version('kg')}")
        parser.exit()


def _add_globals(parser: ArgumentParser) -> None:
    """Arguments that every command takes, before its name and after it."""
    group = parser.add_argument_group("always")
    group.add_argument("--store", metavar="DIR", default=SUPPRESS, help="folder of the store (default: $KG_STORE, else ./kg-store)")
    group.add_argument("-v", "--verbose", action="count", default=SUPPRESS, help="tell more on stderr; twice: all")
    group.add_argument("-q", "--quiet", action="store_true", default=SUPPRESS, help="tell errors only")
    group.add_argument("--version", action=_Version, nargs=0, default=SUPPRESS, help="print the version")


def add_format(parser: ArgumentParser, formats: Sequence[str] = LISTS, *, default: str = "table on a terminal, else csv") -> None:
    """The argument ``--format``."""
    parser.add_argument("--format", choices=formats, metavar="F", help=f"{', '.join(formats)} (default: {default})")


def create_parser(commands: Iterable[Command]) -> Parser:
    """The parser of the whole command line; it leaves the Command that was chosen in `command`."""
    parser = Parser(
        prog="kg",
        description="Turns documents into a knowledge graph that opens the sentence behind every edge.",
        epilog="`kg COMMAND --help` tells more. Begin with `kg demo`, or `kg build PATH…` and `kg facts`.",
    )
    _add_globals(parser)
    places = {"": parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)}
    names: dict[str, list[str]] = {"": []}
    groups = {"": parser}
    for command in commands:
        family, _, name = command.name.rpartition(" ")
        if family not in places:
            group = groups[family] = places[""].add_parser(family, help=FAMILIES[family], description=_sentence(FAMILIES[family]))
            places[family] = group.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
            names[""].append(family)
            names[family] = []
        names[family].append(name)
        added = places[family].add_parser(
            name, help=command.summary, description=_sentence(command.summary), epilog=_epilog(command.examples)
        )
        command.arguments(added)
        _add_globals(added)
        added.set_defaults(command=command)
    for family, group in groups.items():
        group.known = tuple(names[family])
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _epilog(examples: Sequence[str]) -> str:
    return "\n".join([f"example{'s' if len(examples) > 1 else ''}:", *(f"  {each}" for each in examples)])
