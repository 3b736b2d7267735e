"""Makes an index: stages what the sources say, joins it by item, and writes one SQLite file in place of the former."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from kg.errors import InputError, StoreFull, UsageError
from kg.names import fold
from kg.wikidata.classes import closed, load_classes, types_of
from kg.wikidata.index import FORMAT, deletion_keys, name_key
from kg.wikidata.sources import Record, read_dump, read_kgtk, read_nsi, read_tsv

__all__ = ["KINDS", "Made", "Origin", "make_index"]

KINDS = ("tsv", "dump", "kgtk", "nsi")
"""Kinds of sources. What a table of one's own says of an item stands before what a dump says, and so on."""

LICENCES = {"dump": "CC0-1.0", "kgtk": "CC0-1.0", "nsi": "BSD-3-Clause; labels and descriptions of Wikidata CC0-1.0"}

_STAGE = """
CREATE TABLE IF NOT EXISTS staged (qid INTEGER, source INTEGER, label TEXT, aliases TEXT, others TEXT, description TEXT,
    classes TEXT, types TEXT, prior REAL, edges TEXT, parents TEXT);
CREATE TABLE IF NOT EXISTS state (source INTEGER PRIMARY KEY, line INTEGER, done INTEGER);
CREATE TABLE IF NOT EXISTS identity (key TEXT);
"""
_INDEX = """
CREATE TABLE entity (qid INTEGER PRIMARY KEY, label TEXT, aliases TEXT, others TEXT, description TEXT, types TEXT, prior REAL);
CREATE TABLE name (key INTEGER PRIMARY KEY, items BLOB);
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT, items BLOB);
CREATE TABLE deletion (key INTEGER PRIMARY KEY, words BLOB);
CREATE TABLE edge (subject INTEGER, property TEXT, object INTEGER, PRIMARY KEY (subject, object, property)) WITHOUT ROWID;
CREATE TABLE edge_back (object INTEGER, subject INTEGER, PRIMARY KEY (object, subject)) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Origin:
    """One source of an index: its kind (one of `KINDS`), where it lies, and its name where that is not the file's."""

    kind: str
    path: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What an index holds once it is written: numbers of items, names, edges; `digest` is the SHA-256 of its content."""

    items: int
    names: int
    edges: int
    digest: str


def make_index(
    origins: Sequence[Origin],
    path: Path,
    *,
    types: Sequence[str] = (),
    languages: Sequence[str] = (),
    snapshot: str | None = None,
    progress: Callable[[str, int], None] = lambda what, number: None,
) -> Made:
    """Writes an index of these sources to `path`; the former file stays until the new one is whole.

    `types` keeps items of these classes of the ontology only, `languages` names in these only. A run that was interrupted
    goes on where it stopped: what was read lies in ``PATH.partial``. The same sources give the same bytes.
    Raises InputError where a source can't be used, UsageError where `path` can't be written, StoreFull without space.
    """
    partial, fresh = path.with_name(f"{path.name}.partial"), path.with_name(f"{path.name}.new")
    ordered = sorted(origins, key=lambda origin: (KINDS.index(origin.kind), origin.path.name))
    try:
        with closing(_stage(partial, _identity(ordered, languages))) as stage:
            _read(ordered, stage, frozenset(languages) or None, progress)
            fresh.unlink(missing_ok=True)
            with closing(sqlite3.connect(fresh, isolation_level=None)) as target:
                writing = _Writing(target, set(types))
                made = writing.write(_joined(stage, ordered), progress)
                writing.describe(_metadata(stage, ordered, types, languages, snapshot))
        if not made.items:
            raise InputError("no item is left after the filter", hint="leave --type out, or name other sources")
        fresh.replace(path)
    except InputError:
        partial.unlink(missing_ok=True)
        raise
    except (OSError, sqlite3.Error) as error:
        if "full" in str(error) or getattr(error, "errno", None) == 28:
            raise StoreFull(f"{path}: {error}", hint="free some space and run the same command again") from error
        raise UsageError(f"{path} can't be written: {error}", hint="name another place with -o") from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    partial.unlink(missing_ok=True)
    return made


# -- staging -----------------------------------------------------------------------------------------------------


def _identity(origins: Iterable[Origin], languages: Iterable[str]) -> str:
    """Tells whether what was read earlier is of the same sources, by size and time of the files."""
    parts: list[object] = [FORMAT, sorted(languages)]
    for origin in origins:
        if not origin.path.exists():
            hint = "unpack `npm pack name-suggestion-index`" if origin.kind == "nsi" else "name a file or folder that is there"
            raise InputError(f"there is no {origin.path}", hint=hint)
        files = sorted(origin.path.rglob("*")) if origin.path.is_dir() else [origin.path]
        parts += [[origin.kind, str(each), each.stat().st_size, each.stat().st_mtime_ns] for each in files if each.is_file()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _stage(partial: Path, identity: str) -> sqlite3.Connection:
    stage = _opened_stage(partial)
    try:
        known = stage.execute("SELECT key FROM identity").fetchall()
    except sqlite3.Error:
        known = [("",)]
    if known != [(identity,)]:
        stage.close()
        partial.unlink(missing_ok=True)
        stage = _opened_stage(partial)
        stage.execute("INSERT INTO identity VALUES (?)", (identity,))
        stage.commit()
    return stage


def _opened_stage(partial: Path) -> sqlite3.Connection:
    stage = sqlite3.connect(partial)
    try:
        stage.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; {_STAGE}")
    except sqlite3.DatabaseError:  # left by something else: begun anew
        stage.close()
        partial.unlink()
        stage = sqlite3.connect(partial)
        stage.executescript(f"PRAGMA synchronous=OFF; {_STAGE}")
    return stage


def _read(
    origins: Sequence[Origin], stage: sqlite3.Connection, languages: frozenset[str] | None, progress: Callable[[str, int], None]
) -> None:
    """Takes every source into the stage; of a dump, what an earlier run has taken is passed over."""
    for number, origin in enumerate(origins):
        line, done = stage.execute("SELECT line, done FROM state WHERE source = ?", (number,)).fetchone() or (-1, 0)
        if done:
            continue
        if origin.kind != "dump":
            stage.execute("DELETE FROM staged WHERE source = ?", (number,))
        batch: list[tuple[Any, ...]] = []
        for place, record in _records(origin, line + 1, languages):
            line = place
            batch.append(_row(number, record))
            if len(batch) >= _BATCH:
                _take(stage, number, batch, line)
                progress(origin.path.name, line + 1)
        _take(stage, number, batch, line, done=True)


def _records(origin: Origin, start: int, languages: frozenset[str] | None) -> Iterator[tuple[int, Record]]:
    if origin.kind == "dump":
        return read_dump(origin.path, languages=languages, start=start)
    readers = {"kgtk": read_kgtk, "tsv": read_tsv, "nsi": read_nsi}
    return enumerate(readers[origin.kind](origin.path))


def _take(stage: sqlite3.Connection, source: int, batch: list[tuple[Any, ...]], line: int, *, done: bool = False) -> None:
    stage.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", batch)
    stage.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (source, line, done))
    stage.commit()
    batch.clear()


def _row(source: int, record: Record) -> tuple[Any, ...]:
    return (
        int(record.qid[1:]),
        source,
        record.label,
        _listed(record.aliases),
        _listed(record.others),
        record.description,
        " ".join(record.classes),
        "|".join(record.types),
        record.prior,
        " ".join([f"{name}:{target}" for name, target in record.edges]) if record.edges else "",
        " ".join(record.parents),
    )


def _listed(names: tuple[str, ...]) -> str:
    return "|".join([each.replace("|", "/") for each in names]) if names else ""


# -- joining -----------------------------------------------------------------------------------------------------


class _Joined(NamedTuple):
    """One item of what all sources say of it; names are separated by ``|``. A tuple: there are millions of them."""

    qid: int
    label: str
    aliases: str
    others: str
    description: str
    types: tuple[str, ...] | None
    prior: float
    edges: tuple[tuple[str, str], ...]


def _joined(stage: sqlite3.Connection, origins: Sequence[Origin]) -> Iterator[_Joined]:
    """One item for each identifier, in order, of what all sources say of it."""
    parents = {f"Q{row[0]}": row[1].split() for row in stage.execute("SELECT qid, parents FROM staged WHERE parents != ''")}
    kinds = _Kinds(closed(load_classes(), parents))
    scales = _scales(stage, origins)
    tables = {number for number, origin in enumerate(origins) if origin.kind == "tsv"}
    rows = stage.execute(
        "SELECT qid, source, label, aliases, others, description, classes, types, prior, edges FROM staged ORDER BY qid, source, rowid"
    )
    for qid, group in groupby(rows, key=itemgetter(0)):
        first, *more = group
        if more:
            yield _item(qid, [first, *more], kinds, scales, silent={row[1] for row in (first, *more)} <= tables)
            continue
        _, source, label, aliases, others, description, classes, types, prior, edges = first
        known = round(scales[source](prior), 4)
        yield _Joined(qid, label, aliases, others, description, kinds(types, classes, source in tables), known, _pairs(edges))


def _item(qid: int, rows: list[tuple[Any, ...]], kinds: _Kinds, scales: Mapping[int, Callable[[float], float]], *, silent: bool) -> _Joined:
    """One item of what several sources say."""
    description = next((row[5] for row in rows if row[5]), "")
    aliases = "|".join(filter(None, (each for row in rows for each in (row[2], row[3]))))
    others, types = ("|".join(row[at] for row in rows if row[at]) for at in (4, 7))
    classes, edges = (" ".join(row[at] for row in rows if row[at]) for at in (6, 9))
    known = max(scales[row[1]](row[8]) for row in rows)
    return _Joined(qid, rows[0][2], aliases, others, description, kinds(types, classes, silent), round(known, 4), _pairs(edges))


class _Kinds:
    """Classes of the ontology by what sources say of types and classes; each combination is worked out once."""

    def __init__(self, table: Mapping[str, tuple[str, ...]]) -> None:
        self.table = table
        self._known: dict[tuple[str, str, bool], tuple[str, ...] | None] = {}

    def __call__(self, types: str, classes: str, silent: bool) -> tuple[str, ...] | None:
        """`silent`: no source gives classes, so that none is no statement about the item's type."""
        asked = types, classes, silent
        if asked not in self._known:
            self._known[asked] = self._of(*asked)
        return self._known[asked]

    def _of(self, types: str, classes: str, silent: bool) -> tuple[str, ...] | None:
        found = types_of(classes.split(), self.table) if classes else None if silent else ()
        if not types or found == ("Person",):
            return found
        return tuple(dict.fromkeys((*types.split("|"), *(found or ()))))


