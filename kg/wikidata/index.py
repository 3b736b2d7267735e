"""Looks names up in an index of Wikidata items: one SQLite file, read only, by exact name and by name with a typing error."""

from __future__ import annotations

import json
import re
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from rapidfuzz.distance import OSA

from kg.errors import InputError
from kg.names import fold
from kg.resources import resource

__all__ = [
    "FORMAT",
    "SHIPPED",
    "Candidate",
    "Item",
    "WikidataIndex",
    "deletion_keys",
    "name_key",
    "open_index",
    "open_indexes",
    "unpacked",
]

FORMAT = "kg-wikidata-1"
"""Stands in the metadata of every index; another one is refused."""

SHIPPED = "shipped"
"""Name of the index that comes with the package."""

SHORTEST = 3
"""Words shorter than this are looked up as they are: one letter less would leave too little."""

_MOST = 200
"""Most items of one name that are looked at, the best known first."""


@dataclass(frozen=True, slots=True)
class Item:
    """One Wikidata item. `aliases` are English, `others` names in other languages; `prior` is how well known it is, 0 to 1.

    `types` are classes of the ontology. None: what the item is an instance of is not known; (): it is of none of our classes.
    `edges` are (property, item) pairs, such as ``("P127", "Q…")``.
    """

    qid: str
    label: str
    aliases: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    description: str = ""
    types: tuple[str, ...] | None = None
    prior: float = 0.0
    edges: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the label first."""
        return (self.label, *self.aliases, *self.others)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a name may mean: `matched` is the item's name that is most like it, `how` says which kind that is.

    `how` is ``label``, ``alias``, ``other`` (a name in another language) or ``typo``; `similarity` is 1 where the folded
    names are equal, else 1 - edits / length. `index` names the index that gave it.
    """

    item: Item
    matched: str
    how: str
    similarity: float
    index: str

    @property
    def qid(self) -> str:
        """The item's identifier."""
        return self.item.qid


def name_key(text: str) -> int:
    """The 32-bit key under which a folded name or a shortened word is filed (CRC-32 of its UTF-8)."""
    return crc32(text.encode())


def deletion_keys(word: str) -> set[int]:
    """Keys of a word and of all that is left of it without one of its letters: words at one edit share a key.

    SymSpell's symmetric deletes (Garbe, 2012), on words of names instead of whole names.
    """
    if len(word) < SHORTEST:
        return {name_key(word)}
    return {name_key(word), *(name_key(word[:at] + word[at + 1 :]) for at in range(len(word)))}


def unpacked(blob: bytes | None) -> array[int]:
    """Numbers of a posting list: 32-bit unsigned, little endian."""
    numbers = array("I")
    numbers.frombytes(blob or b"")
    return numbers


