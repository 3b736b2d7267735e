"""The facts view: one line a fact and document, with the sentence behind it, made by SPARQL from the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyoxigraph as ox

from kg.errors import NotFound
from kg.query.parameters import find_entity, read_date
from kg.query.run import Value, evaluate
from kg.rdf.iris import WIKIDATA
from kg.store import Store

__all__ = ["facts"]

# The engine joins OPTIONAL by scanning all of its right side. So what not every fact has is asked for on its own.
_STATED = """
SELECT ?fact ?predicate ?subject ?object ?documents ?sources ?document ?statement
       ?subjectLabel ?subjectType %(names)s ?evidence ?quote ?start ?end ?confidence ?extractor
WHERE {
  %(which)s
  ?fact kg:statement ?statement ;
        rdf:subject ?subject ;
        rdf:predicate ?predicate ;
        rdf:object ?object ;
        kg:documentCount ?documents ;
        kg:sourceCount ?sources .
  %(filter)s
  GRAPH ?document {
    ?statement kg:statedIn ?document ;
               rdf:subject ?saidSubject ;
               rdf:object ?saidObject ;
               kg:evidence ?evidence .
    ?saidSubject rdfs:label ?subjectLabel ;
                 a ?subjectType .
    %(object)s
    ?evidence kg:quote ?quote ;
              kg:startPosition ?start ;
              kg:endPosition ?end ;
              kg:confidence ?confidence ;
              kg:extractor ?extractor .
  }
}"""
_ENTITY = {"names": "?objectLabel ?objectType", "object": "?saidObject rdfs:label ?objectLabel ; a ?objectType .", "filter": ""}
_LITERAL = {"names": "", "object": "", "filter": "FILTER(isLiteral(?object))"}
_DATES = """
SELECT ?statement ?date WHERE {
  %(which)s
  GRAPH ?document { ?statement kg:statedIn ?document ; kg:%(property)s ?date }
}"""
_ITEMS = """
SELECT DISTINCT ?entity ?item WHERE {
  %(which)s
  ?entity owl:sameAs ?item .
}"""
_DATED = "?fact rdf:predicate ?predicate ; kg:statement ?statement ."
_LINKED = "?fact kg:statedIn ?document ; rdf:predicate ?predicate ; rdf:subject|rdf:object ?entity ."
_ABOUT = "?fact rdf:subject|rdf:object $about ."
_PERIOD = "?fact kg:startDate|kg:endDate ?dated ."
_PERIODS = "SELECT ?fact ?date WHERE { ?fact kg:%(property)s ?date }"
_DOCUMENTS = "SELECT ?document ?doc WHERE { ?document a kg:Document ; kg:identifier ?doc }"


def facts(
    store: Store,
    *,
    document: str | None = None,
    about: str | None = None,
    predicate: str | None = None,
    at: str | None = None,
    all_evidence: bool = False,
) -> Iterator[dict[str, Any]]:
    """Every fact, a line for each document that states it: sorted by document, predicate, subject and object.

    `document` is an id, `about` a name, id or IRI of an entity at either end, `predicate` a local name. `at` keeps facts
    with a period that contains the date, as far as the documents give its ends; what has no period at all is left out.
    A line shows the best sentence (highest confidence, then earliest); `all_evidence` makes a line of each. Labels and
    types are the document's own, IRIs those of the fused graph. Raises NotFound and UsageError for what isn't there.
    """
    parameters: dict[str, Value] = {}
    if document is not None:
        parameters["document"] = _document(store, document)
    if about is not None:
        parameters["about"] = find_entity(store, about)
    if predicate is not None:
        parameters["predicate"] = ox.NamedNode(store.namespace.term(predicate))
    current = _valid_at(store, read_date(at, name="at")) if at is not None else None
    which = [_ABOUT] * (about is not None) + [_PERIOD] * (at is not None)
    view = _View(store, parameters, " ".join(which))
    lines = [line for rows in view.groups(current) for line in view.lines(rows, all_evidence=all_evidence)]
    return iter(sorted(lines, key=_order))


class _View:
    """What the graph has of the facts that were asked for."""

    def __init__(self, store: Store, parameters: Mapping[str, Value], which: str) -> None:
        self.store, self.parameters, self.which = store, parameters, which
        self.ontology = store.namespace.term("")
        named = {name: term for name, term in parameters.items() if name == "document"}
        self.documents = {row["document"]: row["doc"].value for row in _solve(store, _DOCUMENTS, named)}
        self.dates = {"start": self._dates("startDate"), "end": self._dates("endDate")}
        self.items: dict[ox.NamedNode, str] = {}
        for row in self._solve(_ITEMS, {}, _LINKED):
            qid = row["item"].value.removeprefix(WIKIDATA)
            self.items[row["entity"]] = min(qid, self.items.get(row["entity"], qid))

    def _solve(self, text: str, parts: Mapping[str, str], path: str = "") -> ox.QuerySolutions:
        """`path` leads from a fact to what is looked up; it is not needed where nothing restricts the facts."""
        which = f"{self.which} {path}" if self.parameters or self.which else ""
        return _solve(self.store, text % {"which": which, **parts}, self.parameters)

    def _dates(self, term: str) -> dict[ox.NamedNode, str]:
        return {row["statement"]: row["date"].value for row in self._solve(_DATES, {"property": term}, _DATED)}

    def groups(self, current: set[ox.NamedNode] | None) -> Iterable[list[ox.QuerySolution]]:
        """The sentences of each fact and document."""
        found: dict[tuple[ox.NamedNode, ox.NamedNode], list[ox.QuerySolution]] = {}
        for kind in (_ENTITY, _LITERAL):
            for row in self._solve(_STATED, kind):
                if (current is None or row["fact"] in current) and row["document"] in self.documents:
                    found.setdefault((row["document"], row["fact"]), []).append(row)
        return found.values()

    def lines(self, rows: list[ox.QuerySolution], *, all_evidence: bool) -> list[dict[str, Any]]:
        """The line of the best sentence, or one of each sentence."""
        best_first = sorted(rows, key=_rank)
        chosen = {row["evidence"]: row for row in reversed(best_first)}.values() if all_evidence else best_first[:1]
        qualifiers = self._qualifiers(rows)
        return [self._line(row, qualifiers) for row in chosen]

    def _qualifiers(self, rows: Iterable[ox.QuerySolution]) -> dict[str, str]:
        """What the document says of the period, as precisely as it says it."""
        statements = {row["statement"] for row in rows}
        given = {name: [dates[each] for each in statements if each in dates] for name, dates in self.dates.items()}
        return {name: max(dates, key=lambda date: (len(date), date)) for name, dates in given.items() if dates}

    def _line(self, row: ox.QuerySolution, qualifiers: dict[str, str]) -> dict[str, Any]:
        value = row["object"]
        if isinstance(value, ox.Literal):
            end: dict[str, Any] = {"value": value.value, "datatype": value.datatype.value.rpartition("#")[2]}
        else:
            end = self._entity(value, row["objectLabel"], row["objectType"])
        return {
            "doc": self.documents[row["document"]],
            "predicate": row["predicate"].value.removeprefix(self.ontology),
            "subject": self._entity(row["subject"], row["subjectLabel"], row["subjectType"]),
            "object": end,
            "qualifiers": dict(qualifiers),
            "evidence": row["quote"].value,
            "span": [int(row["start"].value), int(row["end"].value)],
            "confidence": float(row["confidence"].value),
            "extractor": row["extractor"].value,
            "documents": int(row["documents"].value),
            "sources": int(row["sources"].value),
        }

    def _entity(self, node: ox.NamedNode, label: ox.Literal, kind: ox.NamedNode) -> dict[str, Any]:
        return {"label": label.value, "type": kind.value.removeprefix(self.ontology), "iri": node.value, "wikidata": self.items.get(node)}


def _order(line: dict[str, Any]) -> tuple[Any, ...]:
    subject, value = line["subject"], line["object"]
    ends = (subject["label"], value.get("label", value.get("value")), subject["iri"], value.get("iri", ""))
    return (line["doc"], line["predicate"], *ends, line["span"], -line["confidence"], line["extractor"])


def _solve(store: Store, text: str, parameters: Mapping[str, Value]) -> ox.QuerySolutions:
    solutions = evaluate(store, text, parameters=parameters)
    if not isinstance(solutions, ox.QuerySolutions):
        raise TypeError("facts are made by SELECT")
    return solutions


def _document(store: Store, document: str) -> ox.NamedNode:
    node = ox.NamedNode(store.namespace.document(document))
    if next(iter(_solve(store, _DOCUMENTS, {"document": node})), None) is None:
        raise NotFound.among("document", document, {row["doc"].value for row in _solve(store, _DOCUMENTS, {})})
    return node


def _valid_at(store: Store, date: str) -> set[ox.NamedNode]:
    """Facts with a period that contains the date; partial dates are compared as far as both go."""
    starts, ends = (
        [(row["fact"], row["date"].value) for row in _solve(store, _PERIODS % {"property": name}, {})] for name in ("startDate", "endDate")
    )
    periods: dict[ox.NamedNode, tuple[list[str], list[str]]] = {}
    for side, dates in enumerate((starts, ends)):
        for fact, given in dates:
            periods.setdefault(fact, ([], []))[side].append(given)
    return {fact for fact, (begun, ended) in periods.items() if _contains(begun, ended, date)}


def _contains(starts: Iterable[str], ends: Iterable[str], date: str) -> bool:
    """Where documents disagree, from the earliest start to the latest end; an end that is not known is open."""
    start, end = min(starts, default=""), max(ends, default="")
    begun = start[: len(date)] <= date[: len(start)]
    return begun and (not end or date[: len(end)] <= end[: len(date)])


def _rank(row: ox.QuerySolution) -> tuple[Any, ...]:
    """The order of sentences: most confidence, then earliest; the rest only makes it the same every time."""
    span = (int(row["start"].value), int(row["end"].value))
    said = (row["extractor"].value, row["evidence"].value, row["subjectLabel"].value, row["subjectType"].value)
    return (-float(row["confidence"].value), span, *said, row["statement"].value)
