"""Checks graphs against the SHACL shapes, and sorts out which statements of a document break them."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
from pyparsing import ParseException
from rdflib import RDF, SH, XSD, BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.exceptions import ParserError
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node

from kg.errors import InputError, OntologyError
from kg.model import Document, Entity, Literal, Resolution, Statement, Violation
from kg.rdf.iris import Namespace, statement_id
from kg.rdf.ontology import ontology_folder, read_turtle
from kg.rdf.parts import PART, parts
from kg.rdf.write import Writer, as_ntriples
from kg.settings import Settings

try:
    import shacl
except ImportError:  # the fast engine is optional: there are no wheels of it for every platform
    _fast_engine = None
else:
    _fast_engine = shacl.Shapes

__all__ = ["LONG", "Refusal", "Shapes", "Verdict", "check", "check_store", "judge", "load_shapes", "report_turtle"]

LONG = 200_000
"""Characters of N-Triples from which on quotes are compared with texts here: SPARQL copies and counts through a text for every quote."""

_ROUNDS = 10
"""Most times that one document's graph is checked anew after something was taken out of it."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes ready for use: the graph that pyshacl reads, and the same compiled by the fast engine where that is installed.

    They are under one base IRI, and see nothing of a graph under another. `predicates` says which fact predicate a shape is about (shape
    IRI → predicate IRI). `verbatim` are the constraints by which a quote is what stands in a text at its positions, and `others` the
    shapes without them.
    """

    base: str
    graph: Graph
    compiled: Any | None
    predicates: Mapping[str, str]
    verbatim: tuple[_Verbatim, ...] = ()
    others: Any | None = None


@dataclass(frozen=True, slots=True)
class _Verbatim:
    """One such constraint: what nodes of a class have as `quote` stands in their text from startPosition to endPosition."""

    shape: str
    target: str
    quote: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is kept out of the graph, and the violations that are the reason.

    Just one of `statement` and `entity` is given. Where neither is, the document itself (its metadata or its text) breaks a shape, and
    nothing of it can be stored.
    """

    statement: Statement | None
    entity: Entity | None
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be stored of a document, what is refused with its violations, and what is worth a warning."""

    accepted: Resolution
    refused: tuple[Refusal, ...] = ()
    warnings: tuple[Violation, ...] = ()

    @property
    def document_refused(self) -> bool:
        """Nothing of the document can be stored, not even its metadata."""
        return any(refusal.statement is None and refusal.entity is None for refusal in self.refused)


def load_shapes(settings: Settings, *, fast: bool = True) -> Shapes:
    """The shapes of ``shapes.ttl`` under the base IRI of the settings; `fast` False leaves the fast engine out.

    Namespaces that the file declares for SPARQL (``sh:declare``, SHACL, section 5.2.1) are relative references and are resolved here.
    Raises OntologyError, which names file and line, where the file doesn't parse or holds a shape that no engine can use.
    """
    path = ontology_folder(settings) / "shapes.ttl"
    graph = read_turtle(path, settings.base)
    for node, namespace in list(graph.subject_objects(SH.namespace)):
        graph.set((node, SH.namespace, RdfLiteral(URIRef(str(namespace), base=settings.base), datatype=XSD.anyURI)))
    try:
        if fast and _fast_engine is not None:
            compiled = _compiled(graph)
            verbatim = tuple(_verbatim_constraints(graph))
            others = _compiled(_without(graph, verbatim)) if verbatim else None
        else:
            compiled, verbatim, others = None, (), None
            _parse_constraints(graph)
    except (ValueError, ParseException) as error:
        raise OntologyError(f"{path}: {' '.join(str(error).split())}", hint="mend the shape") from error
    predicates = {str(shape): str(predicate) for shape, predicate in graph.subject_objects(SH.targetSubjectsOf)}
    return Shapes(settings.base, graph, compiled, MappingProxyType(predicates), verbatim, others)


def check(ntriples: bytes | str, shapes: Shapes) -> list[Violation]:
    """Every validation result of one graph (SHACL, section 3.6), sorted; empty where the graph conforms.

    The graph is given as N-Triples. A document's graph, the fused view and the graph of corrections are checked one by one, never joined:
    a shape that needs a text or a mention is silent where the graph holds none. Raises InputError where the triples don't parse.
    """
    text = ntriples.decode("utf-8") if isinstance(ntriples, bytes) else ntriples
    found: Iterable[Violation]
    if shapes.compiled is None:
        found = _check_with_pyshacl(text, shapes)
    elif len(text) > LONG and shapes.others is not None and (misquoted := _misquoted(text, shapes)) is not None:
        found = [*misquoted, *_check_fast(text, shapes.others)]
    else:
        found = _check_fast(text, shapes.compiled)
    return sorted(set(found), key=_order)


def check_store(graph: ox.Store, shapes: Shapes, *, part: int = PART) -> Iterator[Violation]:
    """Every validation result of a whole store, graph by graph, the fused view first, in parts where it is large.

    Memory does not grow with the store, but for one part and the results.
    """
    for triples, nodes in parts(graph, part):
        for violation in check(triples, shapes):
            if nodes is None or violation.focus in nodes:
                yield violation


def judge(document: Document, resolution: Resolution, shapes: Shapes | None, namespace: Namespace) -> Verdict:
    """Takes out of a resolution what breaks a shape at severity Violation, until the document's graph conforms.

    A statement goes where it, its evidence or its triple breaks a shape; an entity goes where it or a mention of it does, and with it
    its statements. Never raises for bad data: what can't even be written as RDF is refused too, and without shapes nothing but that.
    Raises ValueError where shapes and namespace have different bases, because such shapes would accept anything.
    """
    if shapes is not None and shapes.base != namespace.base:
        raise ValueError(f"the shapes are under {shapes.base}, the graph under {namespace.base}")
    trial = _Trial(document, resolution, Writer(namespace))
    warnings: tuple[Violation, ...] = ()
    for _ in range(_ROUNDS):
        triples = trial.ntriples()
        if trial.hopeless or shapes is None:
            break
        found = check(triples, shapes)
        bad = [violation for violation in found if violation.severity == "Violation"]
        warnings = tuple(violation for violation in found if violation.severity != "Violation")
        if not bad:
            break
        trial.refuse_causes(bad, shapes)
    else:
        trial.hopeless.extend(bad)
    return trial.verdict(() if trial.hopeless else warnings)


def report_turtle(violations: Iterable[Violation]) -> str:
    """The violations as a sh:ValidationReport (SHACL, section 3.6.1) in Turtle, without blank nodes of its own.

    As the standard has it, one result of any severity makes ``sh:conforms`` false. Equal violations give equal bytes.
    """
    results = {_name(violation): violation for violation in violations}
    report = uuid.uuid5(uuid.NAMESPACE_URL, "".join(sorted(results))).urn
    lines = ["@prefix sh: <http://www.w3.org/ns/shacl#> .", ""]
    listed = "".join(f" ;\n    sh:result <{name}>" for name in sorted(results))
    lines.append(f"<{report}> a sh:ValidationReport ;\n    sh:conforms {'false' if results else 'true'}{listed} .")
    lines += [f"\n<{name}> a sh:ValidationResult ;\n    {_result(results[name])} ." for name in sorted(results)]
    return "\n".join(lines) + "\n"


# -- the two engines -------------------------------------------------------------------------------------------


def _compiled(graph: Graph) -> Any:
    assert _fast_engine is not None
    return _fast_engine.from_text(graph.serialize(format="nt"), format="ntriples")


def _check_fast(text: str, compiled: Any) -> Iterator[Violation]:
    try:
        report = compiled.validate_text(text, format="ntriples", allow_warnings=True)
    except ValueError as error:
        raise InputError(f"the triples don't parse: {' '.join(str(error).split())}") from error
    for result in report.results:
        yield Violation(
            focus=_from_ntriples(result.focus_node) or "",
            path=_from_ntriples(result.path),
            value=_from_ntriples(result.value),
            shape=_from_ntriples(result.source_shape) or "",
            severity=result.severity,
            message=result.message or "",
        )


def _check_with_pyshacl(text: str, shapes: Shapes) -> Iterator[Violation]:
    import pyshacl  # a second of imports that the fast engine makes needless

    logging.getLogger("rdflib.term").setLevel(logging.ERROR)  # an ill-typed literal is a result, no matter for the log
    try:
        data = _PreparingGraph().parse(data=text, format="nt")
    except ParserError as error:
        raise InputError(f"the triples don't parse: {' '.join(str(error).split())}") from error
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes.graph, inference="none", allow_warnings=True, advanced=False)
    assert isinstance(report, Graph)
    for node in report.subjects(RDF.type, SH.ValidationResult):
        severity = str(report.value(node, SH.resultSeverity))
        yield Violation(
            focus=_from_rdflib(report.value(node, SH.focusNode)) or "",
            path=_from_rdflib(report.value(node, SH.resultPath)),
            value=_from_rdflib(report.value(node, SH.value)),
            shape=_from_rdflib(report.value(node, SH.sourceShape)) or "",
            severity=severity.rpartition("#")[2],
            message=min((str(message) for message in report.objects(node, SH.resultMessage)), default=""),
        )


def _verbatim_constraints(graph: Graph) -> Iterator[_Verbatim]:
    """Constraints that their shapes file marks as such."""
    mark = next((p for p in graph.predicates(unique=True) if str(p).endswith("/shapes#verbatim")), None)
    for query, quote_property in graph.subject_objects(mark) if mark is not None else ():
        for shape in graph.subjects(SH.sparql, query):
            severity = str(graph.value(shape, SH.severity) or SH.Violation).rpartition("#")[2]
            message, target = str(graph.value(shape, SH.message) or ""), str(graph.value(shape, SH.targetClass))
            yield _Verbatim(str(shape), target, str(quote_property), severity, message)


def _without(graph: Graph, verbatim: Iterable[_Verbatim]) -> Graph:
    others = Graph()
    for triple in graph:
        others.add(triple)
    for constraint in verbatim:
        others.remove((URIRef(constraint.shape), SH.sparql, None))
    return others


def _misquoted(text: str, shapes: Shapes) -> list[Violation] | None:
    """Results of the verbatim constraints; None where a graph has not one string or number where it needs one: SPARQL has to decide."""
    values: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    try:
        for quad in ox.parse(text.encode(), format=ox.RdfFormat.N_TRIPLES):
            values[str(quad.subject)][quad.predicate.value].append(quad.object)
    except SyntaxError as error:
        raise InputError(f"the triples don't parse: {' '.join(str(error).split())}") from error
    term = f"{shapes.base}ontology#"
    found = []
    for constraint in shapes.verbatim:
        for node, said in list(values.items()):
            if ox.NamedNode(constraint.target) not in said[str(RDF.type)]:
                continue
            try:
                (place,), (quoted,) = said[f"{term}inText"], said[constraint.quote]
                (start,), (end,) = said[f"{term}startPosition"], said[f"{term}endPosition"]
                (content,) = values[str(place)][f"{term}content"]
                first, last = _integer(start), _integer(end)
                wrong = 0 <= first < last and _string(quoted) and _string(content)[first:last] != quoted.value
            except (ValueError, AttributeError):
                return None
            if wrong:
                focus = _from_ntriples(node) or ""
                found.append(Violation(focus, None, str(quoted), constraint.shape, constraint.severity, constraint.message))
    return found


def _integer(term: Any) -> int:
    """An xsd:integer's value; ValueError for anything else."""
    if str(term.datatype.value) != str(XSD.integer):
        raise ValueError(term)
    return int(term.value)


