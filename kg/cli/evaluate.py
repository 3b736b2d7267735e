"""`kg evaluate`: how good the extracted facts are, against annotated documents."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
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
    with _built(arguments, settings) as store:
        documents = {gold.id: row.document for gold in golds if (row := store.ledger.row(gold.id))}
        texts = {each: document.body.content for each, document in documents.items()}
        found = evaluate(golds, facts(store), texts, load_ontology(matching(settings, store)))
    if arguments.format == "json":
        print_json({**found.as_data(), **({"errors": found.errors} if arguments.errors else {})})
    else:
        _print_text(found, errors=arguments.errors)
    return 0


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


def _print_text(found: Evaluation, *, errors: bool) -> None:
    print(f"{'':24}{'precision':>10}{'recall':>8}{'F1':>8}{'right':>8}{'wrong':>8}{'missed':>8}")
    rows: list[tuple[str, Tally]] = [("facts", found.facts), ("entities", found.entities), ("qualifiers", found.qualifiers)]
    for name, tally in (*rows, *sorted(found.by_predicate.items())):
        figures = f"{tally.precision:10.3f}{tally.recall:8.3f}{tally.f1:8.3f}"
        print(f"{name:24}{figures}{tally.right:8}{tally.wrong:8}{tally.missed:8}")
    macro = found.macro
    print(f"mean over documents: precision {macro[0]:.3f}, recall {macro[1]:.3f}, F1 {macro[2]:.3f}")
    print(f"{found.documents} documents; {found.verbatim[0]} of {found.verbatim[1]} quotes verbatim")
    if errors:
        _print_errors(found.errors)


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
