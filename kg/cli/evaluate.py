"""`kg evaluate`: how good the extracted facts are, against annotated documents."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.cli.build import build_paths
from kg.cli.command import Command
from kg.cli.output import print_json, visible
from kg.cli.stores import matching, open_for_reading, open_for_writing

if TYPE_CHECKING:
    from kg.evaluate import Evaluation, Tally
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("gold", metavar="GOLD_DIR", help="folder of annotations, one ID.json a document")
    parser.add_argument("--docs", metavar="DIR", help="folder of the documents, which are built for this (default: what is in the store)")
    parser.add_argument("--extractor", dest="extractors", metavar="NAME,…", help="extractors to run, in order")
    parser.add_argument("--model", metavar="DIR", help="folder of the extraction model")
    parser.add_argument("--workers", metavar="N", help="processes that extract")
    parser.add_argument("--errors", action="store_true", help="list what is wrong and what is missed")
    parser.add_argument("--format", choices=("text", "json"), default="text", metavar="F", help="text (default) or json")


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.evaluate import evaluate
    from kg.gold import read_gold
    from kg.query.facts import facts
    from kg.rdf.ontology import load_ontology

    golds = read_gold(Path(arguments.gold))
    began, worked = time.monotonic(), _work()
    with _built(arguments, settings) as store:
        seconds, work = time.monotonic() - began, _work() - worked
        documents = {gold.id: row.document for gold in golds if (row := store.ledger.row(gold.id))}
        texts = {each: document.body.content for each, document in documents.items()}
        found = evaluate(golds, facts(store), texts, load_ontology(matching(settings, store)))
    if arguments.format == "json":
        speed = {"seconds": round(seconds, 2), "cpu_seconds": round(work, 2)} if arguments.docs else {}
        print_json({**found.as_data(), **speed, **({"errors": found.errors} if arguments.errors else {})})
        return 0
    _print_text(found)
    if arguments.docs:
        rate = len(documents) / seconds
        print(f"built in {seconds:.1f} s ({work:.1f} CPU seconds), {rate:.1f} documents/s")
    if arguments.errors:
        _print_errors(found.errors)
    return 0


def _work() -> float:
    """CPU seconds of this process and of those it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def _built(arguments: Namespace, settings: Settings) -> Iterator[Store]:
    """The store, or one that lasts as long as the evaluation."""
    if not arguments.docs:
        with open_for_reading(settings) as store:
            yield store
        return
    import tempfile

    arguments.paths, arguments.id = [arguments.docs], None
    with tempfile.TemporaryDirectory(prefix="kg-") as folder:
        passing = settings.replace(store=f"{folder}/store")
        with open_for_writing(passing, create=True) as store:
            build_paths(store, arguments, matching(passing, store))
            yield store


def _print_text(found: Evaluation) -> None:
    print(f"{'':24}{'precision':>10}{'recall':>8}{'F1':>8}{'right':>8}{'wrong':>8}{'missed':>8}")
    _print_rows([("facts", found.facts), *sorted(found.by_predicate.items())])
    print()
    _print_rows([("entities", found.entities), *sorted(found.by_type.items())])
    print()
    _print_rows([("start and end", found.qualifiers)])
    macro = found.macro
    print(f"\nmean over documents: precision {macro[0]:.3f}, recall {macro[1]:.3f}, F1 {macro[2]:.3f}")
    print(f"{found.documents} documents; {found.verbatim[0]} of {found.verbatim[1]} quotes verbatim")
    print(f"\n{'confidence from':24}{'facts':>8}{'right':>8}{'share':>8}")
    for low, (right, count) in sorted(found.bins.items()):
        print(f"{low:<24.1f}{count:8}{right:8}{right / count:8.3f}")


def _print_rows(rows: Iterable[tuple[str, Tally]]) -> None:
    for name, tally in rows:
        figures = f"{tally.precision:10.3f}{tally.recall:8.3f}{tally.f1:8.3f}"
        print(f"{name:24}{figures}{tally.right:8}{tally.wrong:8}{tally.missed:8}")


def _print_errors(errors: dict[str, Any]) -> None:
    for document in sorted(errors):
        print(f"\n{document}")
        for kind, lines in errors[document].items():
            for line in lines:
                print(f"  {kind}: {visible(str(line))}")


COMMANDS = (
    Command(
        "evaluate",
        "measures the extracted facts against annotated documents",
        _run,
        ("kg evaluate annotated/gold --docs annotated/docs --extractor rules",),
        _arguments,
    ),
)