def _string(term: Any) -> str:
    """An xsd:string's value; ValueError for anything else."""
    if str(term.datatype.value) != str(XSD.string):
        raise ValueError(term)
    return str(term.value)


def _parse_constraints(shapes: Graph) -> None:
    """Parses the SPARQL of constraints, which pyshacl does no earlier than at the first focus node."""
    declared = {shapes.value(node, SH.prefix): namespace for node, namespace in shapes.subject_objects(SH.namespace)}
    head = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in declared.items())
    for text in shapes.objects(None, SH.select):
        parseQuery(head + str(text))


class _PreparingGraph(Graph):
    """A graph that parses each SPARQL text once: pyshacl asks the same for every focus node."""

    def query(self, query_object: Any, *args: Any, initNs: Any = None, **options: Any) -> Any:
        if isinstance(query_object, str):
            query_object = _prepared(query_object, tuple(sorted((initNs or dict(self.namespaces())).items())))
        return super().query(query_object, *args, **options)


@lru_cache(maxsize=1024)
def _prepared(text: str, namespaces: tuple[tuple[str, Any], ...]) -> Query:
    return prepareQuery(text, initNs=dict(namespaces))


def _from_ntriples(term: str | None) -> str | None:
    if term is None or term.startswith('"'):
        return term
    return "_:blank" if term.startswith("_:") else term.removeprefix("<").removesuffix(">")


