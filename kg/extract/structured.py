"""The structured extractor: what a page's own data (JSON-LD, microdata) state in schema.org's terms, where the ontology has the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]

from kg.model import Claim, Document, Extraction, Mention, Name, Span
from kg.settings import Settings

__all__ = ["RULES", "Structured", "create"]

METADATA = "metadata"
"""Name of the text that holds a page's structured data as JSON."""

RULES = (
    ("Product", "brand", "madeBy", "Product", "Brand", False),
    ("Organization", "founder", "founderOf", "Organization", "Person", True),
    ("Organization", "parentOrganization", "ownedBy", "Organization", "Organization", False),
    ("Person", "memberOf", "memberOf", "Person", "Organization", False),
    ("Movie", "actor", "castMemberOf", "Work", "Person", True),
    ("TVSeries", "actor", "castMemberOf", "Work", "Person", True),
)
"""Type and property of schema.org; predicate; the ontology's types of node and value; whether the value is the predicate's subject."""

_CONFIDENCE = 0.9
_LONGEST = 1000  # characters of an object that is quoted as a whole; of a longer one only from name to name
_SUBTYPES = {"Corporation": "Organization", "NewsMediaOrganization": "Organization", "ProductModel": "Product"}
_SPACE = re.compile(r"\s*")
_PLAIN = re.compile(r"[^\s,\]}]+")


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of JSON with where it stands: for a string, what lies between its quotation marks."""

    start: int
    end: int
    content: str | dict[str, _Value] | list[_Value] | None


class Structured:
    """Facts of products, organizations, people and films that the page states for programs; the evidence is the stretch of JSON."""

    name = "structured"
    version = "1"
    fingerprint = ""

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """Claims of the text `metadata`, and the mentions that they need; nothing where a document has none."""
        text = next((each.content for each in document.texts if each.name == METADATA), "")
        try:
            root = _parsed(text, 0) if text else None
        except (JSONDecodeError, IndexError, RecursionError):  # not of our making
            return Extraction(document.id)
        mentions: set[Mention] = set()
        claims = []
        for node, subject, predicate, value, reverse in _found(root, text):
            span = Span(min(subject[1].start, value[1].start), max(subject[1].end, value[1].end))
            if node.end - node.start <= _LONGEST:
                span = Span(node.start, node.end)
            proof = document.evidence(span, extractor=self.name, version=self.version, confidence=_CONFIDENCE, text=METADATA)
            ends = (value[0], subject[0]) if reverse else (subject[0], value[0])
            claims.append(Claim(ends[0], predicate, ends[1], (proof,)))
            mentions |= {Mention(METADATA, place, name.name, name) for name, place in (subject, value)}
        return Extraction(document.id, tuple(sorted(mentions)), tuple(dict.fromkeys(claims)))


_Named = tuple[Name, Span]


def _found(root: _Value | None, text: str) -> Iterator[tuple[_Value, _Named, str, _Named, bool]]:
    for node in _nodes(root):
        kinds = _kinds(node)
        fields = _fields(node)
        for kind, field, predicate, node_type, value_type, reverse in RULES:
            subject = _named(fields.get("name"), node_type, text) if kind in kinds and field in fields else None
            for each in _each(fields[field]) if subject else ():
                value = _named(each, value_type, text)
                if subject and value and value[0] != subject[0]:
                    yield node, subject, predicate, value, reverse


def _nodes(root: _Value | None) -> Iterator[_Value]:
    """Every object, those that hold others first."""
    waiting = [root] if root else []
    while waiting:
        value = waiting.pop()
        if isinstance(value.content, dict):
            yield value
            waiting.extend(reversed(value.content.values()))
        elif isinstance(value.content, list):
            waiting.extend(reversed(value.content))


def _fields(node: _Value) -> dict[str, _Value]:
    """The properties of an object of JSON-LD, or of an item of microdata."""
    content = node.content if isinstance(node.content, dict) else {}
    inner = content.get("properties")
    return inner.content if inner is not None and isinstance(inner.content, dict) else content


def _kinds(node: _Value) -> set[str]:
    content = node.content if isinstance(node.content, dict) else {}
    told = content.get("@type") or content.get("type")
    names = {str(each.content).rpartition("/")[2] for each in _each(told) if isinstance(each.content, str)} if told else set()
    return names | {_SUBTYPES[name] for name in names if name in _SUBTYPES}


def _each(value: _Value) -> list[_Value]:
    return value.content if isinstance(value.content, list) else [value]


def _named(value: _Value | None, kind: str, text: str) -> _Named | None:
    """The name that a value is or has; None where it has none, or one that is written with escapes (the quote would not be it)."""
    if value is not None and isinstance(value.content, dict):
        value = _fields(value).get("name")
    if value is None or not isinstance(value.content, str) or text[value.start : value.end] != value.content:
        return None
    name = value.content.strip()
    if not name or "://" in name or "\n" in name:
        return None
    start = value.start + value.content.index(name)
    return Name(kind, name), Span(start, start + len(name))


def _parsed(text: str, at: int) -> _Value:
    """The JSON value that begins at a place, with the places of all that is in it."""
    at = _after_space(text, at)
    if text[at] == '"':
        content, end = scanstring(text, at + 1, True)
        return _Value(at + 1, end - 1, content)
    if text[at] == "{":
        fields: dict[str, _Value] = {}
        end = _after_space(text, at + 1)
        while text[end] != "}":
            key, end = scanstring(text, _after_space(text, end) + 1, True)
            fields[key] = _parsed(text, _after_space(text, end) + 1)
            end = _next(text, fields[key])
        return _Value(at, end + 1, fields)
    if text[at] == "[":
        items: list[_Value] = []
        end = _after_space(text, at + 1)
        while text[end] != "]":
            items.append(_parsed(text, end))
            end = _next(text, items[-1])
        return _Value(at, end + 1, items)
    match = _PLAIN.match(text, at)
    if match is None:
        raise JSONDecodeError("no value", text, at)
    return _Value(at, match.end(), None)


def _next(text: str, value: _Value) -> int:
    """Where the next item or the closing bracket begins."""
    end = value.end + isinstance(value.content, str)
    end = _after_space(text, end)
    return _after_space(text, end + 1) if text[end] == "," else end


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def create(settings: Settings) -> Structured:
    """The extractor of the entry point ``structured``."""
    return Structured()
