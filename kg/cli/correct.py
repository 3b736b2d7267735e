"""`kg retract`, `kg reject`, `kg merge`, `kg split`: takes out what is not wanted, and records decisions by hand."""

from __future__ import annotations

import datetime
import getpass
import re
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kg.cli.command import Command
from kg.cli.output import count
from kg.cli.stores import entity_id, matching, open_for_writing, require_document, reviser
from kg.errors import NotFound, UsageError
from kg.model import Correction

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]


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
    """The one use of the clock and of the user's name: both are part of the decision."""
    today = datetime.datetime.now().astimezone().date().isoformat()
    reviser(store, settings).correct(Correction(kind, parts, settings.agent or _login(), today))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("who decides is not known", hint="set KG_AGENT to your name") from error


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
)