def _from_rdflib(term: Node | None) -> str | None:
    if term is None:
        return None
    if isinstance(term, BNode):
        return "_:blank"
    if not isinstance(term, RdfLiteral):
        return str(term)
    if term.language:
        return str(ox.Literal(str(term), language=term.language))
    return str(ox.Literal(str(term), datatype=ox.NamedNode(term.datatype) if term.datatype else None))


def _order(violation: Violation) -> tuple[str, ...]:
    return (
        violation.focus,
        violation.path or "",
        violation.value or "",
        violation.shape,
        violation.severity,
        violation.message,
    )


# -- from violations back to statements ------------------------------------------------------------------------


class _Trial:
    """One document under judgement: what is left of its resolution, and what was refused for which violations."""

    def __init__(self, document: Document, resolution: Resolution, writer: Writer) -> None:
        self.document = document
        self.resolution = resolution
        self.writer = writer
        self.statements = list(dict.fromkeys(resolution.statements))
        self.entities = list(dict.fromkeys(resolution.entities))
        self.refused: dict[Statement | Entity, set[Violation]] = defaultdict(set)
        self.hopeless: list[Violation] = []

    def ntriples(self) -> str:
        """The document's graph as far as it is not refused; refuses what the writer can't write."""
        try:
            return as_ntriples(self.writer.document_graph(self.document, self._left()))
        except (ValueError, KeyError):
            self._refuse_unwritable()
        return "" if self.hopeless else as_ntriples(self.writer.document_graph(self.document, self._left()))

    def _left(self) -> Resolution:
        return Resolution(self.resolution.document_id, tuple(self.entities), tuple(self.statements))

    def _refuse_unwritable(self) -> None:
        """Finds what it is that can't be written: a lone surrogate, a type that is no part of an IRI, an unknown qualifier."""
        reason = self._unwritable(Resolution(self.document.id))
        if reason:
            self.hopeless.append(self._violation(self.document.id, reason))
            return
        for entity in self.entities:
            reason = self._unwritable(Resolution(self.document.id, entities=(entity,)))
            if reason:
                self.refused[entity].add(self._violation(entity.id, reason))
        for statement in self.statements:
            reason = self._unwritable(Resolution(self.document.id, statements=(statement,)))
            if reason:
                self.refused[statement].add(self._violation(f"statement/{statement_id(statement)}", reason))
        self._take_out()

    def _unwritable(self, resolution: Resolution) -> str:
        try:
            for _ in self.writer.document_graph(self.document, resolution):
                pass
        except (ValueError, KeyError) as error:
            return f"it can't be written as RDF: {error}".encode("ascii", "backslashreplace").decode()
        return ""

    def _violation(self, name: str, reason: str) -> Violation:
        focus = f"{self.writer.namespace.base}resource/{quote(name, errors='replace')}"
        return Violation(focus, None, None, "", "Violation", reason)

    def refuse_causes(self, violations: list[Violation], shapes: Shapes) -> None:
        """Refuses what causes these violations; the document, where one of them has no cause in the resolution."""
        causes = _Causes(self.document.id, self._left(), self.writer)
        for violation in violations:
            found = causes.of(violation, shapes)
            if not found:
                self.hopeless.append(violation)
            for cause in found:
                self.refused[cause].add(violation)
        self._take_out()

    def _take_out(self) -> None:
        self.entities = [entity for entity in self.entities if entity not in self.refused]
        gone = {item.id: reasons for item, reasons in self.refused.items() if isinstance(item, Entity)}
        for statement in self.statements:
            for end in (statement.subject, statement.object):
                if isinstance(end, str) and end in gone:
                    self.refused[statement] |= gone[end]
        self.statements = [statement for statement in self.statements if statement not in self.refused]

    def verdict(self, warnings: tuple[Violation, ...]) -> Verdict:
        if self.hopeless:
            reasons = tuple(sorted(set(self.hopeless), key=_order))
            return Verdict(Resolution(self.resolution.document_id), (Refusal(None, None, reasons),))
        refused = []
        for item in (*self.resolution.entities, *self.resolution.statements):
            if item in self.refused:
                reasons = tuple(sorted(self.refused.pop(item), key=_order))
                refused.append(Refusal(None, item, reasons) if isinstance(item, Entity) else Refusal(item, None, reasons))
        return Verdict(self._left(), tuple(refused), warnings)


