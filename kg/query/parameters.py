"""Parameters of named queries: what they are called, which type they have, and which term a given text means."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from kg.errors import NotFound, UsageError
from kg.names import fold
from kg.query.run import Value, evaluate
from kg.rdf.write import date_literal
from kg.store import Store

__all__ = ["TYPES", "Parameter", "bind_parameters", "find_entity", "read_date"]

TYPES: Mapping[str, str] = {
    "entity": "a name, an id such as `person/kim-kardashian`, or an IRI",
    "string": "any text",
    "date": "`2024`, `2024-01` or `2024-01-22`",
    "integer": "a whole number",
    "iri": "an absolute IRI",
}
"""Type of a parameter → what is accepted for it."""

_NAMED = """
SELECT DISTINCT ?entity ?type ?own WHERE {
  { ?entity rdfs:label $name BIND(true AS ?own) } UNION { ?entity skos:altLabel $name BIND(false AS ?own) }
  ?entity a ?type .
}"""
_NAMES = """
SELECT ?entity ?name ?own WHERE {
  { ?entity rdfs:label ?name BIND(true AS ?own) } UNION { ?entity skos:altLabel ?name BIND(false AS ?own) }
}"""
_KINDS = "SELECT ?entity ?type WHERE { ?entity a ?type ; rdfs:label ?label }"
_TYPES = "SELECT ?type WHERE { $entity a ?type ; rdfs:label ?label }"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query. `classes` are those that an entity may have, any where empty.

    `default` is None where a value must be given, and empty where none means no restriction.
    """

    name: str
    type: str
    description: str
    classes: tuple[str, ...] = ()
    default: str | None = None

    @property
    def signature(self) -> str:
        """The type as a header writes it (``entity:Brand``)."""
        return f"{self.type}:{'|'.join(self.classes)}" if self.classes else self.type


def bind_parameters(store: Store, parameters: Iterable[Parameter], given: Mapping[str, str]) -> dict[str, Value]:
    """Terms for the parameters of a query, from texts.

    Raises UsageError for one that is missing, unknown, of another type or ambiguous, NotFound for an entity that isn't there.
    """
    known = {parameter.name: parameter for parameter in parameters}
    takes = f"it takes {', '.join(f'{p.name} ({p.signature})' for p in known.values())}" if known else "it takes none"
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"unknown parameter {', '.join(unknown)}", hint=takes)
    missing = [name for name, parameter in known.items() if parameter.default is None and name not in given]
    if missing:
        raise UsageError(f"missing parameter {', '.join(missing)}", hint=takes)
    texts = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    return {name: _term(store, known[name], text) for name, text in texts.items() if text}


def _term(store: Store, parameter: Parameter, text: str) -> Value:
    if parameter.type == "entity":
        return find_entity(store, text, classes=parameter.classes)
    if parameter.type == "date":
        return date_literal(read_date(text, name=parameter.name))
    if parameter.type == "integer":
        if not re.fullmatch(r"[+-]?\d{1,18}", text.strip(), re.ASCII):
            raise UsageError(f"{parameter.name} is {TYPES['integer']}, not {text!r}", hint=f"write {parameter.name}=10")
        return ox.Literal(int(text))
    if parameter.type == "iri":
        return _iri(text.strip(), parameter.name)
    return ox.Literal(text)


def _iri(text: str, name: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(text)
    except ValueError as error:
        raise UsageError(f"{name} is {TYPES['iri']}, not {text!r}", hint=f"write {name}=https://example.org/thing") from error


def read_date(text: str, *, name: str = "date") -> str:
    """An ISO 8601 date of the calendar, in the precision that is given. UsageError for anything else."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text.strip(), re.ASCII)
    try:
        if match:
            datetime.date(*(int(part or 1) for part in match.groups()))
            return match[0]
    except ValueError:
        pass
    raise UsageError(f"{name} takes a date, not {text!r}", hint="write 2024, 2024-01 or 2024-01-22")


def find_entity(store: Store, text: str, *, classes: Iterable[str] = ()) -> ox.NamedNode:
    """The entity that an IRI, an id or a name means; of several with the name, those whose label it is come first.

    A name that nothing has exactly is compared without case, accents and punctuation. Raises UsageError, which lists
    them, where several entities fit, and NotFound, with near names, where none does.
    """
    allowed = {store.namespace.term(name) for name in classes}
    exact = _by_iri(store, text, allowed)
    if exact is not None:
        return exact
    found = _by_name(store, text, allowed)
    if len(found) == 1:
        return found[0]
    ids = sorted(store.namespace.entity_id(node.value) or node.value for node in found)
    if found:
        raise UsageError(f"{text!r} is the name of {len(found)} entities", hint=f"say which: {', '.join(ids)}")
    kind = " or ".join(sorted(classes)).lower() or "entity"
    raise NotFound.among(kind, text, _near(store, text, allowed))


def _by_iri(store: Store, text: str, allowed: set[str]) -> ox.NamedNode | None:
    """The entity of this IRI or id, where it is there."""
    iri = text if "://" in text else store.namespace.entity(text) if "/" in text else None
    if iri is None:
        return None
    try:
        node = ox.NamedNode(iri)
    except ValueError as error:
        raise UsageError(f"{text!r} is no IRI", hint=f"an entity is {TYPES['entity']}") from error
    types = {row["type"].value for row in _rows(store, _TYPES, {"entity": node})}
    return node if types and (not allowed or allowed & types) else None


def _by_name(store: Store, text: str, allowed: set[str]) -> list[ox.NamedNode]:
    name = text.strip()
    fit = [row for row in _rows(store, _NAMED, {"name": ox.Literal(name)}) if not allowed or row["type"].value in allowed]
    found = {row["entity"] for row in fit}
    own = {row["entity"] for row in fit if row["own"].value == "true"}
    return list(own or found) or _by_folded_name(store, name, allowed)


def _by_folded_name(store: Store, name: str, allowed: set[str]) -> list[ox.NamedNode]:
    folded = fold(name)
    found = {node: own for node, form, own in _names(store, allowed) if fold(form) == folded}
    own = [node for node, is_label in found.items() if is_label]
    return own or list(found)


def _names(store: Store, allowed: set[str]) -> list[tuple[ox.NamedNode, str, bool]]:
    """(entity, name, whether it is the label) for every name of entities of these classes; labels come last."""
    kinds: dict[ox.NamedNode, set[str]] = {}
    if allowed:
        for row in _rows(store, _KINDS, {}):
            kinds.setdefault(row["entity"], set()).add(row["type"].value)
    rows = [(row["entity"], row["name"].value, row["own"].value == "true") for row in _rows(store, _NAMES, {})]
    return sorted((row for row in rows if not allowed or allowed & kinds.get(row[0], set())), key=lambda row: row[2])


def _near(store: Store, text: str, allowed: set[str]) -> set[str]:
    """Names to suggest: all, or in a large store those that begin like the one that was asked for."""
    names = {form for _, form, _ in _names(store, allowed)}
    return names if len(names) <= 5000 else {name for name in names if fold(name)[:2] == fold(text)[:2]}


def _rows(store: Store, text: str, parameters: Mapping[str, Value]) -> ox.QuerySolutions:
    solutions = evaluate(store, text, parameters=parameters)
    if not isinstance(solutions, ox.QuerySolutions):
        raise TypeError("a look-up is a SELECT query")
    return solutions
