"""What breaks a shape is found, traced to its statement and taken out; the rest is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import RDF, SH, Graph, URIRef

from kg.errors import InputError, OntologyError
from kg.model import Document, Entity, Evidence, Literal, Mention, Name, Resolution, Span, Statement, Text, Violation
from kg.rdf.iris import Namespace, statement_id
from kg.rdf.parts import parts
from kg.rdf.write import Writer, as_ntriples
from kg.settings import Settings
from kg.store import Store
from kg.validate import Shapes, Verdict, check, check_store, judge, load_shapes, report_turtle

SETTINGS = Settings()
SPACE = Namespace(SETTINGS.base)
RDF_TYPE = ox.NamedNode(str(RDF.type))
SHAPE = f"{SETTINGS.base}ontology/shapes#"
CONTENT = "Maison Corvel 😀 has appointed Ada Lindqvist as its new ambassador.\r\nThe Tidebag was launched in 2000 by Maison Corvel."
DOCUMENT = Document("corvel", (Text("body", CONTENT),), published="2024-01-24", title="A new face")
ADA, CORVEL, BAG = "person/ada-lindqvist", "brand/maison-corvel", "product/tidebag"
NAMES = {ADA: ("Person", "Ada Lindqvist"), CORVEL: ("Brand", "Maison Corvel"), BAG: ("Product", "Tidebag")}


def span(words: str) -> Span:
    start = CONTENT.index(words)
    return Span(start, start + len(words))


def entity(key: str) -> Entity:
    kind, name = NAMES[key]
    return Entity(key, kind, name, mentions=(Mention("body", span(name), name, Name(kind, name)),))


def evidence(words: str) -> Evidence:
    return DOCUMENT.evidence(span(words), extractor="rules", version="1", confidence=0.9)


FACE = Statement("corvel", ADA, "ambassadorOf", CORVEL, (evidence("appointed Ada Lindqvist"),), (("start", "2024-01"),))
MADE = Statement("corvel", BAG, "madeBy", CORVEL, (evidence("The Tidebag was launched in 2000 by Maison Corvel"),))
LAUNCH = Statement("corvel", BAG, "launchDate", Literal("2000", "gYear"), (evidence("launched in 2000"),))
GOOD = Resolution("corvel", tuple(entity(key) for key in NAMES), (FACE, MADE, LAUNCH))


@pytest.fixture(scope="module", params=["shacl", "pyshacl"])
def shapes(request: pytest.FixtureRequest) -> Shapes:
    found = load_shapes(SETTINGS, fast=request.param == "shacl")
    if request.param == "shacl" and found.compiled is None:
        pytest.skip("the fast engine is not installed")
    return found


def plus(*statements: Statement, entities: tuple[Entity, ...] = ()) -> Resolution:
    return replace(GOOD, statements=(*GOOD.statements, *statements), entities=(*GOOD.entities, *entities))


def broken(verdict: Verdict) -> set[str]:
    """Local names of the shapes for which something was refused."""
    return {violation.shape.removeprefix(SHAPE) for refusal in verdict.refused for violation in refusal.violations}


def test_good_document_is_accepted_whole(shapes: Shapes) -> None:
    """Nothing is taken out, added or put in another order where the graph conforms."""
    assert judge(DOCUMENT, GOOD, shapes, SPACE) == Verdict(GOOD)


BAD_STATEMENTS = [
    (replace(FACE, object=BAG, qualifiers=()), {"AmbassadorOfRange"}),
    (replace(MADE, subject=ADA), {"MadeByDomain"}),
    (replace(LAUNCH, object=Literal("2000-13", "gYearMonth")), {"LaunchDateRange"}),
    (replace(LAUNCH, object=Literal("2023-02-29", "date")), {"LaunchDateRange"}),
    (replace(LAUNCH, predicate="said"), {"SaidDomain", "SaidRange"}),
    (replace(FACE, predicate="executiveOf", qualifiers=(("start", "2024-03"), ("end", "2023"))), {"StatementPeriod"}),
    (replace(FACE, predicate="executiveOf", qualifiers=(("start", "spring"),)), {"StatementStart"}),
    (replace(FACE, predicate="founderOf"), {"StatementTakesPeriod"}),
    (replace(FACE, predicate="admires", qualifiers=()), {"StatementPredicate"}),
    (replace(FACE, predicate="succeeds", object=ADA, qualifiers=()), {"StatementLoop"}),
    (replace(MADE, predicate="designedBy", object="person/nobody"), {"DesignedByRange"}),
    (replace(FACE, predicate="founderOf", qualifiers=(), evidence=(replace(evidence("Ada"), quote="Eva"),)), {"EvidenceVerbatim"}),
    (replace(FACE, predicate="founderOf", qualifiers=(), evidence=(replace(evidence("Ada"), extractor=""),)), {"EvidenceExtractor"}),
]


@pytest.mark.parametrize(("bad", "names"), BAD_STATEMENTS, ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else None)
def test_bad_statement_is_refused_alone(bad: Statement, names: set[str], shapes: Shapes) -> None:
    """A violation is traced to the one statement that causes it, whatever node the result is about."""
    verdict = judge(DOCUMENT, plus(bad), shapes, SPACE)
    assert [refusal.statement for refusal in verdict.refused] == [bad]
    assert broken(verdict) == names
    assert verdict.accepted == GOOD


def test_wrong_object_does_not_cost_the_right_one(shapes: Shapes) -> None:
    """Of two statements with one subject and predicate, just the one with the offending object goes."""
    bad = replace(MADE, object=ADA)
    verdict = judge(DOCUMENT, plus(bad), shapes, SPACE)
    assert [refusal.statement for refusal in verdict.refused] == [bad]
    assert MADE in verdict.accepted.statements


def test_several_bad_statements_are_refused_with_their_own_reasons(shapes: Shapes) -> None:
    """Each refusal holds the violations of its statement only."""
    bad = [statement for statement, _ in BAD_STATEMENTS[:3]]
    verdict = judge(DOCUMENT, plus(*bad), shapes, SPACE)
    reasons = {refusal.statement: {violation.shape.removeprefix(SHAPE) for violation in refusal.violations} for refusal in verdict.refused}
    assert reasons == dict(BAD_STATEMENTS[:3])


def test_bad_entity_goes_with_its_statements(shapes: Shapes) -> None:
    """An entity of no known type is refused, and so is what is said of it."""
    planet = replace(entity(BAG), id="planet/tidebag", type="Planet")
    said = replace(MADE, subject=planet.id)
    verdict = judge(DOCUMENT, plus(said, entities=(planet,)), shapes, SPACE)
    assert [refusal.entity or refusal.statement for refusal in verdict.refused] == [planet, said]
    assert "EntityType" in broken(verdict)
    assert verdict.accepted == GOOD


def test_entity_without_a_mention_is_refused(shapes: Shapes) -> None:
    """Whatever is in a document's graph was named in it."""
    ghost = Entity("person/ghost", "Person", "Ghost")
    verdict = judge(DOCUMENT, plus(entities=(ghost,)), shapes, SPACE)
    assert [refusal.entity for refusal in verdict.refused] == [ghost]
    assert broken(verdict) == {"EntityMention"}