class _Causes:
    """Finds the statements and entities behind a violation, by the IRIs that they are written with."""

    def __init__(self, document_id: str, resolution: Resolution, writer: Writer) -> None:
        self.writer = writer
        self.nodes: dict[str, list[Statement | Entity]] = defaultdict(list)
        self.edges: dict[tuple[str, str], list[Statement]] = defaultdict(list)
        space = writer.namespace
        for entity in resolution.entities:
            self.nodes[space.entity(entity.id)].append(entity)
            for mention in entity.mentions:
                self.nodes[space.mention(document_id, mention, entity.id)].append(entity)
        for statement in resolution.statements:
            ident = statement_id(statement)
            self.nodes[space.statement(ident)].append(statement)
            for evidence in statement.evidence:
                self.nodes[space.evidence(ident, evidence)].append(statement)
            self.edges[space.entity(statement.subject), space.term(statement.predicate)].append(statement)

    def of(self, violation: Violation, shapes: Shapes) -> list[Statement | Entity]:
        """A shape of a predicate points to the statements with it; any other to what its focus node was written for."""
        predicate = shapes.predicates.get(violation.shape, violation.path or "")
        edges = self.edges.get((violation.focus, predicate), [])
        if violation.path == predicate and violation.value is not None:
            edges = [statement for statement in edges if self._value(statement.object) == violation.value] or edges
        return list(edges) or self.nodes.get(violation.focus, [])

    def _value(self, value: str | Literal) -> str:
        if isinstance(value, str):
            return self.writer.namespace.entity(value)
        datatype = ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{value.datatype}")
        return str(ox.Literal(value.value, datatype=datatype))


# -- the report ------------------------------------------------------------------------------------------------


def _name(violation: Violation) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(_order(violation))).urn


def _turtle(term: str) -> str:
    return term if term.startswith(('"', "_:")) else URIRef(term).n3()


def _result(violation: Violation) -> str:
    parts = [f"sh:focusNode {_turtle(violation.focus)}"]
    if violation.path is not None:
        parts.append(f"sh:resultPath {_turtle(violation.path)}")
    if violation.value is not None:
        parts.append(f"sh:value {_turtle(violation.value)}")
    if violation.shape:
        parts.append(f"sh:sourceShape {_turtle(violation.shape)}")
    parts.append(f"sh:resultSeverity sh:{violation.severity}")
    parts.append(f"sh:resultMessage {ox.Literal(violation.message)}")
    return " ;\n    ".join(parts)
