"""What each document says, and what people decided: SQLite. The truth that the graph is derived from."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from kg.errors import StoreError, StoreFull
from kg.model import Correction, Document, Entity, Evidence, Link, Literal, Mention, Name, Resolution, Span, Statement, Testimony, Text

__all__ = ["Ledger", "Row", "as_rows", "entity_from", "statement_from"]

_KEPT = 16_000_000
"""Characters of the journal that stay for readers who follow it; those further behind read the whole graph anew."""

_COLUMNS = {"document": 6, "entity": 6, "statement": 9}
_INDEXES = ("entity_document", "statement_document", "statement_subject", "statement_object")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, fingerprint TEXT NOT NULL,
    document TEXT NOT NULL, resolution TEXT NOT NULL, refused TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity (
    id TEXT NOT NULL, document TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, aliases TEXT NOT NULL, link TEXT,
    PRIMARY KEY (id, document)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_document ON entity (document);
CREATE TABLE IF NOT EXISTS statement (
    fact TEXT NOT NULL, document TEXT NOT NULL, subject TEXT NOT NULL, predicate TEXT NOT NULL, object TEXT,
    value TEXT NOT NULL, confidence REAL NOT NULL, qualifiers TEXT NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (fact, document)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS statement_document ON statement (document);
CREATE INDEX IF NOT EXISTS statement_subject ON statement (subject, predicate);
CREATE INDEX IF NOT EXISTS statement_object ON statement (object);
CREATE TABLE IF NOT EXISTS correction (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, agent TEXT NOT NULL, date TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY AUTOINCREMENT, removed TEXT NOT NULL, added TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held (
    number INTEGER PRIMARY KEY AUTOINCREMENT, removed TEXT NOT NULL, added TEXT NOT NULL, violations TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS single_valued (predicate TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Row:
    """One document as the ledger holds it; documents and resolutions are decoded when asked for."""

    __slots__ = ("_document", "_refused", "_resolution", "digest", "fingerprint", "id")

    def __init__(self, values: tuple[str, ...]) -> None:
        self.id, self.digest, self.fingerprint, self._document, self._resolution, self._refused = values

    @property
    def document(self) -> Document:
        """The document with its texts."""
        return _document_from(json.loads(self._document))

    @property
    def resolution(self) -> Resolution:
        """What it says, in entities and statements."""
        return _resolution_from(self.id, json.loads(self._resolution))

    @property
    def refused(self) -> list[dict[str, Any]]:
        """What the shapes refused, with the violations, as plain data."""
        found: list[dict[str, Any]] = json.loads(self._refused)
        return found


class Ledger:
    """The SQLite file of a store. Errors of SQLite become errors of the tree (StoreError, StoreFull)."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._noted = 0
        target = f"{path.resolve().as_uri()}?mode=ro" if read_only else path.resolve().as_uri()
        with _mapped(path):
            self._connection = sqlite3.connect(target, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
            if not read_only:
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA secure_delete=ON")
                self._connection.executescript(_SCHEMA)

    @property
    def connection(self) -> sqlite3.Connection:
        """The open file, for what lies in it beside the ledger's own tables and changes in its transactions."""
        return self._connection

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing."""
        with _mapped(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with _mapped(self.path):
            return self._connection.execute(sql, values).fetchall()

    # -- documents ---------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Ids of all documents, sorted."""
        return [row[0] for row in self._rows("SELECT id FROM document ORDER BY id")]

    def row(self, document_id: str) -> Row | None:
        """One document, or None."""
        found = self._rows("SELECT * FROM document WHERE id = ?", document_id)
        return Row(found[0]) if found else None

    def state(self, document_id: str) -> tuple[str, str] | None:
        """Digest and fingerprint with which a document was built, or None."""
        found = self._rows("SELECT digest, fingerprint FROM document WHERE id = ?", document_id)
        return found[0] if found else None

    def refusals(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """(document id, what the shapes refused of it) of each document of which something was, sorted."""
        for document_id, refused in self._rows("SELECT id, refused FROM document WHERE refused != '[]' ORDER BY id"):
            yield document_id, json.loads(refused)

    def put(self, document: Document, resolution: Resolution, *, fingerprint: str, refused: list[dict[str, Any]]) -> None:
        """Records what a document says. It must not be there yet."""
        rows = as_rows(document, resolution, fingerprint=fingerprint, refused=refused)
        self.insert("document", [rows[0]])
        self.insert("entity", rows[1])
        self.insert("statement", rows[2])

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Adds rows that `as_rows` has made to the table ``document``, ``entity`` or ``statement``."""
        places = ", ".join("?" * _COLUMNS[table])
        with _mapped(self.path):
            self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """For a file that nobody else knows yet: inside, nothing is forced to the disk and indexes wait; at the end all is there.

        Where the block does not end well the file is good for nothing.
        """
        with _mapped(self.path):
            for index in _INDEXES:
                self._connection.execute(f"DROP INDEX {index}")
            self._connection.execute("PRAGMA synchronous=OFF")
            yield
            self._connection.executescript(_SCHEMA)
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA user_version = 0")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def relink(self, document_id: str, resolution: Resolution, *, fingerprint: str) -> None:
        """Takes the links of a document's entities in place of the former ones."""
        with _mapped(self.path):
            self._connection.execute(
                "UPDATE document SET resolution = ?, fingerprint = ? WHERE id = ?",
                (_dump(_resolution_as(resolution)), fingerprint, document_id),
            )
            self._connection.executemany(
                "UPDATE entity SET link = ? WHERE id = ? AND document = ?",
                [(_dump(_links_as(e)) if e.link or e.candidates else None, e.id, document_id) for e in resolution.entities],
            )

    def remove(self, document_id: str) -> None:
        """Forgets a document."""
        with _mapped(self.path):
            for table, column in (("document", "id"), ("entity", "document"), ("statement", "document")):
                self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (document_id,))

    # -- entities and statements of all documents --------------------------------------------------------------

    def entities(self, ids: Iterable[str]) -> list[tuple[str, Entity]]:
        """(document id, entity without mentions) for each document that knows one of these entity ids."""
        found = []
        for each in sorted(set(ids)):
            for ident, document, kind, name, aliases, link in self._rows("SELECT * FROM entity WHERE id = ? ORDER BY document", each):
                found.append(entity_from((ident, document, kind, name, aliases, link)))
        return found

    def forms(self, ids: Iterable[str]) -> dict[Entity, int]:
        """The forms in which documents know these entities (mentions left out), with the number of documents that have it so."""
        found: Counter[Entity] = Counter()
        sql = "SELECT type, name, aliases, link, count(*) FROM entity WHERE id = ? GROUP BY type, name, aliases, link"
        for each in sorted(set(ids)):
            for kind, name, aliases, link, count in self._rows(sql, each):
                first, others = _links_of(link)
                found[Entity(each, kind, name, tuple(json.loads(aliases)), link=first, candidates=others)] += count
        return found

    def entity_ids(self) -> list[str]:
        """Ids of all entities, sorted."""
        return [row[0] for row in self._rows("SELECT DISTINCT id FROM entity ORDER BY id")]

    def facts_of(self, entity: str) -> list[tuple[str, str, str | Literal]]:
        """(subject, predicate, object) of every statement that has this entity at an end, each once."""
        found = {}
        columns = "SELECT fact, document, payload FROM statement"
        sql = f"{columns} WHERE subject = ?1 UNION {columns} WHERE object = ?1"
        for fact, document, payload in self._rows(sql, entity):
            if fact not in found:
                statement = _statement_from(document, json.loads(payload))
                found[fact] = (statement.subject, statement.predicate, statement.object)
        return [found[key] for key in sorted(found)]

    def statements(self, facts: Iterable[str]) -> list[Statement]:
        """Every document's statement of these facts, sorted by fact and document."""
        found = []
        for fact in sorted(set(facts)):
            rows = self._rows("SELECT document, payload FROM statement WHERE fact = ? ORDER BY document", fact)
            found += [_statement_from(document, json.loads(payload)) for document, payload in rows]
        return found

    def testimonies(self, facts: Iterable[str]) -> list[Testimony]:
        """Every document's testimony of these facts: their sentences are not read."""
        sql = f"SELECT {_TESTIMONY} FROM statement WHERE fact = ?"
        return [_testimony(row) for fact in sorted(set(facts)) for row in self._rows(sql, fact)]

    def testimonies_about(self, subjects: Iterable[str], predicate: str) -> list[Testimony]:
        """Every testimony with one of these subjects and this predicate."""
        sql = f"SELECT {_TESTIMONY} FROM statement WHERE subject = ? AND predicate = ?"
        return [_testimony(row) for subject in sorted(set(subjects)) for row in self._rows(sql, subject, predicate)]

    def testimonies_in(self, documents: Iterable[str]) -> list[Testimony]:
        """Every testimony of these documents."""
        sql = f"SELECT {_TESTIMONY} FROM statement WHERE document = ?"
        return [_testimony(row) for each in sorted(set(documents)) for row in self._rows(sql, each)]

    # -- corrections -------------------------------------------------------------------------------------------

    def corrections(self) -> list[Correction]:
        """Decisions by hand in the order in which they were taken."""
        rows = self._rows("SELECT kind, arguments, agent, date FROM correction ORDER BY number")
        return [Correction(kind, tuple(json.loads(arguments)), agent, date) for kind, arguments, agent, date in rows]

    def correct(self, correction: Correction) -> None:
        """Records a decision."""
        with _mapped(self.path):
            self._connection.execute(
                "INSERT INTO correction (kind, arguments, agent, date) VALUES (?, ?, ?, ?)",
                (correction.kind, _dump(correction.arguments), correction.agent, correction.date),
            )

    def single_valued(self) -> frozenset[str]:
        """Predicates that were single-valued when the graph was derived."""
        return frozenset(row[0] for row in self._rows("SELECT predicate FROM single_valued"))

    def set_single_valued(self, predicates: Iterable[str]) -> None:
        """Records for which predicates two values are a conflict in the graph."""
        with _mapped(self.path):
            self._connection.execute("DELETE FROM single_valued")
            self._connection.executemany("INSERT INTO single_valued VALUES (?)", [(each,) for each in sorted(predicates)])

    # -- quarantine of what users write ------------------------------------------------------------------------

    def hold(self, removed: str, added: str, violations: list[dict[str, Any]]) -> None:
        """Keeps a part of a user's change (N-Quads) that breaks the shapes, with the violations, out of the graph."""
        with _mapped(self.path):
            self._connection.execute("INSERT INTO held (removed, added, violations) VALUES (?, ?, ?)", (removed, added, _dump(violations)))

    def held(self) -> list[tuple[str, str, list[dict[str, Any]]]]:
        """What was kept out of users' changes, oldest first: removed, added, violations."""
        if not self._rows("SELECT name FROM sqlite_master WHERE name = 'held'"):
            return []  # a store of before, which no writer has opened since
        rows = self._rows("SELECT removed, added, violations FROM held ORDER BY number")
        return [(removed, added, json.loads(violations)) for removed, added, violations in rows]

    # -- journal: numbered differences, which readers follow ----------------------------------------------------

    def log(self, removed: str, added: str) -> None:
        """Notes a difference (N-Quads) before the graph takes it."""
        with _mapped(self.path):
            self._connection.execute("INSERT INTO journal (removed, added) VALUES (?, ?)", (removed, added))
        self._noted += len(removed) + len(added)

    def is_long(self) -> bool:
        """Whether more has been noted since the last checkpoint than the journal keeps."""
        return self._noted > _KEPT

    def journal(self) -> list[tuple[str, str]]:
        """Differences that the graph may not have yet, oldest first."""
        rows = self._rows("SELECT removed, added FROM journal WHERE number > ? ORDER BY number", self.applied())
        return [(removed, added) for removed, added in rows]

    def newest(self) -> int:
        """Number of the last difference ever noted; 0 before the first. It names the state of the graph."""
        found = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
        return int(found[0][0]) if found else 0

    def since(self, number: int) -> list[tuple[int, str, str]] | None:
        """Numbered differences after this one, oldest first; None where they are no longer kept, and the graph must be read anew."""
        newest = self.newest()  # asked first: a writer may add more before the rows are read
        rows = self._rows("SELECT number, removed, added FROM journal WHERE number > ? ORDER BY number", number)
        whole = [row[0] for row in rows] == list(range(number + 1, number + 1 + len(rows))) and len(rows) >= newest - number
        return rows if whole else None

    def difference(self, number: int) -> tuple[str, str]:
        """One numbered difference; raises StoreError where it is no longer kept."""
        rows = self._rows("SELECT removed, added FROM journal WHERE number = ?", number)
        if not rows:
            raise StoreError(f"difference {number} is no longer kept", hint="open the store anew")
        return str(rows[0][0]), str(rows[0][1])

    def unapplied(self) -> int:
        """How many differences the graph would be given again, were the store opened now."""
        return self.newest() - self.applied()

    def checkpoint(self) -> None:
        """The graph has everything on disk: differences are kept for those who follow only, the newest ones."""
        self._noted = 0
        with _mapped(self.path):
            self._connection.execute(f"PRAGMA user_version = {self.newest()}")
            self._connection.execute(
                """DELETE FROM journal WHERE number < (SELECT coalesce(min(number), 1 << 62) FROM (
                       SELECT number, sum(length(removed) + length(added)) OVER (ORDER BY number DESC) AS kept FROM journal)
                   WHERE kept <= ?)""",
                (_KEPT,),
            )

    def applied(self) -> int:
        """Number of a difference that the graph on disk has for certain, with all before it."""
        return int(self._rows("PRAGMA user_version")[0][0])

    def version(self) -> int:
        """A number that is another one after every change that another handle or process has made."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def scrub(self) -> None:
        """Rewrites the file so that nothing deleted is left in it or its log."""
        with _mapped(self.path):
            self._connection.execute("DELETE FROM journal")
            self._connection.execute("VACUUM")
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StoreError(f"{self.path} is being read, so removed text may still be in it", hint="run the same command again")


def as_rows(
    document: Document, resolution: Resolution, *, fingerprint: str, refused: list[dict[str, Any]]
) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the tables ``document``, ``entity`` and ``statement`` hold of one document: plain data, JSON within."""
    whole = (document.id, document.digest, fingerprint, _dump(_document_as(document)), _dump(_resolution_as(resolution)))
    entities = [
        (e.id, document.id, e.type, e.name, _dump(e.aliases), _dump(_links_as(e)) if e.link or e.candidates else None)
        for e in resolution.entities
    ]
    statements = [
        (
            *(s.fact, document.id, s.subject, s.predicate, s.object if isinstance(s.object, str) else None),
            *(_dump(_value_as(s.object)), s.confidence, _dump(s.qualifiers), _dump(_statement_as(s))),
        )
        for s in resolution.statements
    ]
    return (*whole, _dump(refused)), entities, statements


def entity_from(row: Sequence[Any]) -> tuple[str, Entity]:
    """Document id and entity (without mentions) of a row of the table ``entity``."""
    ident, document, kind, name, aliases, link = row
    first, others = _links_of(link)
    return document, Entity(ident, kind, name, tuple(json.loads(aliases)), link=first, candidates=others)


def statement_from(row: Sequence[Any]) -> Statement:
    """The statement of a row of the table ``statement``."""
    return _statement_from(row[1], json.loads(row[8]))


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreFull(f"{path}: {error}", hint="free some space and run the same command again") from error
        raise StoreError(f"{path}: {error}", hint="`kg doctor` tells more") from error


_TESTIMONY = "document, subject, predicate, value, qualifiers, fact, confidence"


def _testimony(row: tuple[Any, ...]) -> Testimony:
    document, subject, predicate, value, qualifiers, fact, confidence = row
    return Testimony(document, subject, predicate, _value_of(value), _qualifiers_of(qualifiers), fact, confidence)


@lru_cache(maxsize=4096)
def _value_of(text: str) -> str | Literal:
    value = json.loads(text)
    return value if isinstance(value, str) else Literal(*value)


@lru_cache(maxsize=4096)
def _qualifiers_of(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, date) for name, date in json.loads(text))


