"""`kg demo`: the main job on the documents that come with kg, from reading to answered questions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kg.cli.build import PARTIAL, build_paths, print_report
from kg.cli.command import Command
from kg.cli.facts import print_facts
from kg.cli.query import print_results
from kg.cli.stores import matching, open_for_writing
from kg.errors import KgError
from kg.resources import resource

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

_QUESTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("ambassadors-of-brand", {"brand": "Balenciaga"}),
    ("launches", {}),
    ("said-about-brand", {"brand": "Balenciaga"}),
)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--extractor", dest="extractors", metavar="NAME,…", help="extractors to run, in order")
    parser.add_argument("--model", metavar="DIR", help="folder of the extraction model")


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.query.facts import facts

    folder = resource("seeds", "documents")
    arguments.paths, arguments.id = [str(folder)], None
    with open_for_writing(settings, create=True) as store:
        settings = matching(settings, store)
        print(f"$ kg build {folder.name if folder.parent.name != 'seeds' else 'seeds/documents'}\n")
        report = build_paths(store, arguments, settings)
        print_report(report, "text")
        print("\n$ kg facts\n")
        print_facts(facts(store))
        for name, parameters in _QUESTIONS:
            _answer(store, settings, name, parameters)
        _where(store, settings)
    return 0 if report.status == "ok" else PARTIAL


def _answer(store: Store, settings: Settings, name: str, parameters: dict[str, str]) -> None:
    from kg.query.library import ask, find_query

    given = "".join(f" --param {key}={value}" for key, value in parameters.items())
    print(f"\n$ kg query {name}{given}")
    print(f"# {find_query(settings, name).question}\n")
    try:
        print_results(ask(store, name, parameters, settings=settings), "table")
    except KgError as error:
        print(f"no answer: {error}")


def _where(store: Store, settings: Settings) -> None:
    option = "" if settings.store == "kg-store" else f" --store {settings.store}"
    print(f"\nThe graph lies in {store.path} ({len(store.graph):,} triples). Look at it, or ask it more:\n")
    print(f"    kg serve{option}          # pages and SPARQL on http://{settings.host}:{settings.port}/")
    print(f"    kg queries{option}        # questions that are ready to be asked")
    print(f"    kg export{option} --format turtle")


COMMANDS = (Command("demo", "builds a graph of the documents that come with kg, and asks it", _run, ("kg demo",), _arguments),)
