"""Decisions about Wikidata: what a person names, and what stands in the correction that is made of it."""

from __future__ import annotations

import re

from kg.errors import UsageError
from kg.settings import Settings
from kg.store import Store
from kg.wikidata.index import open_indexes

__all__ = ["label_of", "read_qid"]


def read_qid(text: str) -> str:
    """The identifier of a Wikidata item, with or without what addresses begin with; raises UsageError."""
    ident = text.removeprefix("http://www.wikidata.org/entity/").removeprefix("https://www.wikidata.org/wiki/").removeprefix("wd:")
    if not re.fullmatch(r"Q[1-9]\d*", ident):
        raise UsageError(f"{text!r} is no identifier of a Wikidata item", hint="it is a Q with a number, as `kg link --review` shows it")
    return ident


def label_of(store: Store, settings: Settings, entity: str, qid: str) -> str:
    """The item's label, where a candidate or the index tells it; it stands in the decision, so that a rebuild needs no index for it."""
    known = [link for _, each in store.ledger.entities([entity]) for link in ((each.link,) if each.link else ()) + each.candidates]
    labels = sorted({link.label for link in known if link.qid == qid})
    items = (index.item(qid) for index in open_indexes(settings.wikidata_index)) if not labels else ()
    return next((item.label for item in items if item), labels[0] if labels else "")
