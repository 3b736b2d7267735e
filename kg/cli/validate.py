"""`kg validate`: the SHACL report on the store or on files, and what was kept out of the store."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command
from kg.cli.graphs import graphs_of, read_quads
from kg.cli.output import count, print_json, visible
from kg.cli.stores import matching, open_for_reading
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.model import Violation
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

VIOLATED = 1


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="RDF files to be checked instead of the store")
    parser.add_argument("--quarantine", action="store_true", help="list what was kept out of the store, and why")
    parser.add_argument("--format", choices=("text", "json", "turtle"), default="text", metavar="F", help="text (default), json or turtle")


def _run(arguments: Namespace, settings: Settings) -> int:
    if arguments.quarantine:
        return _quarantine(arguments, settings)
    from kg.validate import report_turtle

    violations = _check_files(arguments.files, settings) if arguments.files else _check_store(settings)
    if arguments.format == "json":
        print_json({"conforms": not violations, "results": [asdict(each) for each in violations]})
    elif arguments.format == "turtle":
        print(report_turtle(violations), end="")
    else:
        _print_text(violations)
    return VIOLATED if any(each.severity == "Violation" for each in violations) else 0


def _check_store(settings: Settings) -> list[Violation]:
    from kg.validate import check, check_store, load_shapes

    with open_for_reading(settings) as store:
        shapes = load_shapes(matching(settings, store))
        if store.embedded is not None:
            return list(check_store(store.embedded, shapes))
        return [each for triples in graphs_of(store.graph) for each in check(triples, shapes)]


def _check_files(files: list[str], settings: Settings) -> list[Violation]:
    from kg.validate import check, load_shapes

    shapes = load_shapes(settings)
    return [each for file in files for triples in graphs_of(read_quads(file, base=settings.base)) for each in check(triples, shapes)]


def _print_text(violations: list[Violation]) -> None:
    for each in violations:
        path = f" {_short(each.path)}" if each.path else ""
        value = f" {visible(_short(each.value))}" if each.value else ""
        print(f"{each.severity}: {_short(each.focus)}{path}{value}: {each.message} [{_short(each.shape)}]")
    counts = Counter(each.severity for each in violations)
    print(f"{count(counts['Violation'], 'violation')}, {count(counts['Warning'], 'warning')}, {count(counts['Info'], 'note')}")


def _short(iri: str) -> str:
    """The part of an IRI of ours that tells things apart."""
    return re.sub(r"^[a-z]+://[^\s\"]*?/(resource/|ontology#)", "", iri)


# -- quarantine ----------------------------------------------------------------------------------------------------


def _quarantine(arguments: Namespace, settings: Settings) -> int:
    if arguments.files or arguments.format == "turtle":
        raise UsageError("--quarantine lists what is in the store, as text or json", hint="leave files out")
    with open_for_reading(settings) as store:
        refused = list(_refused(store))
    if arguments.format == "json":
        print_json(refused)
        return 0
    for each in refused:
        print(visible(f"{each['doc'] or 'written by hand'}: {_refused_thing(each)}: {'; '.join(v['message'] for v in each['violations'])}"))
    print(f"{count(len(refused), 'claim')} in quarantine")
    return 0


def _refused(store: Store) -> Iterator[dict[str, Any]]:
    for document_id in store.ledger.ids():
        row = store.ledger.row(document_id)
        for each in row.refused if row else ():
            yield {"doc": document_id, **each}
    for removed, added, violations in store.ledger.held():
        yield {"doc": None, "removed": removed, "added": added, "violations": violations}


def _refused_thing(refusal: dict[str, Any]) -> str:
    if refusal["doc"] is None:
        return ", ".join(sorted({_short(violation["focus"]) for violation in refusal["violations"]}))
    statement = refusal["statement"]
    if statement is None:
        return str(refusal["entity"] or "the document")
    value = statement["object"]
    return f"{statement['subject']} {statement['predicate']} {value['value'] if isinstance(value, dict) else value}"


COMMANDS = (
    Command(
        "validate",
        "checks the store, or RDF files, against the shapes",
        _run,
        ("kg validate", "kg validate --quarantine"),
        _arguments,
    ),
)