def test_mention_that_is_not_the_text_costs_its_entity(shapes: Shapes) -> None:
    """A surface that does not stand at its span is no ground for an entity."""
    mention = Mention("body", Span(0, 6), "Corvel", Name("Person", "Corvel"))
    wrong = Entity("person/corvel", "Person", "Corvel", mentions=(mention,))
    verdict = judge(DOCUMENT, plus(entities=(wrong,)), shapes, SPACE)
    assert [refusal.entity for refusal in verdict.refused] == [wrong]
    assert broken(verdict) == {"MentionVerbatim"}


def test_two_periods_for_one_fact_are_both_refused(shapes: Shapes) -> None:
    """One document's statement has one start; which of two is right, nobody can say."""
    other = replace(FACE, qualifiers=(("start", "2022"),))
    verdict = judge(DOCUMENT, plus(other), shapes, SPACE)
    assert {refusal.statement for refusal in verdict.refused} == {FACE, other}
    assert broken(verdict) == {"StatementStart"}


def test_unwritable_parts_are_refused(shapes: Shapes) -> None:
    """What can't even be written as RDF is refused, not raised."""
    nameless = replace(entity(BAG), id="product/x", type="no type")
    qualified = replace(FACE, predicate="executiveOf", qualifiers=(("since", "2024"),))
    surrogate = replace(FACE, predicate="said", object=Literal("\ud800"), qualifiers=())
    verdict = judge(DOCUMENT, plus(qualified, surrogate, entities=(nameless,)), shapes, SPACE)
    assert [refusal.entity or refusal.statement for refusal in verdict.refused] == [nameless, qualified, surrogate]
    assert verdict.accepted == GOOD
    assert all("can't be written" in violation.message for refusal in verdict.refused for violation in refusal.violations)
    report_turtle([violation for refusal in verdict.refused for violation in refusal.violations]).encode()


