"""`kg build`: takes documents into the store."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kg.cli.command import LISTS, Command
from kg.cli.output import count, print_json, print_list, print_notice
from kg.cli.progress import progress
from kg.cli.stores import is_there, matching, open_for_reading, open_for_writing, reviser
from kg.errors import StoreMissing, UsageError
from kg.model import BuildReport, Document, Problem

if TYPE_CHECKING:
    from kg.read import Reading
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS", "build_paths", "print_report"]

PARTIAL = 1


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files, folders, patterns in quotes, addresses, or - for standard input")
    parser.add_argument("--id", metavar="ID", help="id of the document, where just one file is given (default: its name)")
    parser.add_argument("--workers", metavar="N", help="processes that extract (default: $KG_WORKERS, else 1)")
    parser.add_argument("--engine", metavar="NAME", help="cluster that works: `dask` for one of this machine, or tcp://HOST:PORT")
    parser.add_argument("--bulk", action="store_true", help="make a new store in one go, as --engine does where there is none")
    parser.add_argument("--shards", metavar="URL", help="folder or s3://, gs://, file:// that the workers of a bulk build all see")
    parser.add_argument("--extractor", dest="extractors", metavar="NAME,…", help="extractors to run, in order (see `kg plugins`)")
    parser.add_argument("--model", metavar="DIR", help="folder of the extraction model (default: the one that is shipped)")
    parser.add_argument(
        "--no-validate", dest="validate", action="store_const", const=False, help="store what breaks the shapes too, instead of refusing it"
    )
    parser.add_argument("--limit", metavar="N", type=_number, help="build N documents at most, and leave the rest for another run")
    parser.add_argument("--since", metavar="DATE", type=_date, help="leave out what was published before a day, or has no date")
    parser.add_argument("--resume", action="store_true", help="go on after a run that was stopped: what is stored is not read again")
    parser.add_argument("--dry-run", action="store_true", help="say what would be read, and store nothing")
    parser.add_argument("--rederive", action="store_true", help="then make the graph say again exactly what its documents say")
    parser.add_argument("--format", choices=("text", *LISTS), metavar="F", help="of the report: text or json; of a dry run: as other lists")


def _number(text: str) -> int:
    """A number of documents; ValueError for less than one."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _date(text: str) -> str:
    """A date, as precise as it is given; ValueError for anything else."""
    from datetime import date

    year, month, day = (f"{text}-01-01" if len(text) == 4 else f"{text}-01" if len(text) == 7 else text).split("-")
    date(int(year), int(month), int(day))
    return text


def run(arguments: Namespace, settings: Settings) -> int:
    """Builds; 1 where some document could not be read or extracted."""
    if not arguments.paths and not arguments.rederive:
        raise UsageError("nothing to build", hint="name files or folders: `kg build PATH…`")
    if arguments.dry_run:
        return _dry_run(arguments, settings)
    if arguments.format not in (None, "text", "json"):
        raise UsageError(f"the report of a build can't be {arguments.format}", hint="--format text or json")
    if arguments.bulk or (settings.engine and not is_there(settings)):
        report = _build_new(arguments, settings)
        print_report(report, arguments.format)
        return 0 if report.status == "ok" else PARTIAL
    with open_for_writing(settings, create=bool(arguments.paths)) as store:
        report = build_paths(store, arguments, matching(settings, store))
        restored = reviser(store, settings).rederive() if arguments.rederive else None
    print_report(report, arguments.format, restored)
    return 0 if report.status == "ok" else PARTIAL


def _build_new(arguments: Namespace, settings: Settings) -> BuildReport:
    """Makes a store that is not there yet."""
    from kg.bulk import bulk_build

    if arguments.rederive:
        raise UsageError("a bulk build makes a new store", hint="leave --rederive out")
    return _build(arguments, settings, partial(bulk_build, settings=settings))