@lru_cache(maxsize=8192)
def _links_of(text: str | None) -> tuple[Link | None, tuple[Link, ...]]:
    return _links_from(json.loads(text) if text else None)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _document_as(document: Document) -> list[Any]:
    texts = [[text.name, text.content, text.metadata_end] for text in document.texts]
    metadata = [document.published, document.title, document.author, document.publisher, document.url, document.language]
    return [document.id, texts, metadata]


def _document_from(data: list[Any]) -> Document:
    return Document(data[0], tuple(Text(*text) for text in data[1]), *data[2])


def _value_as(value: str | Literal) -> Any:
    return [value.value, value.datatype] if isinstance(value, Literal) else value


def _statement_as(s: Statement) -> list[Any]:
    evidence = [[e.text, e.span.start, e.span.end, e.quote, e.extractor, e.version, e.confidence] for e in s.evidence]
    return [s.subject, s.predicate, _value_as(s.object), evidence, s.qualifiers]


def _statement_from(document_id: str, data: list[Any]) -> Statement:
    subject, predicate, value, evidence, qualifiers = data
    return Statement(
        document_id,
        subject,
        predicate,
        value if isinstance(value, str) else Literal(*value),
        tuple(Evidence(document_id, text, Span(start, end), *rest) for text, start, end, *rest in evidence),
        tuple((name, date) for name, date in qualifiers),
    )