@pytest.mark.parametrize(
    "document",
    [
        replace(DOCUMENT, published="2024-02-30"),
        replace(DOCUMENT, published="last spring"),
        replace(DOCUMENT, title="\ud800"),
    ],
)
def test_bad_document_is_refused_as_a_whole(document: Document, shapes: Shapes) -> None:
    """Where metadata or text break a shape, nothing is left to accept, and the verdict says so."""
    verdict = judge(document, GOOD, shapes, SPACE)
    assert verdict.document_refused
    assert verdict.accepted == Resolution("corvel")
    assert [refusal.statement or refusal.entity for refusal in verdict.refused] == [None]


def test_accepted_part_is_accepted_again(shapes: Shapes) -> None:
    """What is left conforms, so judging it changes nothing."""
    verdict = judge(DOCUMENT, plus(*(statement for statement, _ in BAD_STATEMENTS)), shapes, SPACE)
    assert judge(DOCUMENT, verdict.accepted, shapes, SPACE) == Verdict(verdict.accepted)


def test_without_shapes_only_the_unwritable_is_refused() -> None:
    """Validation can be switched off; bad data still raises nothing."""
    wrong = BAD_STATEMENTS[0][0]
    unwritable = replace(FACE, predicate="executiveOf", qualifiers=(("since", "2024"),))
    verdict = judge(DOCUMENT, plus(wrong, unwritable), None, SPACE)
    assert verdict.accepted == plus(wrong)
    assert [refusal.statement for refusal in verdict.refused] == [unwritable]


def test_shapes_of_another_base_are_an_error(shapes: Shapes) -> None:
    """They would see nothing and accept anything."""
    with pytest.raises(ValueError, match="under"):
        judge(DOCUMENT, GOOD, shapes, Namespace("https://news.example/"))


def test_check_writes_terms_plainly_and_in_order(shapes: Shapes) -> None:
    """IRIs bare, literals as N-Triples, equal results for bytes and text."""
    bad = replace(LAUNCH, object=Literal('in "May"\n'))
    text = as_ntriples(Writer(SPACE).document_graph(DOCUMENT, plus(bad, BAD_STATEMENTS[0][0])))
    found = check(text, shapes)
    assert found == check(text.encode(), shapes)
    assert [(violation.focus, violation.path, violation.value) for violation in found] == [
        (SPACE.entity(ADA), SPACE.term("ambassadorOf"), SPACE.entity(BAG)),
        (SPACE.entity(BAG), SPACE.term("launchDate"), '"in \\"May\\"\\n"'),
    ]
    assert {violation.severity for violation in found} == {"Violation"}


def test_check_refuses_what_does_not_parse(shapes: Shapes) -> None:
    """Triples that are none are bad input, in one line."""
    with pytest.raises(InputError, match="don't parse") as error:
        check("<http://news.example/a> <b", shapes)
    assert "\n" not in str(error.value)


def test_empty_graph_conforms(shapes: Shapes) -> None:
    """There is nothing to look at."""
    assert check("", shapes) == []


def test_engines_agree_on_a_document_with_many_faults() -> None:
    """The fast engine and pyshacl give the same results, term by term."""
    ghost = Entity("person/ghost", "Person", "Ghost")
    everything = plus(*(statement for statement, _ in BAD_STATEMENTS), entities=(ghost,))
    text = as_ntriples(Writer(SPACE).document_graph(DOCUMENT, everything))
    found = check(text, load_shapes(SETTINGS))
    assert found == check(text, load_shapes(SETTINGS, fast=False))
    assert len(found) > len(BAD_STATEMENTS)


