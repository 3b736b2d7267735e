"""Near duplicates: documents that are one source, because they print nearly the same text. In the ledger's file and its transactions.

Two documents are near duplicates where the exact Jaccard similarity of their sets of shingles (runs of three words) is at least 0.8
(Broder, 1997: On the resemblance and containment of documents). Sources are the connected components of such pairs, so they depend on what
documents there are and not on the order in which they came. MinHash (the package rensa) proposes the pairs that are looked at: those that
agree in one of 40 bands of 4 values; a pair at 0.8 is missed with a probability of 7e-10, and always or never, because seeds are fixed.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from json import dumps
from typing import Any, NamedTuple

from rensa import RMinHash

from kg.errors import StoreError, StoreFull
from kg.model import Document

__all__ = ["VERSION", "Duplicates", "Regrouping", "Signature", "are_near", "sign"]

_SHINGLE = 3
_BANDS, _ROWS = 40, 4
_SEED = 20
_WORD = re.compile(r"\w+")

VERSION = f"1 {RMinHash.ALGORITHM_VERSION} {_SHINGLE} {_BANDS} {_ROWS} {_SEED}"
"""Of signatures: those of different versions can't be compared."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS source (number INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE, label TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS source_label ON source (label);
CREATE TABLE IF NOT EXISTS source_signature (number INTEGER PRIMARY KEY, shingles BLOB NOT NULL, bands BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS source_band (key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source_state (one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT NOT NULL);
"""

_COLUMNS = {"source": 3, "source_signature": 3, "source_band": 2, "source_state": 2}


class Signature(NamedTuple):
    """What a text is compared by: 64-bit hashes of its shingles, and of the bands of its MinHash."""

    shingles: frozenset[int]
    bands: frozenset[int]


def sign(document: Document) -> Signature:
    """The signature of what people read of a document: without its date line, case, punctuation and white space."""
    text = document.body.content[document.body.metadata_end :].casefold()
    words = _WORD.findall(text) or [" ".join(text.split())]
    shingles = {" ".join(words[start : start + _SHINGLE]).encode(errors="replace") for start in range(max(1, len(words) - _SHINGLE + 1))}
    sketch = RMinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
    sketch.update(sorted(shingles))
    values = array("Q", sketch.digest())
    bands = (_hash(bytes([band]) + values[band * _ROWS : (band + 1) * _ROWS].tobytes()) for band in range(_BANDS))
    return Signature(frozenset(map(_hash, shingles)), frozenset(bands))


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big", signed=True)


def are_near(one: Signature, other: Signature) -> bool:
    """Whether two texts are near duplicates; the same whichever is named first."""
    if one.bands.isdisjoint(other.bands):
        return False
    common = len(one.shingles & other.shingles)
    return 5 * common >= 4 * (len(one.shingles) + len(other.shingles) - common)


@dataclass(frozen=True, slots=True)
class Regrouping:
    """What becomes of sources when a document comes, changes or goes.

    `labels` are documents whose source gets another name, with that name: the smallest id among its documents. A fact's number of
    sources can change only where one of the `parted` documents, which join others or leave them, states it.
    """

    labels: dict[str, str]
    parted: frozenset[str]


class Duplicates:
    """The sources of one store. What changes them runs in a transaction that the caller has begun."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def prepare(self) -> None:
        """Makes the tables where there are none."""
        with _mapped():
            self._connection.executescript(_SCHEMA)

    def is_current(self) -> bool:
        """Whether the signatures are of this version; true of none."""
        found = self._rows("SELECT version FROM source_state")
        return found == [(VERSION,)] or not self._rows("SELECT 1 FROM source LIMIT 1")

    # -- reading -----------------------------------------------------------------------------------------------

    def count(self, documents: Collection[str]) -> int:
        """How many independent sources these documents are."""
        if len(documents) < 2:
            return len(documents)
        sql = "SELECT count(DISTINCT label) FROM source WHERE document IN (SELECT value FROM json_each(?))"
        return int(self._rows(sql, dumps(sorted(documents)))[0][0])

    def joined(self) -> Iterator[tuple[str, str]]:
        """(document, name of its source) where the two differ: a source is named by one of its documents."""
        with _mapped():
            yield from self._connection.execute("SELECT document, label FROM source WHERE document != label ORDER BY document")

    def source(self, document_id: str) -> list[str]:
        """The documents that are one source with this one, itself among them; sorted."""
        sql = "SELECT document FROM source WHERE label = (SELECT label FROM source WHERE document = ?) ORDER BY document"
        return [row[0] for row in self._rows(sql, document_id)]

    def regroup(self, document_id: str, signature: Signature | None) -> Regrouping:
        """What putting a document with this signature (None: taking it out) does to sources. Changes nothing.

        A document that comes is compared with one document after the other of each source that MinHash proposes, until one is near.
        Where one goes, its source is searched anew for what is still connected.
        """
        left = [each for each in self.source(document_id) if each != document_id]
        blocks = self._components(left)
        parted = _all_but_largest(blocks) if len(blocks) > 1 else set()
        if signature is not None:
            joined = self._near_blocks(document_id, signature, blocks)
            parted |= _all_but_largest(joined)
            blocks = [block for block in blocks if block not in joined] + [frozenset({document_id}).union(*joined)]
        former = {each: label for block in blocks for each, label in self._labels(block) if each != document_id}
        labels = {each: min(block) for block in blocks for each in block if former.get(each) != min(block)}
        return Regrouping(labels, frozenset(parted))

    def _near_blocks(self, document_id: str, signature: Signature, blocks: list[frozenset[str]]) -> list[frozenset[str]]:
        """The blocks of connected documents that a new document is near to; `blocks` are those of what is left of its former source."""
        place = {each: block for block in blocks for each in block}
        candidates: dict[frozenset[str], list[str]] = defaultdict(list)
        for each in self._proposed(signature):
            if each != document_id:
                block = place.get(each)
                if block is None:
                    block = frozenset(self.source(each))
                    place |= dict.fromkeys(block, block)
                candidates[block].append(each)
        return [block for block, found in candidates.items() if any(are_near(signature, other) for other in self._signatures(found))]

    def _proposed(self, signature: Signature) -> list[str]:
        sql = """SELECT DISTINCT document FROM source_band JOIN source USING (number)
            WHERE key IN (SELECT value FROM json_each(?)) ORDER BY document"""
        return [row[0] for row in self._rows(sql, dumps(sorted(signature.bands)))]

    def _components(self, documents: list[str]) -> list[frozenset[str]]:
        """Connected components of near duplicates among these documents."""
        unreached = dict(zip(documents, self._signatures(documents), strict=True)) if len(documents) > 1 else {}
        found = []
        while unreached:
            start, signature = unreached.popitem()
            block, border = {start}, [signature]
            while border and unreached:
                signature = border.pop()
                near = [each for each, other in unreached.items() if are_near(signature, other)]
                block.update(near)
                border += [unreached.pop(each) for each in near]
            found.append(frozenset(block))
        return found or [frozenset(documents)] * bool(documents)

    def _signatures(self, documents: Iterable[str]) -> Iterator[Signature]:
        for each in documents:
            sql = "SELECT shingles, bands FROM source JOIN source_signature USING (number) WHERE document = ?"
            ((shingles, bands),) = self._rows(sql, each)
            yield Signature(frozenset(array("q", shingles)), frozenset(array("q", bands)))

    def _labels(self, documents: Iterable[str]) -> list[tuple[str, str]]:
        sql = "SELECT document, label FROM source WHERE document IN (SELECT value FROM json_each(?))"
        return self._rows(sql, dumps(sorted(documents)))

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with _mapped():
            return self._connection.execute(sql, values).fetchall()

    # -- changing ----------------------------------------------------------------------------------------------

    def change(self, document_id: str, signature: Signature | None, regrouping: Regrouping) -> None:
        """Puts a document (None: takes it out), and does what was found to follow from it."""
        with _mapped():
            self._remove(document_id)
            if signature is not None:
                self._insert(document_id, signature)
            self._connection.executemany(
                "UPDATE source SET label = ? WHERE document = ?", [(label, each) for each, label in sorted(regrouping.labels.items())]
            )

    def _remove(self, document_id: str) -> None:
        sql = "SELECT number, bands FROM source JOIN source_signature USING (number) WHERE document = ?"
        for number, bands in self._rows(sql, document_id):
            self._connection.executemany(
                "DELETE FROM source_band WHERE key = ? AND number = ?", [(key, number) for key in array("q", bands)]
            )
            self._connection.execute("DELETE FROM source_signature WHERE number = ?", (number,))
            self._connection.execute("DELETE FROM source WHERE number = ?", (number,))

    def _insert(self, document_id: str, signature: Signature) -> None:
        insert = self._connection.execute("INSERT INTO source (document, label) VALUES (?, ?)", (document_id, document_id))
        shingles, bands = (array("q", sorted(values)).tobytes() for values in signature)
        self._connection.execute("INSERT INTO source_signature VALUES (?, ?, ?)", (insert.lastrowid, shingles, bands))
        keys = [(key, insert.lastrowid) for key in sorted(signature.bands)]
        self._connection.executemany("INSERT INTO source_band VALUES (?, ?)", keys)
        self._connection.execute("INSERT OR REPLACE INTO source_state VALUES (1, ?)", (VERSION,))

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Forgets all, and finds the sources of these documents."""
        with _mapped():
            for table in _COLUMNS:
                self._connection.execute(f"DELETE FROM {table}")
        self.fill((document.id, sign(document)) for document in documents)

    def fill(self, signatures: Iterable[tuple[str, Signature]]) -> None:
        """Puts many documents, one after the other."""
        for document_id, signature in signatures:
            self.change(document_id, signature, self.regroup(document_id, signature))

    def fill_from(self, other: Duplicates) -> None:
        """Takes all from the sources of another file, where there are none here yet."""
        with _mapped():
            for table, count in _COLUMNS.items():
                rows = other._connection.execute(f"SELECT * FROM {table}")
                self._connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * count)})", rows)


def _all_but_largest(blocks: list[frozenset[str]]) -> set[str]:
    """Where blocks come together or apart, what is stated in two of them is stated in one that is not the largest."""
    return {each for block in sorted(blocks, key=lambda block: (len(block), sorted(block)))[:-1] for each in block}


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreFull(f"the ledger: {error}", hint="free some space and run the same command again") from error
        raise StoreError(f"the ledger: {error}", hint="`kg doctor` tells more") from error
