"""Reads items from what an index is made of: dumps, KGTK files, tables of one's own, and the name-suggestion-index."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from kg.errors import InputError
from kg.wikidata.classes import TYPES

__all__ = ["COLUMNS", "EDGES", "Record", "read_dump", "read_kgtk", "read_nsi", "read_tsv"]

COLUMNS = ("qid", "label", "aliases", "type", "description", "prior")
"""Columns of a table of one's own; the first two are needed."""

EDGES = (
    *("P22", "P25", "P26", "P40", "P451", "P3373", "P1038"),  # family and partners
    *("P108", "P463", "P488", "P169", "P1037", "P264", "P175", "P371", "P57", "P161", "P170", "P800"),  # work
    *("P112", "P127", "P176", "P287", "P355", "P749", "P1830", "P361", "P527", "P1344", "P3342", "P921", "P27", "P495", "P17"),
)
"""Claims kept as edges: properties that join people, houses, groups, works and countries (labels checked in the KGTK files)."""

_QID = re.compile(r"Q[1-9]\d{0,9}")
_ENGLISH = ("en", "mul", "en-gb", "en-us", "en-ca")
_WORLD = 200
"""Countries in which a worldwide brand has shops, in the measure of how well known it is."""
_LITERAL = re.compile(r"'(.*)'@[\w-]+$", re.DOTALL)


class Record(NamedTuple):
    """What one source says of one item; `classes` are Wikidata's, `types` the ontology's where the source itself gives them.

    `parents` are the classes that a class is a subclass of. `prior` is in the source's own measure, 0 where it has none.
    """

    qid: str
    label: str
    aliases: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    description: str = ""
    classes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    prior: float = 0.0
    edges: tuple[tuple[str, str], ...] = ()
    parents: tuple[str, ...] = ()


# -- JSON dumps --------------------------------------------------------------------------------------------------


def read_dump(
    path: Path, *, languages: frozenset[str] | None = None, start: int = 0, progress: Callable[[int], None] = lambda line: None
) -> Iterator[tuple[int, Record]]:
    """(line number, item) for each item of a Wikidata JSON dump: an array with one item a line, or NDJSON; plain, gzip or bzip2.

    Streamed; lines before `start` are passed over unread. `languages`: names are taken in these only (None: in all).
    Raises InputError where the dump is cut off, empty or no dump; `progress` is called with the line's number.
    """
    opened, number, ended, entities = False, -1, False, 0
    try:
        with _opened(path) as lines:
            for number, line in enumerate(lines):
                progress(number)
                text = line.strip().rstrip(b",")
                opened = opened or (number == 0 and text.startswith(b"["))
                ended = text.endswith(b"]") or (ended and not text)
                entities += b"{" in text
                if number >= start and text not in (b"", b"[", b"]", b"null"):
                    record = _entity(path, number, text.removeprefix(b"[").removesuffix(b"]"), languages)
                    if record:
                        yield number, record
    except (OSError, EOFError) as error:
        raise InputError(f"{path} breaks off in line {number + 2}: {error}", hint="fetch the dump again") from error
    if opened and not ended:
        raise InputError(f"{path} breaks off after line {number + 1}: its array has no end", hint="fetch the dump again")
    if not entities:
        raise InputError(f"{path} holds no items", hint="it is a Wikidata JSON dump: one item a line, plain, .gz or .bz2")


def _opened(path: Path) -> BinaryIO | gzip.GzipFile | bz2.BZ2File:
    try:
        with path.open("rb") as file:
            head = file.read(3)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", hint="name a file that is there") from error
    if head == b"BZh":
        return bz2.open(path, "rb")
    return gzip.open(path, "rb") if head[:2] == b"\x1f\x8b" else path.open("rb")


def _entity(path: Path, number: int, text: bytes, languages: frozenset[str] | None) -> Record | None:
    try:
        entity = json.loads(text)
        if not isinstance(entity, dict) or not isinstance(entity["id"], str):
            raise ValueError("no entity")
        if entity.get("type", "item") != "item" or not _QID.fullmatch(entity["id"]):
            return None
        return _record(entity, languages)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}, line {number + 1} is no entity: {error!r}", hint="fetch the dump again, or take the line out") from error


