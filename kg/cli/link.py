"""`kg link`: links a store's entities to Wikidata, shows what is in doubt, and takes decisions about it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command, add_format
from kg.cli.correct import record_decision
from kg.cli.output import count, is_terminal, print_list, print_notice, visible
from kg.cli.stores import entity_id, open_for_reading, open_for_writing, reviser

if TYPE_CHECKING:
    from kg.model import Profile
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

_COLUMNS = ("entity", "name", "type", "qid", "label", "description", "score")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--index", dest="indexes", metavar="INDEX", action="append", help="a file, or shipped; may be repeated (default: the setting)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--review", action="store_true", help="show candidates of what is in doubt; on a terminal, decide by key")
    what.add_argument("--accept", nargs=2, metavar=("ENTITY", "QID"), help="say that an entity is this item")
    what.add_argument("--reject", nargs=2, metavar=("ENTITY", "QID"), help="say that an entity is not this item")
    what.add_argument("--none", metavar="ENTITY", help="say that Wikidata has no item for an entity")
    add_format(parser)


def _link(arguments: Namespace, settings: Settings) -> int:
    if arguments.indexes:
        settings = settings.replace(wikidata_index=",".join(arguments.indexes))
    if arguments.review:
        return _review(arguments, settings)
    for kind, given in (("link", arguments.accept), ("unlink", arguments.reject), ("no-link", arguments.none and [arguments.none])):
        if given:
            with open_for_writing(settings) as store:
                print(_decide(store, settings, kind, given))
            return 0
    return _link_all(settings)


def _link_all(settings: Settings) -> int:
    """Asks the index for every document's entities anew; what people decided stays."""
    from kg.wikidata.linking import load_linker

    linker = load_linker(settings.wikidata_index)
    with open_for_writing(settings) as store:
        change = reviser(store, settings)
        for document_id in store.ledger.ids():
            row = store.ledger.row(document_id)
            if row is not None:
                resolution, fingerprint = linker(row.document, row.resolution), linker.sign(row.fingerprint)
                if (resolution, fingerprint) != (row.resolution, row.fingerprint):
                    change.relink(document_id, resolution, fingerprint=fingerprint)
        store.checkpoint()
        profiles = list(change.profiles())
    linked, doubtful = (sum(bool(each) for each in kind) for kind in ([p.link for p in profiles], [p.candidates for p in profiles]))
    print(f"{count(linked, 'entity', 'entities')} linked, {doubtful:,} in doubt, {len(profiles) - linked - doubtful:,} without a candidate")
    if doubtful:
        print_notice("`kg link --review` shows what is in doubt")
    return 0


# -- decisions -----------------------------------------------------------------------------------------------------


def _decide(store: Store, settings: Settings, kind: str, given: list[str]) -> str:
    """Records one decision, and says what it was."""
    from kg.review import label_of, read_qid

    entity = entity_id(store, given[0])
    qid = read_qid(given[1]) if len(given) > 1 else ""
    label = label_of(store, settings, entity, qid) if kind == "link" else ""
    parts = {"link": (entity, qid, label), "unlink": (entity, qid), "no-link": (entity,)}[kind]
    record_decision(store, settings, kind, parts)
    return {
        "link": f"linked: {entity} is {qid}" + (f" ({label})" if label else ""),
        "unlink": f"not linked: {entity} is not {qid}",
        "no-link": f"not linked: Wikidata has no item for {entity}",
    }[kind]


# -- review --------------------------------------------------------------------------------------------------------


def _review(arguments: Namespace, settings: Settings) -> int:
    if is_terminal() and sys.stdin.isatty() and arguments.format is None:
        return _review_by_key(settings)
    with open_for_reading(settings) as store:
        rows = list(_rows(_doubtful(store, settings)))
    print_list(rows, _COLUMNS, arguments.format)
    return 0


def _doubtful(store: Store, settings: Settings) -> list[Profile]:
    """Entities with candidates and no link, those that most documents mention first."""
    found = [profile for profile in reviser(store, settings).profiles() if profile.candidates]
    return sorted(found, key=lambda profile: (-len(profile.documents), -profile.candidates[0].score, profile.id))


def _rows(profiles: list[Profile]) -> Iterator[dict[str, Any]]:
    for profile in profiles:
        for link in profile.candidates:
            yield {
                "entity": profile.id,
                "name": profile.label,
                "type": profile.types[0],
                "documents": len(profile.documents),
                "qid": link.qid,
                "label": link.label,
                "description": link.description,
                "score": link.score,
                "features": dict(link.features),
            }


def _review_by_key(settings: Settings) -> int:
    """One entity after another: a number accepts, x and a number rejects, n is none of these, s passes over, q ends."""
    decided = 0
    with open_for_writing(settings) as store:
        waiting = _doubtful(store, settings)
        for place, profile in enumerate(waiting, 1):
            print(
                f"\n{place} of {len(waiting)}: {visible(profile.label)} ({profile.types[0]}, {count(len(profile.documents), 'document')})"
            )
            for number, link in enumerate(profile.candidates, 1):
                print(f"  {number}  {link.score:.2f}  {link.qid}  {visible(link.label)}: {visible(link.description)}")
                print(f"           {', '.join(f'{name} {value:g}' for name, value in link.features)}")
            decision = _answer(profile)
            if decision is None:
                break
            if decision:
                kind, *given = decision
                print(f"  {_decide(store, settings, kind, [profile.id, *given])}")
                decided += 1
    print(f"\n{count(decided, 'decision')} recorded")
    return 0


def _answer(profile: Profile) -> tuple[str, ...] | None:
    """The decision that a person types: its kind and identifier; () for none, None to end."""
    while True:
        try:
            text = input("  accept 1…, reject x1…, [n]one of these, [s]kip, [q]uit: ").strip().lower()
        except EOFError:
            return None
        number = text.removeprefix("x")
        if number.isdigit() and 0 < int(number) <= len(profile.candidates):
            return "unlink" if text.startswith("x") else "link", profile.candidates[int(number) - 1].qid
        if text in ("n", "none"):
            return ("no-link",)
        if text in ("s", "skip"):
            return ()
        if text in ("q", "quit"):
            return None


COMMANDS = (
    Command(
        "link",
        "links entities to Wikidata, and takes decisions about what is in doubt",
        _link,
        ("kg link", "kg link --review --format jsonl", 'kg link --none "Closet Campaign"'),
        _arguments,
    ),
)
