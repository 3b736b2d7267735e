"""`kg facts`: the facts with the sentences behind them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command, add_format
from kg.cli.output import is_terminal, print_list, visible
from kg.cli.stores import matching, open_for_reading
from kg.errors import NotFound
from kg.model import Literal, fact_id

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS", "print_facts"]

_COLUMNS = ("doc", "subject", "predicate", "object", "start", "end", "evidence", "confidence", "documents", "sources", "fact")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--doc", metavar="ID", help="only what this document says")
    parser.add_argument("--about", metavar="NAME_OR_IRI", help="only facts of this entity, at either end")
    parser.add_argument("--predicate", metavar="P", help="only facts with this predicate")
    parser.add_argument("--at", metavar="DATE", help="only facts that hold at this date")
    parser.add_argument("--all-evidence", action="store_true", help="a line for every sentence, not only for the best of a document")
    add_format(parser, default="text on a terminal, else csv")


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.query.facts import facts

    with open_for_reading(settings) as store:
        if arguments.predicate is not None:
            _require_predicate(arguments.predicate, matching(settings, store))
        found = facts(
            store,
            document=arguments.doc,
            about=arguments.about,
            predicate=arguments.predicate,
            at=arguments.at,
            all_evidence=arguments.all_evidence,
        )
        rows = ({**row, "fact": _fact(store, row)} for row in found)
        if arguments.format == "table" or (arguments.format is None and is_terminal()):
            print_facts(rows)
        elif arguments.format in ("json", "jsonl"):
            print_list(rows, _COLUMNS, arguments.format)
        else:
            print_list(_flat(rows), _COLUMNS, "csv")
    return 0


def _fact(store: Store, row: Mapping[str, Any]) -> str:
    """IRI of the fact, which `kg reject` takes."""
    subject, value = store.namespace.entity_id(row["subject"]["iri"]), row["object"]
    end = Literal(value["value"], value["datatype"]) if "value" in value else store.namespace.entity_id(value["iri"])
    return store.namespace.fact(fact_id(subject or "", row["predicate"], end or ""))


def _require_predicate(name: str, settings: Settings) -> None:
    from kg.rdf.ontology import load_ontology

    known = load_ontology(settings).predicates
    if name not in known:
        raise NotFound.among("predicate", name, known)


def print_facts(rows: Iterable[Mapping[str, Any]], *, skip: str = "") -> None:
    """Facts for people: the fact, its sentence, its document (unless that is `skip`)."""
    for row in rows:
        period = ", ".join(f"{name} {date}" for name, date in row["qualifiers"].items())
        parts = [_name(row["subject"]), row["predicate"], _name(row["object"]), f"({period})" if period else "", f"{row['confidence']:.2f}"]
        print("  ".join(part for part in parts if part))
        print(f"    {_quoted(visible(row['evidence']))}")
        if row["doc"] != skip:
            print(f"    {visible(row['doc'])}")


def _name(end: Mapping[str, Any]) -> str:
    return visible(end["label"] if "label" in end else end["value"])


def _quoted(sentence: str) -> str:
    """In quotation marks, where it doesn't begin with some itself."""
    return sentence if sentence.startswith(("“", '"', "«")) else f"“{sentence}”"


def _flat(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        ends = {end: row[end].get("label", row[end].get("value")) for end in ("subject", "object")}
        yield {**row, **ends, **row["qualifiers"]}


COMMANDS = (
    Command(
        "facts",
        "lists the facts with the sentences behind them",
        _run,
        ("kg facts --about Balenciaga", "kg facts --predicate said --format jsonl"),
        _arguments,
    ),
)