def _record(entity: Mapping[str, Any], languages: frozenset[str] | None) -> Record | None:
    labels = {code: each["value"] for code, each in (entity.get("labels") or {}).items() if languages is None or code in languages}
    aliases = {
        code: [a["value"] for a in each] for code, each in (entity.get("aliases") or {}).items() if languages is None or code in languages
    }
    label = next((labels[code] for code in (*_ENGLISH, *sorted(labels)) if code in labels), None)
    if label is None:
        return None
    english = [name for code in _ENGLISH for name in (*([labels[code]] if code in labels else ()), *aliases.get(code, ()))]
    others = [
        name for code in sorted({*labels, *aliases}) for name in (*([labels[code]] if code in labels else ()), *aliases.get(code, ()))
    ]
    descriptions = entity.get("descriptions") or {}
    description = next((descriptions[code]["value"] for code in (*_ENGLISH, *sorted(descriptions)) if code in descriptions), "")
    claims = entity.get("claims") or {}
    edges = tuple((name, target) for name in EDGES for target in _targets(claims, name))
    prior = float(len(entity.get("sitelinks") or ()))
    parents = _targets(claims, "P279")
    return Record(entity["id"], label, tuple(english), tuple(others), description, _targets(claims, "P31"), (), prior, edges, parents)


def _targets(claims: Any, name: str) -> tuple[str, ...]:
    """Items that an item's claims of one property name, deprecated ones left out."""
    found = []
    for claim in claims.get(name, ()) if isinstance(claims, dict) else ():
        value = claim.get("mainsnak", {}).get("datavalue", {}).get("value")
        target = value.get("id") or f"Q{value.get('numeric-id')}" if isinstance(value, dict) else ""
        if _QID.fullmatch(target) and claim.get("rank") != "deprecated":
            found.append(target)
    return tuple(dict.fromkeys(found))


# -- KGTK --------------------------------------------------------------------------------------------------------


def read_kgtk(folder: Path) -> Iterator[Record]:
    """Items of a folder of KGTK files: labels, aliases, descriptions, P31, and where they are there claims and PageRank.

    Files are known by their names (``labels.en.tsv.gz`` …), gzip or plain. Raises InputError where there are no labels.
    """
    files = {path.name.removesuffix(".gz").removesuffix(".tsv"): path for path in sorted(folder.glob("*.tsv*"))}
    if "labels.en" not in files:
        raise InputError(f"{folder} holds no labels.en.tsv(.gz)", hint="it is a folder of KGTK files, one for each kind")
    texts: dict[str, dict[str, list[str]]] = {}
    for kind in ("labels", "aliases", "descriptions"):
        texts[kind] = defaultdict(list)
        for node, _, value in _edges(files.get(f"{kind}.en")):
            texts[kind][node].append(_text(value))
    links: dict[str, dict[str, list[str]]] = {"P31": defaultdict(list), "P279": defaultdict(list)}
    for name in (f"derived.{each}" for each in links):
        for node, label, value in _edges(files.get(name)):
            links[label][node].append(value)
    ranks = {node: _number(value) for node, label, value in _edges(_pagerank(files)) if label.endswith("pagerank")}
    claims: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for node, label, value in _edges(files.get("claims.wikibase-item")):
        if label in EDGES and _QID.fullmatch(value):
            claims[node].append((label, value))
    for qid, labels in texts["labels"].items():
        if _QID.fullmatch(qid):
            yield Record(
                qid,
                labels[0],
                (*labels[1:], *texts["aliases"].get(qid, ())),
                (),
                (texts["descriptions"].get(qid) or [""])[0],
                tuple(links["P31"].get(qid, ())),
                (),
                ranks.get(qid, 0.0),
                tuple(claims.get(qid, ())),
                tuple(links["P279"].get(qid, ())),
            )


def _pagerank(files: Mapping[str, Path]) -> Path | None:
    return next((files[name] for name in sorted(files) if "pagerank" in name), None)


def _edges(path: Path | None) -> Iterator[tuple[str, str, str]]:
    """(node1, label, node2) of a KGTK edge file; nothing where there is none."""
    if path is None:
        return
    try:
        with _opened(path) as lines:
            header = next(iter(lines), b"").decode().rstrip("\r\n").split("\t")
            columns = [header.index(name) for name in ("node1", "label", "node2")]
            for line in lines:
                cells = line.decode().rstrip("\r\n").split("\t")
                yield cells[columns[0]], cells[columns[1]], cells[columns[2]]
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise InputError(f"{path} can't be read: {error}", hint="it is a KGTK edge file with the columns node1, label and node2") from error