def _link_as(link: Link) -> list[Any]:
    return [link.qid, link.label, link.score, link.method, link.index, link.description, link.features]


def _links_as(entity: Entity) -> list[Any]:
    """The link, or null, and after it the candidates."""
    return [_link_as(entity.link) if entity.link else None, *(_link_as(each) for each in entity.candidates)]


def _links_from(data: list[Any] | None) -> tuple[Link | None, tuple[Link, ...]]:
    first, *others = data or [None]
    return _link_from(first) if first else None, tuple(_link_from(each) for each in others)


def _link_from(data: list[Any]) -> Link:
    qid, label, score, method, index, description, features = data
    return Link(qid, label, score, method, index, description, tuple((name, value) for name, value in features))


def _resolution_as(resolution: Resolution) -> list[Any]:
    entities = [
        [e.id, e.type, e.name, e.aliases, [[m.text, m.span.start, m.span.end, m.surface, m.kind] for m in e.mentions], _links_as(e)]
        for e in resolution.entities
    ]
    return [entities, [_statement_as(statement) for statement in resolution.statements]]


def _resolution_from(document_id: str, data: list[Any]) -> Resolution:
    entities = []
    for ident, kind, name, aliases, mentions, link in data[0]:
        referent = Name(kind, name)
        found = tuple(Mention(text, Span(start, end), surface, referent, sort) for text, start, end, surface, sort in mentions)
        entities.append(Entity(ident, kind, name, tuple(aliases), found, *_links_from(link)))
    return Resolution(document_id, tuple(entities), tuple(_statement_from(document_id, each) for each in data[1]))