class WikidataIndex:
    """One open index file. Safe for several threads to read; `name` and `digest` tell its content, `metadata` what it is made of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            rows = self._connection.execute("SELECT key, value FROM meta").fetchall()
            self.metadata: dict[str, object] = {key: json.loads(value) for key, value in rows}
        except (sqlite3.Error, ValueError, OSError) as error:
            raise InputError(
                f"the index {path} can't be read: {error}", hint="make one with `kg wikidata index`, or leave the setting out"
            ) from error
        if self.metadata.get("format") != FORMAT:
            raise InputError(f"the index {path} is of another format", hint="make it anew with `kg wikidata index`")
        self.digest = str(self.metadata["digest"])
        self.name = f"{path.stem}-{self.digest[:12]}"

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __len__(self) -> int:
        """Number of items."""
        return int(str(self.metadata["items"]))

    # -- look-ups ----------------------------------------------------------------------------------------------

    def item(self, qid: str) -> Item | None:
        """The item of this identifier."""
        return next(self._items([int(qid[1:])]), None) if re.fullmatch(r"Q[1-9]\d*", qid) else None

    def candidates(self, name: str, *, type: str | None = None, limit: int = 10) -> list[Candidate]:
        """Items that a name may mean, those written just so first, then the best known.

        Where a type is given, items of it and of unknown type.

        Those that have exactly this name (but for case, accents and punctuation); where there is none, those whose
        name is this one with a typing error: one edit in a word, all words but one alike.
        """
        folded = fold(name)
        found = self._exact(folded, type) or self._similar(folded, type)
        return sorted(found, key=lambda each: (name not in each.item.names, *_rank(each)))[:limit]

    def edges(self, qids: Iterable[str]) -> dict[str, set[str]]:
        """Each of these items → items that one of its claims names, or that name it in one of theirs."""
        found: dict[str, set[str]] = {}
        for qid in qids:
            number = int(qid[1:])
            sql = "SELECT object FROM edge WHERE subject = ?1 UNION SELECT subject FROM edge_back WHERE object = ?1"
            found[qid] = {f"Q{row[0]}" for row in self._connection.execute(sql, (number,))}
        return found

    def _exact(self, folded: str, type: str | None) -> list[Candidate]:
        row = self._connection.execute("SELECT items FROM name WHERE key = ?", (name_key(folded),)).fetchone()
        found: list[Candidate] = []
        for item in self._items(unpacked(row and row[0])[:_MOST]):
            if not _is_of(item, type):
                continue
            for how, forms in (("label", (item.label,)), ("alias", item.aliases), ("other", item.others)):
                matched = next((form for form in forms if fold(form) == folded), None)
                if matched is not None:
                    found.append(Candidate(item, matched, how, 1.0, self.name))
                    break
        return found

    def _similar(self, folded: str, type: str | None) -> list[Candidate]:
        words = folded.split()
        if len(folded) <= SHORTEST or not words:
            return []
        spread = [self._alike(word) for word in words]
        found = []
        for item in self._items(self._sharing(words, spread)):
            if not _is_of(item, type):
                continue
            matched = min(item.names, key=lambda form: (OSA.distance(fold(form), folded), form))
            edits = OSA.distance(fold(matched), folded)
            if edits <= max(1, len(folded) // 6):
                similarity = round(1 - edits / max(len(folded), len(fold(matched))), 4)
                found.append(Candidate(item, matched, "typo", similarity, self.name))
        return found

    def _alike(self, word: str) -> dict[str, array[int]]:
        """Words of the index at one edit at most from a word, each with the items that have it in a name."""
        keys = sorted(deletion_keys(word))
        marks = ",".join("?" * len(keys))
        numbers = {
            number
            for row in self._connection.execute(f"SELECT words FROM deletion WHERE key IN ({marks})", keys)
            for number in unpacked(row[0])
        }
        marks = ",".join("?" * len(numbers))
        rows = self._connection.execute(f"SELECT text, items FROM word WHERE id IN ({marks})", sorted(numbers))
        return {text: unpacked(items) for text, items in rows if OSA.distance(text, word, score_cutoff=1) <= 1}

    def _sharing(self, words: list[str], spread: list[dict[str, array[int]]]) -> list[int]:
        """Items that have every word of a name, one of them misspelt; or, with one word missing, the others as they are."""
        for wrong in range(len(words)):
            exact = [spread[at].get(words[at], array("I")) for at in range(len(words)) if at != wrong]
            near = sorted((items for text, items in spread[wrong].items() if text != words[wrong]), key=len)
            if exact and not all(exact):
                continue
            yielded = _common([*exact, _union(near)]) if near else []
            if yielded:
                return yielded[:_MOST]
        exact = [spread[at].get(word, array("I")) for at, word in enumerate(words)]
        held = sorted((items for items in exact if items), key=len)
        return _common(held)[:_MOST] if len(words) > 1 and len(held) >= len(words) - 1 else []

    def _items(self, numbers: Iterable[int]) -> Iterator[Item]:
        """Items by number, in that order."""
        sql = "SELECT label, aliases, others, description, types, prior FROM entity WHERE qid = ?"
        for number in numbers:
            row = self._connection.execute(sql, (number,)).fetchone()
            if row is not None:
                label, aliases, others, description, types, prior = row
                kinds = None if types is None else tuple(types.split())
                yield Item(f"Q{number}", label, _split(aliases), _split(others), description, kinds, prior)


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split("|")) if names else ()


def _is_of(item: Item, type: str | None) -> bool:
    return type is None or item.types is None or type in item.types


def _rank(candidate: Candidate) -> tuple[object, ...]:
    order = ("label", "alias", "other", "typo").index(candidate.how)
    return -candidate.similarity, -candidate.item.prior, order, int(candidate.qid[1:])


def _union(lists: Iterable[array[int]]) -> array[int]:
    return array("I", sorted({number for each in lists for number in each}))


def _common(lists: list[array[int]]) -> list[int]:
    """Numbers that are in all of these sorted lists; the shortest is walked, the others are searched."""
    shortest, *rest = sorted(lists, key=len)
    return [number for number in shortest if all(_holds(each, number) for each in rest)]


def _holds(numbers: array[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


def open_index(path: str | Path = SHIPPED) -> WikidataIndex:
    """The index in a file; ``shipped`` is the one of the package. InputError where it is none."""
    place = resource("seeds", "wikidata", "index.sqlite") if str(path) == SHIPPED else Path(path)
    if not place.is_file():
        raise InputError(f"there is no index {place}", hint="make one with `kg wikidata index`, or name `shipped`")
    return WikidataIndex(place)


def open_indexes(paths: str | Iterable[str]) -> list[WikidataIndex]:
    """Several indexes, named in a list or separated by commas, each once."""
    names = [each.strip() for each in paths.split(",")] if isinstance(paths, str) else list(paths)
    return [open_index(each) for each in dict.fromkeys(names) if each]