def _text(value: str) -> str:
    found = _LITERAL.match(value)
    text = found[1] if found else value.strip('"')
    return re.sub(r"\\(.)", r"\1", text)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


# -- tables ------------------------------------------------------------------------------------------------------


def read_tsv(path: Path) -> Iterator[Record]:
    """Items of a table with a header of `COLUMNS`: aliases and types separated by ``|``. InputError names the line that is wrong."""
    number = 1
    try:
        with _opened(path) as lines:
            header = next(iter(lines), b"").decode("utf-8-sig").rstrip("\r\n").split("\t")
            if not {"qid", "label"} <= set(header):
                raise ValueError("the columns qid and label are missing")
            at = {name: header.index(name) if name in header else len(header) for name in COLUMNS}
            for number, line in enumerate(lines, 2):  # noqa: B007 - errors name it
                cells = line.decode().rstrip("\r\n").split("\t")
                if cells != [""]:
                    yield _row([*cells, *[""] * (len(header) + 1 - len(cells))], at)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}, line {number}: {error}", hint=f"it is a TSV file with the columns {' '.join(COLUMNS)}") from error


def _row(cells: list[str], at: Mapping[str, int]) -> Record:
    qid, label = cells[at["qid"]].strip(), cells[at["label"]].strip()
    if not _QID.fullmatch(qid) or not label:
        raise ValueError(f"{qid!r} {label!r} is no identifier with a label")
    names = cells[at["aliases"]]
    aliases = tuple(each.strip() for each in names.split("|") if each.strip()) if names else ()
    prior = float(cells[at["prior"]] or 0)
    if not 0 <= prior < float("inf"):
        raise ValueError(f"{cells[at['prior']]!r} is no prior: it is 0 or more")
    return Record(qid, label, aliases, (), cells[at["description"]], (), _types(cells[at["type"]]), prior)


@lru_cache(maxsize=1000)
def _types(text: str) -> tuple[str, ...]:
    """Types in the spelling of the ontology; ones that it lacks stay, so that the item is of none of its classes."""
    types = (each.strip() for each in re.split(r"[|,;]", text) if each.strip())
    spelling = {kind.lower(): kind for kind in TYPES}
    return tuple(dict.fromkeys(spelling.get(each.lower(), each) for each in types))


def read_nsi(folder: Path) -> Iterator[Record]:
    """Brands with a Wikidata item from an unpacked npm package `name-suggestion-index` (its ``dist`` folder).

    Labels and descriptions are Wikidata's (CC0), names those by which shops go; no logos, no accounts. How well known
    a brand is, is the number of countries that it has shops in.
    InputError where the files are missing or broken.
    """
    try:
        groups = json.loads((folder / "dist/json/nsi.json").read_text(encoding="utf-8"))["nsi"]
        wikidata = json.loads((folder / "dist/wikidata/wikidata.json").read_text(encoding="utf-8"))["wikidata"]
        names: dict[str, set[str]] = defaultdict(set)
        places: dict[str, set[str]] = defaultdict(set)
        for group, content in groups.items():
            if group.startswith("brands/"):
                for item in content["items"]:
                    _take_shop(item, names, places)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder} is no unpacked name-suggestion-index: {error}", hint="npm pack name-suggestion-index") from error
    for qid in sorted(names, key=lambda each: int(each[1:])):
        known = wikidata.get(qid, {})
        own = sorted(name for name in names[qid] if name)
        label, description = known.get("label") or own[0], known.get("description", "")
        spread = _WORLD if "001" in places[qid] else len(places[qid])
        yield Record(qid, label, tuple(own), (), description, (), ("Brand", "Organization"), float(spread))


def _take_shop(item: Mapping[str, Any], names: dict[str, set[str]], places: dict[str, set[str]]) -> None:
    """Names of a chain of shops, and the places where it has some: 001 is the world (UN M49)."""
    qid = item["tags"].get("brand:wikidata", "")
    if _QID.fullmatch(qid):
        names[qid] |= {item["tags"].get(each, "") for each in ("brand", "brand:en", "name", "name:en")} | {item["displayName"]}
        places[qid] |= {str(each) for each in item.get("locationSet", {}).get("include", ())}