def build_paths(store: Store, arguments: Namespace, settings: Settings) -> BuildReport:
    """Reads the paths into the store, with progress on a terminal; tells each problem on stderr."""
    from kg.build import build

    if not arguments.paths:
        return BuildReport()
    resume = vars(arguments).get("resume", False)  # other commands that build have no such arguments
    return _build(arguments, settings, partial(build, store=store, settings=settings, resume=resume))


def _build(arguments: Namespace, settings: Settings, builder: Callable[..., BuildReport]) -> BuildReport:
    from kg.read import read_paths

    reading = read_paths(arguments.paths, settings, id=arguments.id)
    given = vars(arguments)
    reading.leave_out(since=given.get("since"))
    with progress("building", reading, verbosity=arguments.verbosity) as advance:
        report = builder(reading, progress=advance, limit=given.get("limit"))
    for problem in report.problems:
        _tell(problem)
    return replace(report, ignored_files=reading.ignored, left_out=reading.left_out)


def _tell(problem: Problem) -> None:
    print_notice(f"{problem.stage}: {problem.document_id}: {problem.message}")


def print_report(report: BuildReport, format: str | None, restored: tuple[int, int] | None = None) -> None:
    """What a build did, for people or as JSON."""
    categories = dict(sorted(Counter(problem.category for problem in report.problems).items()))
    if format == "json":
        more = {"rederived": {"removed": restored[0], "added": restored[1]}} if restored else {}
        print_json({"status": report.status, **asdict(report), "problem_counts": categories, **more})
        return
    print(f"{count(report.documents, 'document')} built ({report.replaced:,} replaced), {report.unchanged:,} unchanged")
    print(f"{count(report.facts, 'fact')} stated, {report.refused:,} refused, {count(report.warnings, 'warning')}")
    if categories:
        print(f"{count(len(report.problems), 'problem')}: {', '.join(f'{number} {name}' for name, number in categories.items())}")
    if report.left_out:
        print(f"{count(report.left_out, 'document')} left out, as asked")
    if report.ignored_files:
        print(f"{count(report.ignored_files, 'file')} of unknown type left out")
    if report.seconds:
        print("seconds: " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report.seconds.items()))
    if report.peak_memory:
        print(f"memory: {report.peak_memory / 1e6:,.0f} MB at the most")
    if restored:
        print(f"rederived: {restored[0]:,} triples removed, {restored[1]:,} added")


# -- dry run -------------------------------------------------------------------------------------------------------


def _dry_run(arguments: Namespace, settings: Settings) -> int:
    from kg.read import read_paths

    if arguments.format == "text":
        raise UsageError("a dry run gives a list", hint=f"--format {', '.join(LISTS)}")
    reading = read_paths(arguments.paths, settings, id=arguments.id)
    reading.leave_out(since=arguments.since)
    problems: list[Problem] = []
    try:
        with open_for_reading(settings) as store:
            rows = list(_plan(reading, problems, store, matching(settings, store)))
    except StoreMissing:
        rows = list(_plan(reading, problems, None, settings))
    print_list(rows, ("doc", "state", "published", "title", "characters"), arguments.format)
    for problem in problems:
        _tell(problem)
    return PARTIAL if problems else 0


def _plan(reading: Reading, problems: list[Problem], store: Store | None, settings: Settings) -> Iterator[dict[str, Any]]:
    """A row for each document that would be read, with what is to be done."""
    from kg.build import Line

    fingerprint = Line(settings, settings.base).fingerprint if store else ""
    for item in reading:
        if isinstance(item, Document):
            former = store.ledger.state(item.id) if store else None
            state = "new" if former is None else "unchanged" if former == (item.digest, fingerprint) else "changed"
            characters = sum(len(text.content) for text in item.texts)
            yield {"doc": item.id, "state": state, "published": item.published, "title": item.title, "characters": characters}
        else:
            problems.append(item)


COMMANDS = (
    Command(
        "build",
        "reads documents, extracts and validates their facts, and stores them",
        run,
        ("kg build seeds/documents", "kg build seeds/documents --dry-run", "kg build --rederive"),
        _arguments,
    ),
)