def test_report_is_a_standard_one_without_blank_nodes(shapes: Shapes) -> None:
    """Every violation is a sh:ValidationResult with an IRI; the same violations give the same bytes in any order."""
    bad = [statement for statement, _ in BAD_STATEMENTS]
    found = check(as_ntriples(Writer(SPACE).document_graph(DOCUMENT, plus(*bad))), shapes)
    report = report_turtle(found)
    assert report == report_turtle(list(reversed(found)))
    graph = Graph().parse(data=report, format="turtle")
    (node,) = graph.subjects(RDF.type, SH.ValidationReport)
    results = set(graph.objects(node, SH.result))
    assert len(results) == len(found)
    assert all(isinstance(result, URIRef) for result in results)
    assert {str(graph.value(result, SH.focusNode)) for result in results} == {violation.focus for violation in found}
    assert str(graph.value(node, SH.conforms)) == "false"


def test_empty_report_conforms() -> None:
    """Without results the report says that the data conform."""
    graph = Graph().parse(data=report_turtle([]), format="turtle")
    assert [str(value) for value in graph.objects(None, SH.conforms)] == ["true"]


def test_report_of_a_warning_names_its_severity() -> None:
    """A warning is a result too; as the standard says, a report with results does not conform."""
    warning = Violation(SPACE.fact("1"), None, SPACE.fact("2"), f"{SHAPE}FactConflict", "Warning", "The fact conflicts with another one.")
    graph = Graph().parse(data=report_turtle([warning]), format="turtle")
    assert list(graph.objects(None, SH.resultSeverity)) == [SH.Warning]
    assert [str(value) for value in graph.objects(None, SH.conforms)] == ["false"]


def test_statement_ids_lead_back_to_their_statements() -> None:
    """The writer's node of a statement is the one that violations are traced by."""
    written = {str(quad.subject) for quad in Writer(SPACE).document_graph(DOCUMENT, GOOD)}
    assert {f"<{SPACE.statement(statement_id(statement))}>" for statement in GOOD.statements} <= written


def shapes_file(folder: Path, content: str) -> Settings:
    (folder / "shapes.ttl").write_text(content, encoding="utf-8")
    return SETTINGS.replace(ontology=str(folder))


def test_broken_shapes_file_is_named_with_its_line(tmp_path: Path) -> None:
    """Shapes that don't parse are one line of error with file and line."""
    with pytest.raises(OntologyError, match=r"shapes\.ttl, line 2: ") as error:
        load_shapes(shapes_file(tmp_path, "@prefix sh: <http://www.w3.org/ns/shacl#> .\nsh:a sh:b : .\n"))
    assert "\n" not in str(error.value)


def test_shape_with_broken_sparql_is_an_error(tmp_path: Path) -> None:
    """A constraint that is no SPARQL is found when the shapes are loaded, not when a document is checked."""
    text = """@prefix sh: <http://www.w3.org/ns/shacl#> .
<a> a sh:NodeShape ; sh:targetClass <b> ; sh:sparql <c> .
<c> a sh:SPARQLConstraint ; sh:select "SELECT nothing" .
"""
    for fast in (True, False):
        with pytest.raises(OntologyError, match=r"shapes\.ttl"):
            load_shapes(shapes_file(tmp_path, text), fast=fast)


def fast_shapes() -> Shapes:
    found = load_shapes(SETTINGS)
    if found.compiled is None:
        pytest.skip("the fast engine is not installed")
    return found


FAULTS = (
    *(bad for bad, _ in BAD_STATEMENTS),
    replace(FACE, predicate="founderOf", qualifiers=(), evidence=(replace(evidence("Ada"), span=Span(500, 503)),)),
)


