"""`kg query` asks a named query, a file or a text; `kg queries` lists the named ones."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import is_terminal, print_list, print_table
from kg.cli.stores import matching, open_for_reading
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.query.results import Results
    from kg.settings import Settings

__all__ = ["COMMANDS", "parameters", "print_results"]

_ROWS = ("table", "json", "xml", "csv", "tsv", "jsonl")
_GRAPHS = ("turtle", "trig", "ntriples", "nquads", "jsonld", "rdfxml")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("query", metavar="NAME_OR_FILE", help="a name that `kg queries` lists, a file, or - for standard input")
    parser.add_argument("--param", metavar="K=V", action="append", default=[], help="a parameter of the query; may be repeated")
    formats = f"rows: {', '.join(_ROWS)}; graphs: {', '.join(_GRAPHS)}"
    parser.add_argument(
        "--format", choices=(*_ROWS, *_GRAPHS), metavar="F", help=f"{formats} (default: table on a terminal, else csv; trig)"
    )


def _ask(arguments: Namespace, settings: Settings) -> int:
    from kg.query.library import ask

    stdin = sys.stdin.read() if arguments.query == "-" else ""
    with open_for_reading(settings) as store:
        results = ask(store, arguments.query, parameters(arguments.param), settings=matching(settings, store), stdin=stdin)
    print_results(results, arguments.format)
    return 0


def parameters(given: list[str]) -> dict[str, str]:
    """Names and values of ``--param K=V``."""
    pairs = [each.partition("=") for each in given]
    for name, equals, value in pairs:
        if not equals:
            raise UsageError(f"--param {name or value!r} has no value", hint="write --param name=value")
    return {name.strip(): value for name, _, value in pairs}


def print_results(results: Results, format: str | None) -> None:
    """Prints the answer of a query: rows as a table, CSV …, a graph as TriG …."""
    default = "trig" if results.form == "graph" else "table" if is_terminal() else "csv"
    form = format or default
    if results.form != "graph" and form == "table":
        print_table(results.rows(), results.header)
    elif results.form != "graph" and form == "jsonl":
        print_list((dict(zip(results.header, row, strict=True)) for row in results.rows()), results.header, "jsonl")
    else:
        text = results.serialize(form).decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        print(text, end="" if text.endswith("\n") else "\n")


def _list(arguments: Namespace, settings: Settings) -> int:
    from kg.query.library import load_queries

    rows = [
        {
            "name": query.name,
            "title": query.title,
            "question": query.question,
            "parameters": [
                {"name": p.name, "type": p.signature, "default": p.default, "description": p.description} for p in query.parameters
            ],
        }
        for query in load_queries(settings).values()
    ]
    if arguments.format in ("json", "jsonl"):
        print_list(rows, (), arguments.format)
    else:
        shown = [{**row, "parameters": [p["name"] for p in row["parameters"]]} for row in rows]  # type: ignore[index]
        print_list(shown, ("name", "title", "parameters"), arguments.format)
    return 0


COMMANDS = (
    Command(
        "query",
        "answers a named query, or one in a file",
        _ask,
        ("kg query ambassadors-of-brand --param brand=Balenciaga", "kg query launches --format json"),
        _arguments,
    ),
    Command("queries", "lists the named queries with their parameters", _list, ("kg queries",), add_format),
)
