"""Links after the build: asked for anew, offline or online, and the queue of what is in doubt with the decisions about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kg.errors import UsageError
from kg.model import Correction, Profile
from kg.revise import Reviser
from kg.wikidata.index import WikidataIndex
from kg.wikidata.linking import Linker, context_of
from kg.wikidata.online import Answers, Finder, Reply, Wanted, as_candidates, ask_all
from kg.wikidata.rank import REVIEW, Match, find

__all__ = ["Asked", "as_rows", "ask_online", "decide", "item_id", "label_of", "queue", "record", "relink"]

_SHOWN = 5
_LONGEST_CONTEXT = 8000


def relink(reviser: Reviser, linker: Linker) -> None:
    """Asks the indexes for every document's entities anew; what people decided stays."""
    ledger = reviser.store.ledger
    for document_id in ledger.ids():
        row = ledger.row(document_id)
        if row is not None:
            resolution, fingerprint = linker(row.document, row.resolution), linker.sign(row.fingerprint)
            if (resolution, fingerprint) != (row.resolution, row.fingerprint):
                reviser.relink(document_id, resolution, fingerprint=fingerprint)


# -- the queue and decisions ---------------------------------------------------------------------------------------


def queue(reviser: Reviser) -> list[Profile]:
    """Entities with candidates and no link, those that most documents mention first."""
    found = [profile for profile in reviser.profiles() if profile.candidates]
    return sorted(found, key=lambda profile: (-len(profile.documents), -profile.candidates[0].score, profile.id))


def as_rows(profile: Profile) -> Iterator[dict[str, Any]]:
    """Each candidate of an entity as plain data, with the features (0 to 1) that made its score."""
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


def item_id(text: str) -> str:
    """The identifier of an item, of which the IRI, the page's address or ``wd:Q…`` may be given. UsageError where it is none."""
    ident = text.removeprefix("http://www.wikidata.org/entity/").removeprefix("https://www.wikidata.org/wiki/").removeprefix("wd:")
    if not re.fullmatch(r"Q[1-9]\d*", ident):
        raise UsageError(f"{text!r} is no identifier of a Wikidata item", hint="it is a Q with a number, as `kg link --review` shows it")
    return ident


def label_of(reviser: Reviser, entity: str, qid: str, indexes: Sequence[WikidataIndex] = ()) -> str:
    """The item's label, where a candidate or an index tells it: it stands in the decision, so that a rebuild needs no index for it."""
    held = [profile for profile in reviser.profiles() if profile.id == entity]
    known = [link for profile in held for link in ((profile.link,) if profile.link else ()) + profile.candidates]
    labels = sorted({link.label for link in known if link.qid == qid})
    items = (index.item(qid) for index in indexes) if not labels else ()
    return next((item.label for item in items if item), labels[0] if labels else "")


def record(reviser: Reviser, kind: str, parts: tuple[str, ...], *, agent: str) -> Correction:
    """Takes a decision of today. The one use of the clock: who and when are part of the decision."""
    correction = Correction(kind, parts, agent, datetime.now().astimezone().date().isoformat())
    reviser.correct(correction)
    return correction


def decide(reviser: Reviser, kind: str, entity: str, qid: str = "", *, agent: str, indexes: Sequence[WikidataIndex] = ()) -> Correction:
    """Takes a decision about the entity of an id: ``link`` it to an item, ``unlink`` it from one, or ``no-link`` (Wikidata has none).

    UsageError for another kind and for what is no identifier.
    """
    if kind == "no-link":
        return record(reviser, kind, (entity,), agent=agent)
    if kind not in ("link", "unlink"):
        raise UsageError(f"{kind!r} is no decision about a link", hint="it is link, unlink or no-link")
    item = item_id(qid)
    label = (label_of(reviser, entity, item, indexes),) if kind == "link" else ()
    return record(reviser, kind, (entity, item, *label), agent=agent)


# -- online --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service was asked: how many entities, and how many of them it linked or left in doubt."""

    entities: int
    linked: int
    doubtful: int


def ask_online(reviser: Reviser, indexes: Sequence[WikidataIndex], finder: Finder, answers: Answers) -> Asked:
    """Asks a service for every entity that neither an index nor a person has an item for, and records what it says as decisions.

    Its candidates are ranked with those of the indexes. An accepted one becomes a decision ``found``, those in doubt ``candidate``,
    with the service as agent and the day of its answer: they yield to people's decisions and to what an index is sure of.
    ServiceUnavailable ends it; what was answered is in the file of answers, and nothing is recorded of the rest.
    """
    waiting = [each for each in reviser.profiles() if not each.link and not reviser.identity.is_decided(each.id)]
    known = {(each.kind, each.arguments) for each in reviser.ledger.corrections()}
    linked = doubtful = 0
    wanted = [Wanted(profile.label, profile.types[0]) for profile in waiting]
    for profile, reply in zip(waiting, ask_all(finder, wanted, answers), strict=True):
        matches = _rank(reviser, profile, reply, indexes)
        others = iter(alias for alias in profile.aliases if " " in alias)
        while not any(match.candidate.how != "typo" for match in matches) and (alias := next(others, None)):
            (reply,) = ask_all(finder, [Wanted(alias, profile.types[0])], answers)
            matches = _rank(reviser, profile, reply, indexes) or matches
        fresh = list(_decisions(profile, reply, matches))
        linked += any(each.kind == "found" for each in fresh)
        doubtful += any(each.kind == "candidate" for each in fresh)
        if unknown := [each for each in fresh if (each.kind, each.arguments) not in known]:
            reviser.correct(*unknown)
    return Asked(len(waiting), linked, doubtful)


def _rank(reviser: Reviser, profile: Profile, reply: Reply, indexes: Sequence[WikidataIndex]) -> list[Match]:
    """Candidates of the service and of the indexes, by all that an entity's documents say around it and name beside it."""
    contexts, beside = [], set[str]()
    for document_id in profile.documents:
        row = reviser.ledger.row(document_id)
        if row is None:
            continue
        for entity in row.resolution.entities:
            if reviser.identity.of(entity.id, document_id) == profile.id:
                contexts.append(context_of(row.document, entity))
            else:
                beside.add(entity.name)
    context = " … ".join(contexts)[:_LONGEST_CONTEXT]
    offered = as_candidates(reply)
    return find(reply.wanted.name, indexes, type=profile.types[0], context=context, beside=sorted(beside), more=offered)


def _decisions(profile: Profile, reply: Reply, matches: Sequence[Match]) -> Iterator[Correction]:
    for match in matches[:_SHOWN]:
        item = match.candidate.item
        features = " ".join(f"{name}={value:g}" for name, value in sorted(match.features.items()))
        said = (profile.id, item.qid, item.label, f"{match.score:.4f}", match.candidate.how, item.description, features)
        if match.accepted:
            yield Correction("found", said, reply.service, reply.asked)
            return
        if match.score >= REVIEW and match.candidate.index == reply.service:
            yield Correction("candidate", said, reply.service, reply.asked)