def test_quotes_in_long_texts_are_compared_as_in_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long document's quotes are not compared by SPARQL, which would copy the text for each; the results are the same."""
    shapes = fast_shapes()
    assert [constraint.shape.removeprefix(SHAPE) for constraint in shapes.verbatim] != []
    wrong = replace(entity(ADA), mentions=(Mention("body", Span(0, 6), "Corvel", Name("Person", "Ada Lindqvist")),))
    everything = replace(plus(*FAULTS), entities=(wrong, *GOOD.entities[1:]))
    text = as_ntriples(Writer(SPACE).document_graph(DOCUMENT, everything))
    plain = check(text, shapes)
    monkeypatch.setattr("kg.validate.LONG", 0)
    assert check(text, shapes) == plain == check(text, load_shapes(SETTINGS, fast=False))
    found = {violation.shape.removeprefix(SHAPE) for violation in plain}
    assert {"MentionVerbatim", "EvidenceVerbatim"} <= found


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('"Ada Lindqvist"', '"Ada Lindqvist"@en'),
        ('"13"^^<http://www.w3.org/2001/XMLSchema#integer>', '"13"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
    ],
)
def test_what_is_no_string_or_number_is_left_to_sparql(written: str, instead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a graph is not as the writer makes it, SPARQL's rules decide, in a long text too."""
    shapes = fast_shapes()
    text = as_ntriples(Writer(SPACE).document_graph(DOCUMENT, GOOD)).replace(written, instead)
    plain = check(text, shapes)
    monkeypatch.setattr("kg.validate.LONG", 0)
    assert check(text, shapes) == plain


def test_long_texts_are_spared_the_slow_constraints() -> None:
    """What made a document of 2 MB take a minute: constraints that copy the text for every quote are not run on it."""
    shapes = fast_shapes()
    asked = []

    class Counting:
        def validate_text(self, text: str, **options: object) -> object:
            asked.append(len(text))
            return shapes.others.validate_text(text, **options)

    long = replace(DOCUMENT, texts=(Text("body", CONTENT + " more" * 100_000),))
    judge(long, GOOD, replace(shapes, compiled=Counting()), SPACE)
    assert asked == []
    judge(DOCUMENT, GOOD, replace(shapes, compiled=Counting()), SPACE)
    assert len(asked) == 1


@pytest.mark.parametrize("part", [1, 40, 300])
def test_a_store_in_parts_has_the_results_of_the_whole(part: int, store: Store) -> None:
    """However the fused view is divided, each of its nodes sees what its shapes ask for."""
    shapes = fast_shapes()
    graph = store.graph
    here, term = ox.DefaultGraph(), lambda name: ox.NamedNode(SPACE.term(name))
    facts, brands = (
        sorted({quad.subject.value for quad in graph.quads_for_pattern(None, RDF_TYPE, term(name), here)}) for name in ("Fact", "Brand")
    )
    assert {"mentionedIn", "evidence", "conflictsWith"} <= {
        quad.predicate.value.rpartition("#")[2] for quad in graph.quads_for_pattern(None, None, None, here)
    }
    for number, name in enumerate(facts[:6]):
        node = ox.NamedNode(name)
        graph.add(ox.Quad(node, term("sourceCount"), ox.Literal(7 + number)))
        graph.add(ox.Quad(node, term("evidence"), node))
    for name, begin, end in ((facts[7], "2001", "2004"), (facts[8], "2003", "2007")):
        for quad in list(graph.quads_for_pattern(ox.NamedNode(name), None, None, here)):
            if quad.predicate != RDF_TYPE:
                graph.remove(quad)
        graph.add(ox.Quad(ox.NamedNode(name), ox.NamedNode(str(RDF.subject)), ox.NamedNode(brands[1])))
        graph.add(ox.Quad(ox.NamedNode(name), ox.NamedNode(str(RDF.predicate)), term("creativeDirectorOf")))
        graph.add(ox.Quad(ox.NamedNode(name), ox.NamedNode(str(RDF.object)), ox.NamedNode(brands[0])))
        graph.add(ox.Quad(ox.NamedNode(name), term("startDate"), ox.Literal(begin)))
        graph.add(ox.Quad(ox.NamedNode(name), term("endDate"), ox.Literal(end)))
    graph.add(ox.Quad(ox.NamedNode(brands[0]), term("mentionedIn"), ox.NamedNode(brands[-1])))
    graph.add(ox.Quad(ox.NamedNode(brands[-1]), term("creativeDirectorOf"), ox.NamedNode(brands[0])))
    whole = list(check_store(graph, shapes, part=10**9))
    assert sorted(check_store(graph, shapes, part=part), key=str) == sorted(whole, key=str)
    broken = {violation.shape.removeprefix(SHAPE) for violation in whole}
    assert {"BrandOverlap", "FactEdge", "FactSourceCount", "FactEvidence", "EntityMentionedIn", "FactConflict"} <= broken


def test_a_part_of_a_store_is_no_larger_than_asked(store: Store) -> None:
    """What is validated at a time does not grow with the store."""
    whole = [text for text, nodes in parts(store.graph, 10**9) if nodes is None]
    assert len(whole) == 1 + len(list(store.graph.named_graphs()))
    sizes = [len(nodes) for _, nodes in parts(store.graph, 50) if nodes is not None]
    assert len(sizes) > 5
    assert max(sizes) <= 50