def _pairs(edges: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(name, target) for name, _, target in (each.partition(":") for each in edges.split())})) if edges else ()


def _scales(stage: sqlite3.Connection, origins: Sequence[Origin]) -> dict[int, Callable[[float], float]]:
    """Each source's measure of how well known an item is → 0 to 1: the part of the source's items that are less known.

    A table of one's own whose priors reach from 0 to between 0.5 and 1 is taken as it is.
    """
    scales: dict[int, Callable[[float], float]] = {}
    for number, origin in enumerate(origins):
        rows = stage.execute("SELECT prior FROM staged WHERE source = ? AND prior > 0 ORDER BY prior", (number,))
        scales[number] = _scale(origin.kind, array("d", (row[0] for row in rows)))
    return scales


def _scale(kind: str, known: array[float]) -> Callable[[float], float]:
    if kind == "tsv" and known and 0.5 <= known[-1] <= 1:
        return lambda prior: prior
    return lambda prior: (bisect_left(known, prior) + 0.5) / len(known) if prior > 0 else 0.0


# -- writing -----------------------------------------------------------------------------------------------------


class _Buckets:
    """Pairs of 32-bit numbers, sorted when they are asked for: eight bytes a pair, however many there are."""

    def __init__(self) -> None:
        self._parts = [array("Q") for _ in range(256)]

    def add(self, key: int, value: int) -> None:
        self._parts[key >> 24].append(key << 32 | value)

    def groups(self) -> Iterator[tuple[int, list[int]]]:
        """(key, sorted values) for each key, in order."""
        for part in self._parts:
            key, values = -1, list[int]()
            for pair in sorted(set(part)):
                if pair >> 32 != key:
                    if values:
                        yield key, values
                    key, values = pair >> 32, []
                values.append(pair & 0xFFFFFFFF)
            if values:
                yield key, values


