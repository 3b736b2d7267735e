"""The full-text index of a store: names, sentences and texts in SQLite's FTS5, in the ledger's file and its transactions.

It is a pure function of the graph. The tables of FTS5 keep no text of their own (contentless), only what words stand where.
Every word is indexed without case and accents. Ranks are those of BM25 (Robertson and Zaragoza, 2009), which depend on what is
in, not on the order in which it came.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kg.errors import StoreError, StoreFull
from kg.model import content_hash
from kg.names import fold, plain

__all__ = ["ALIAS", "LABEL", "QUOTE", "TEXT", "TITLE", "Entry", "FullText", "Place"]

LABEL, ALIAS, QUOTE, TITLE, TEXT = range(5)
"""What an entry is: the two names of a thing, a sentence, a title, a whole text."""

VERSION = 1
"""Of the index's own form; another one is built anew."""

_NAMES = (LABEL, ALIAS)
_TABLES = ("searchable_name", "searchable_part", "searchable_text")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS searchable (
    number INTEGER PRIMARY KEY, node TEXT NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL, folded TEXT,
    UNIQUE (node, kind, text));
CREATE INDEX IF NOT EXISTS searchable_folded ON searchable (folded) WHERE folded IS NOT NULL;
CREATE VIRTUAL TABLE IF NOT EXISTS searchable_name USING fts5(words, content='', tokenize="unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE IF NOT EXISTS searchable_part USING fts5(words, content='', tokenize='trigram');
CREATE VIRTUAL TABLE IF NOT EXISTS searchable_text USING fts5(words, content='', tokenize="unicode61 remove_diacritics 2");
CREATE TABLE IF NOT EXISTS searchable_state (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, step INTEGER NOT NULL);
"""
_STEP = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0)"
_MOST_WORDS = 32


class Entry(NamedTuple):
    """Something that can be found: which node has it, what it is (LABEL …), and its text."""

    node: str
    kind: int
    text: str


class Place(NamedTuple):
    """Where a search found something; `text` is the name, empty for sentences and texts. More `weight` is better."""

    node: str
    kind: int
    text: str
    folded: str
    weight: float


class FullText:
    """The index in one SQLite file. What changes it runs in a transaction that the caller has begun."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # -- keeping in step ---------------------------------------------------------------------------------------

    def is_in_step(self) -> bool:
        """Whether the index knows every difference of the journal; else it has to be built anew."""
        with _mapped():
            if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'searchable_state'").fetchone():
                return False
            found = self._connection.execute(f"SELECT version, step, ({_STEP}) FROM searchable_state").fetchone()
        return found is not None and found[0] == VERSION and found[1] == found[2]

    def follow(self, removed: Iterable[Entry], added: Iterable[Entry]) -> None:
        """Takes the entries of the difference that the journal has just noted, in the same transaction."""
        self.change(removed, added)
        self._connection.execute(f"UPDATE searchable_state SET step = step + 1 WHERE step + 1 = ({_STEP})")

    def change(self, removed: Iterable[Entry], added: Iterable[Entry]) -> None:
        """Takes entries out and in; what is not there is not taken out, and what is there stays once."""
        for entry in removed:
            found = self._connection.execute(
                "DELETE FROM searchable WHERE node = ? AND kind = ? AND text = ? RETURNING number", _key(entry)
            ).fetchall()
            for (number,) in found:
                for table, words in _words(entry):
                    self._connection.execute(f"INSERT INTO {table} ({table}, rowid, words) VALUES ('delete', ?, ?)", (number, words))
        for entry in added:
            folded = fold(entry.text) if entry.kind in _NAMES else None
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO searchable (node, kind, text, folded) VALUES (?, ?, ?, ?)", (*_key(entry), folded)
            )
            if cursor.rowcount:
                for table, words in _words(entry):
                    self._connection.execute(f"INSERT INTO {table} (rowid, words) VALUES (?, ?)", (cursor.lastrowid, words))

    def rebuild(self, entries: Iterable[Entry]) -> None:
        """Forgets all and takes these entries, which are all that the graph has."""
        for table in (*_TABLES, "searchable", "searchable_state"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in _SCHEMA.split(";\n"):
            self._connection.execute(statement)
        self.change((), entries)
        self._connection.execute(f"INSERT INTO searchable_state VALUES (1, {VERSION}, ({_STEP}))")

    def merge(self) -> None:
        """Merges what FTS5 keeps in segments, so that no word is left of what was taken out."""
        with _mapped():
            for table in _TABLES:
                self._connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")

    # -- looking up --------------------------------------------------------------------------------------------

    def named(self, text: str, most: int) -> list[Place]:
        """Names that are this one, case, accents and punctuation aside; labels first."""
        return self._names("folded = ?1", (fold(text),), most)

    def beginning(self, text: str, most: int) -> list[Place]:
        """Names that begin so, labels first, the shortest first."""
        folded = fold(text)
        return self._names("folded >= ?1 AND folded < ?2", (folded, f"{folded}\U0010ffff"), most) if folded else []

    def _names(self, condition: str, values: tuple[str, ...], most: int) -> list[Place]:
        sql = (
            f"SELECT node, kind, text, folded, 1.0 FROM searchable WHERE {condition} ORDER BY kind, length(text), text, node LIMIT {most:d}"
        )
        return self._places(sql, values)

    def with_words(self, text: str, most: int) -> list[Place]:
        """Names that have all these words, the last one perhaps begun only, by BM25."""
        return self._matches("searchable_name", match_expression(text), _NAMES, most)

    def with_part(self, text: str, most: int) -> list[Place]:
        """Names in which these characters stand in a row; three of them at least."""
        folded = fold(text)
        return self._matches("searchable_part", _quoted(folded), _NAMES, most) if len(folded) > 2 else []

    def alike(self, text: str, most: int) -> list[Place]:
        """Names that share most runs of three characters with this one, by BM25."""
        folded = fold(text)
        parts = dict.fromkeys(folded[start : start + 3] for start in range(len(folded) - 2))
        expression = " OR ".join(_quoted(part) for part in list(parts)[:_MOST_WORDS])
        return self._matches("searchable_part", expression, _NAMES, most)

    def passages(self, text: str, kinds: tuple[int, ...], most: int) -> list[Place]:
        """Sentences, titles or texts that have all these words, by BM25."""
        return self._matches("searchable_text", match_expression(text), kinds, most)

    def _matches(self, table: str, expression: str, kinds: tuple[int, ...], most: int) -> list[Place]:
        if not expression:
            return []
        wanted = ", ".join(f"{kind:d}" for kind in kinds)
        sql = f"""SELECT node, kind, CASE WHEN folded IS NULL THEN '' ELSE text END, coalesce(folded, ''), -bm25({table}) AS weight
            FROM {table} JOIN searchable ON number = {table}.rowid
            WHERE {table} MATCH ?1 AND kind IN ({wanted}) ORDER BY round(weight, 9) DESC, kind, node, text LIMIT {most:d}"""
        return self._places(sql, (expression,))

    def _places(self, sql: str, values: tuple[str, ...]) -> list[Place]:
        with _mapped():
            return [Place(*row) for row in self._connection.execute(sql, values)]


def match_expression(text: str) -> str:
    """What FTS5 is asked: all words, phrases in quotation marks, the last word as the beginning of one unless a space follows it.

    >>> match_expression('Rosé "silk dress" bal')
    '"rose" "silk dress" "bal"*'
    """
    parts: list[str] = []
    quoted = False
    for piece in plain(text).split('"'):
        words = re.findall(r"\w+", piece)
        parts += [" ".join(words)] if quoted and words else [] if quoted else words
        quoted = not quoted
    parts = parts[:_MOST_WORDS]
    begun = parts and re.search(r"\w$", text) is not None
    return " ".join(_quoted(part) for part in parts) + ("*" if begun else "")


def _quoted(words: str) -> str:
    """A string of FTS5, in which nothing is an operator."""
    doubled = words.replace('"', '""').replace("\0", " ")
    return f'"{doubled}"'


def _key(entry: Entry) -> tuple[str, int, str]:
    """Names are kept as they are; of sentences and texts only a hash, which tells one version from another."""
    return entry.node, entry.kind, entry.text if entry.kind in _NAMES else content_hash(entry.text)[:12]


def _words(entry: Entry) -> Iterator[tuple[str, str]]:
    """Tables that an entry is in, with what they take."""
    if entry.kind in _NAMES:
        yield "searchable_name", plain(entry.text)
        yield "searchable_part", fold(entry.text)
    else:
        yield "searchable_text", plain(entry.text)


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreFull(f"the search index: {error}", hint="free some space and run the same command again") from error
        raise StoreError(f"the search index: {error}", hint="`kg doctor` tells more") from error
