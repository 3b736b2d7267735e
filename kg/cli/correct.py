"""`kg retract`, `kg reject`, `kg merge`, `kg split`: takes out what is not wanted, and records decisions by hand."""

from __future__ import annotations

import getpass
import json
import re
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import count, print_list
from kg.cli.stores import entity_id, matching, open_for_reading, open_for_writing, require_document, reviser
from kg.errors import InputError, NotFound, UsageError
from kg.fuse import Identity
from kg.model import Correction

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS", "agent_of"]


def _retract_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="documents, as `kg documents` lists them")
    parser.add_argument(
        "--purge",
        action="store_true",
        help="leave no byte of what was ever taken out under the store's folder; alone: of former retractions",
    )


def _retract(arguments: Namespace, settings: Settings) -> int:
    if not arguments.ids and not arguments.purge:
        raise UsageError("nothing to retract", hint="name documents: `kg retract ID…`; `kg documents` lists them")
    with open_for_writing(settings) as store:
        ids = [require_document(store, each) for each in dict.fromkeys(arguments.ids)]
        change = reviser(store, settings)
        for each in ids:
            change.retract(each)
        if arguments.purge:
            store.scrub()
    print(f"{count(len(ids), 'document')} retracted{', nothing of them is left' if arguments.purge else ''}")
    return 0


# -- decisions by hand ---------------------------------------------------------------------------------------------


def _reject_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("fact", metavar="FACT", help="IRI or id of a fact, as `kg facts --format jsonl` gives it")


def _reject(arguments: Namespace, settings: Settings) -> int:
    with open_for_writing(settings) as store:
        fact = _fact_id(store, arguments.fact, matching(settings, store))
        _record(store, settings, "reject", (fact,))
    print(f"rejected: fact {fact}")
    return 0


def _fact_id(store: Store, text: str, settings: Settings) -> str:
    from kg.query.run import run_query

    ident = text.removeprefix(store.namespace.fact("")).removeprefix("fact/")
    known = re.fullmatch("[0-9a-f]{20}", ident) and run_query(
        store, f"ASK {{ <{store.namespace.fact(ident)}> a kg:Fact }}", settings=settings
    )
    if not known:
        raise NotFound(f"no fact {text!r}", hint="`kg facts --format jsonl` gives the IRI of each")
    return ident


def _merge_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kept", metavar="A", help="an entity: IRI, id (person/kim-kardashian) or name")
    parser.add_argument("gone", metavar="B", help="an entity that is the same as A")


def _merge(arguments: Namespace, settings: Settings) -> int:
    with open_for_writing(settings) as store:
        kept, gone = entity_id(store, arguments.kept), entity_id(store, arguments.gone)
        if kept == gone:
            raise UsageError(f"both are {kept}", hint="name two entities; nothing was changed")
        _record(store, settings, "merge", (kept, gone))
    print(f"merged: {gone} is {kept}")
    return 0


def _split_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("entity", metavar="A", help="an entity: IRI, id or name")


def _split(arguments: Namespace, settings: Settings) -> int:
    with open_for_writing(settings) as store:
        entity = entity_id(store, arguments.entity)
        _record(store, settings, "split", (entity,))
    print(f"split: {entity}")
    return 0


def _record(store: Store, settings: Settings, kind: str, parts: tuple[str, ...]) -> None:
    from kg.review import record

    record(reviser(store, settings), kind, parts, agent=agent_of(settings))


def agent_of(settings: Settings) -> str:
    """Who decides: the setting, else the name of the user."""
    try:
        return settings.agent or getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("who decides is not known", hint="set KG_AGENT to your name") from error


# -- decisions as data ---------------------------------------------------------------------------------------------


def _decisions_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--import", dest="file", metavar="FILE", help="take the decisions of a file of JSON Lines that are not there yet")
    add_format(parser)


def _decisions(arguments: Namespace, settings: Settings) -> int:
    if arguments.file:
        wanted = _read_decisions(Path(arguments.file))
        with open_for_writing(settings) as store:
            known = set(store.ledger.corrections())
            fresh = [each for each in wanted if each not in known]
            reviser(store, settings).correct(*fresh)
        print(f"{count(len(fresh), 'decision')} taken, {len(wanted) - len(fresh):,} known")
        return 0
    with open_for_reading(settings) as store:
        rows = [asdict(each) for each in store.ledger.corrections()]
    print_list(rows, ("kind", "arguments", "agent", "date"), arguments.format)
    return 0


def _read_decisions(path: Path) -> list[Correction]:
    """Decisions as `kg decisions --format jsonl` writes them. InputError names the line that is none."""
    number, found = 0, []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):  # noqa: B007 - errors name it
            if line.strip():
                row = json.loads(line)
                decision = Correction(row["kind"], tuple(row["arguments"]), row["agent"], row["date"])
                Identity([decision])  # refuses what is no decision
                if not all(isinstance(each, str) for each in (*decision.arguments, decision.agent, decision.date)):
                    raise ValueError("arguments, agent and date are texts")
                found.append(decision)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", hint="name a file that is there") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}, line {number} is no decision: {error!r}", hint="write decisions with `kg decisions --format jsonl`"
        ) from error
    return found


COMMANDS = (
    Command(
        "retract",
        "takes documents out of the store, exactly",
        _retract,
        ("kg retract balenciaga-le-city", "kg retract --purge"),
        _retract_arguments,
    ),
    Command("reject", "takes a fact out by hand, and keeps it out", _reject, ("kg reject ce91be2c14c54fa0bbf4",), _reject_arguments),
    Command("merge", "says that two entities are one", _merge, ('kg merge "Kim Kardashian" "Kim Kardashian West"',), _merge_arguments),
    Command(
        "split",
        "undoes the merges of an entity, or tells it apart by document",
        _split,
        ('kg split "Kim Kardashian"',),
        _split_arguments,
    ),
    Command(
        "decisions",
        "lists decisions by hand, and takes those of a file: documents, index and decisions make the same graph again",
        _decisions,
        ("kg decisions --format jsonl",),
        _decisions_arguments,
    ),
)