def _numbers() -> array[int]:
    return array("I")


class _Writing:
    """One index being written."""

    def __init__(self, target: sqlite3.Connection, types: set[str]) -> None:
        self.target = target
        self.types = types
        self.hash = hashlib.sha256()
        self.names = _Buckets()
        self.words: defaultdict[str, array[int]] = defaultdict(_numbers)
        self.edges: list[tuple[int, str, int]] = []
        self.qids, self.priors = array("I"), array("d")
        self.counts = {"items": 0, "names": 0}
        target.executescript(f"PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_INDEX}")

    def write(self, items: Iterable[_Joined], progress: Callable[[str, int], None]) -> Made:
        """Every item, and the ways to it."""
        self.target.execute("BEGIN")
        self._insert("entity", 7, self._entities(items, progress))
        self._insert("name", 2, self._by_name())
        deletions = _Buckets()
        self._insert("word", 3, self._words(deletions))
        self._insert("deletion", 2, ((key, array("I", numbers).tobytes()) for key, numbers in deletions.groups()))
        inside = [edge for edge in sorted(set(self.edges)) if self._position(edge[2]) is not None]
        self._insert("edge", 3, sorted(inside, key=lambda edge: (edge[0], edge[2], edge[1])))
        self._insert("edge_back", 2, sorted({(target, subject) for subject, _, target in inside}))
        self.target.execute("COMMIT")
        self.counts["edges"] = len(inside)
        return Made(self.counts["items"], self.counts["names"], len(inside), self.hash.hexdigest())

    def _insert(self, table: str, width: int, rows: Iterable[tuple[Any, ...]]) -> None:
        self.target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows)

    def _entities(self, items: Iterable[_Joined], progress: Callable[[str, int], None]) -> Iterator[tuple[Any, ...]]:
        for qid, label, aliases, others, description, types, prior, edges in items:
            if self.types and not self.types & set(types or ()):
                continue
            if aliases or others:
                aliases, others = self._file_all(qid, label, aliases, others)
            else:
                self._file(qid, (fold(label),))
            row = (qid, label, aliases, others, description, None if types is None else " ".join(types), prior)
            self.hash.update(repr((row, edges)).encode())
            if edges:
                self.edges += [(qid, name, int(target[1:])) for name, target in edges]
            self.qids.append(qid)
            self.priors.append(prior)
            if len(self.qids) % _BATCH == 0:
                progress("items written", len(self.qids))
            yield row
        self.counts["items"] = len(self.qids)

    def _file_all(self, qid: int, label: str, aliases: str, others: str) -> tuple[str, str]:
        """Files an item under all its names; gives aliases and other names that fold to none before them."""
        seen = {fold(label)}
        kept: tuple[list[str], list[str]] = ([], [])
        for number, names in enumerate((aliases, others)):
            for each in names.split("|") if names else ():
                folded = fold(each)
                if folded and folded not in seen:
                    seen.add(folded)
                    kept[number].append(each)
        self._file(qid, seen)
        return "|".join(kept[0]), "|".join(kept[1])

    def _file(self, qid: int, names: Collection[str]) -> None:
        """Files an item under these folded names and their words."""
        self.counts["names"] += len(names)
        for folded in names:
            self.names.add(name_key(folded), qid)
        words = self.words
        for word in {word for folded in names for word in folded.split()} if len(names) > 1 else set(*map(str.split, names)):
            words[word].append(qid)

    def _position(self, qid: int) -> int | None:
        at = bisect_left(self.qids, qid)
        return at if at < len(self.qids) and self.qids[at] == qid else None

    def _prior(self, qid: int) -> float:
        return self.priors[bisect_left(self.qids, qid)]

    def _by_name(self) -> Iterator[tuple[int, bytes]]:
        """Items of each name, the best known first."""
        for key, qids in self.names.groups():
            if len(qids) > 1:
                qids.sort(key=lambda qid: (-self._prior(qid), qid))
            yield key, array("I", qids).tobytes()

    def _words(self, deletions: _Buckets) -> Iterator[tuple[int, str, bytes]]:
        for number, word in enumerate(sorted(self.words)):
            for key in deletion_keys(word):
                deletions.add(key, number)
            yield number, word, self.words[word].tobytes()

    def describe(self, metadata: Mapping[str, Any]) -> None:
        """The metadata, with the numbers and the digest."""
        known = {**metadata, **self.counts, "words": len(self.words), "digest": self.hash.hexdigest(), "format": FORMAT}
        self.target.execute("BEGIN")
        self._insert("meta", 2, [(key, json.dumps(known[key], ensure_ascii=False, sort_keys=True)) for key in sorted(known)])
        self.target.execute("COMMIT")


def _metadata(
    stage: sqlite3.Connection, origins: Sequence[Origin], types: Iterable[str], languages: Iterable[str], snapshot: str | None
) -> dict[str, Any]:
    counts = dict(stage.execute("SELECT source, COUNT(*) FROM staged GROUP BY source"))
    sources = [
        {"kind": origin.kind, "name": _called(origin), "items": counts.get(number, 0), "licence": LICENCES.get(origin.kind, "")}
        for number, origin in enumerate(origins)
    ]
    return {"sources": sources, "snapshot": snapshot, "types": sorted(types), "languages": sorted(languages)}


def _called(origin: Origin) -> str:
    """Name of a source; of a package, with its version."""
    if origin.name:
        return origin.name
    try:
        package = json.loads((origin.path / "package.json").read_text(encoding="utf-8"))
        return f"{package['name']} {package['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return origin.path.name
