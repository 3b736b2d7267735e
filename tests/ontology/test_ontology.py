"""The ontology says of every term what people and programs need, and shapes, context and mappings agree with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rdflib import OWL, PROV, RDF, RDFS, SDO, SH, SKOS, XSD, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from kg.errors import OntologyError
from kg.rdf.ontology import Property, jsonld_context, load_ontology, ontology_folder, read_turtle
from kg.settings import Settings

SETTINGS = Settings()
FOLDER = ontology_folder(SETTINGS)
ONTOLOGY = load_ontology(SETTINGS)
KG = f"{SETTINGS.base}ontology#"
SHAPE = f"{SETTINGS.base}ontology/shapes#"
GRAPH = read_turtle(FOLDER / "kg.ttl", SETTINGS.base)
SHAPES = read_turtle(FOLDER / "shapes.ttl", SETTINGS.base)
MAPPINGS = read_turtle(FOLDER / "mappings.ttl", SETTINGS.base)
TERMS = sorted({node for node in GRAPH.subjects() if isinstance(node, URIRef) and node.startswith(KG)})
ENTITY_TYPES = {"Person", "Brand", "Organization", "Campaign", "Product", "Collection", "Event", "Work", "Country"}
OTHER_CLASSES = {"Entity", "Document", "Text", "Mention", "Fact", "Statement", "Evidence", "Match", "Correction"}
PREDICATES = {
    *("ambassadorOf", "creativeDirectorOf", "executiveOf", "founderOf", "starsIn", "campaignFor", "promotes", "photographedBy"),
    *("directedBy", "styledBy", "madeBy", "designedBy", "launchDate", "campaignDate", "ownedBy", "countryOfOrigin", "wore", "attended"),
    *("collaboratedWith", "memberOf", "castMemberOf", "occupation", "succeeds", "criticized", "said"),
}
DATES = {XSD.gYear, XSD.gYearMonth, XSD.date}


def named(condition: str) -> set[str]:
    return {name for name, term in ONTOLOGY.properties.items() if getattr(term, condition)}


def test_classes_and_predicates_are_those_of_the_guidelines() -> None:
    """Nine types of entities, 25 predicates, no more and no fewer."""
    assert set(ONTOLOGY.entity_types) == ENTITY_TYPES
    assert set(ONTOLOGY.classes) == ENTITY_TYPES | OTHER_CLASSES
    assert set(ONTOLOGY.predicates) == PREDICATES


@pytest.mark.parametrize("term", TERMS, ids=lambda term: str(term).removeprefix(KG))
def test_term_has_label_and_comment(term: URIRef) -> None:
    """One English label and one English sentence."""
    labels, comments = list(GRAPH.objects(term, RDFS.label)), list(GRAPH.objects(term, RDFS.comment))
    assert [label.language for label in labels if isinstance(label, Literal)] == ["en"]
    assert [comment.language for comment in comments if isinstance(comment, Literal)] == ["en"]
    assert str(comments[0]).endswith(".")
    assert ". " not in str(comments[0])


def test_kinds_of_predicates() -> None:
    """What programs read: symmetric, conflicting and dated predicates, dates and texts."""
    facts = ONTOLOGY.predicates
    assert {name for name, term in facts.items() if term.symmetric} == {"collaboratedWith"}
    assert named("single_valued") == ONTOLOGY.single_valued == {"launchDate", "campaignDate", "countryOfOrigin"}
    assert named("takes_period") == {"ambassadorOf", "creativeDirectorOf", "executiveOf"}
    assert {name: term.literal for name, term in facts.items() if term.literal} == {
        "launchDate": "date",
        "campaignDate": "date",
        "occupation": "string",
        "said": "string",
    }
    assert not [name for name, term in facts.items() if term.functional]
    assert {"quote", "inText", "confidence"} <= named("functional")


def test_domains_and_ranges_are_classes() -> None:
    """Every domain and range names classes of the ontology; literals have none."""
    for name, term in ONTOLOGY.properties.items():
        assert term.domain or name in ("factProperty", "factValue"), name
        assert set(term.domain) | set(term.range) <= set(ONTOLOGY.classes), name
        assert not (term.literal and term.range), name


def members(graph: Graph, node: Node | None, path: URIRef) -> list[Node]:
    """The list that is the node's value."""
    assert node is not None
    head = graph.value(node, path)
    assert head is not None
    return list(Collection(graph, head))


def shape_classes(shape: Node) -> set[str]:
    parts = SHAPES.value(shape, SH["or"])
    nodes = list(Collection(SHAPES, parts)) if parts is not None else [shape]
    return {str(value).removeprefix(KG) for node in nodes for value in SHAPES.objects(node, SH["class"])}


def shape_datatypes(shape: Node) -> set[Node]:
    parts = SHAPES.value(shape, SH["or"])
    nodes = list(Collection(SHAPES, parts)) if parts is not None else [shape]
    return {value for node in nodes for value in SHAPES.objects(node, SH.datatype)}


@pytest.mark.parametrize("term", ONTOLOGY.predicates.values(), ids=lambda term: term.name)
def test_shapes_have_the_domains_and_ranges_of_the_ontology(term: Property) -> None:
    """The two shapes of a predicate allow what the ontology says."""
    name = term.name[0].upper() + term.name[1:]
    domain, range_ = URIRef(f"{SHAPE}{name}Domain"), URIRef(f"{SHAPE}{name}Range")
    assert shape_classes(domain) == set(term.domain)
    assert shape_classes(range_) == set(term.range)
    assert shape_datatypes(range_) == {None: set(), "date": DATES, "string": {XSD.string}}[term.literal]
    assert {str(SHAPES.value(shape, SH.targetSubjectsOf)) for shape in (domain, range_)} == {term.iri}


def test_shapes_repeat_the_lists_of_the_ontology() -> None:
    """What a shape has to spell out (SHACL knows no reasoning) is what the ontology says."""
    for local in ("StatementPredicate", "FactPredicate"):
        listed = members(SHAPES, URIRef(SHAPE + local), SH["in"])
        assert {str(node).removeprefix(KG) for node in listed} == PREDICATES
    single = {str(node).removeprefix(KG) for node in SHAPES.objects(URIRef(f"{SHAPE}EntitySingleValue"), SH.targetSubjectsOf)}
    assert single == named("single_valued")
    dated = str(SHAPES.value(URIRef(f"{SHAPE}StatementTakesPeriod-query"), SH.select))
    assert {name for name in PREDICATES if f"kg:{name}" in dated} == named("takes_period")
    edges = str(SHAPES.value(URIRef(f"{SHAPE}EntityEdge-query"), SH.select))
    assert {name for name in PREDICATES if f"kg:{name}" in edges} == PREDICATES


def test_type_clash_follows_what_may_share_a_name() -> None:
    """For each class the shape allows the class itself and those with which it may share a name."""
    for row in members(SHAPES, URIRef(f"{SHAPE}EntityTypeClash"), SH["and"]):
        other, same = members(SHAPES, row, SH["or"])
        name = str(SHAPES.value(SHAPES.value(other, SH["not"]), SH["class"])).removeprefix(KG)
        assert shape_classes(same) == {name, *ONTOLOGY.classes[name].may_share_name}


def test_every_used_term_is_defined() -> None:
    """Shapes and mappings use no term that the ontology lacks."""
    defined = {str(term) for term in TERMS}
    for graph in (SHAPES, MAPPINGS):
        used = {str(node) for triple in graph for node in triple if isinstance(node, URIRef) and str(node).startswith(KG)}
        assert used - {KG} <= defined


def test_mappings_name_terms_that_exist() -> None:
    """Every mapped term of schema.org and PROV-O is one of theirs; what is not mapped has no counterpart."""
    schema = "https://schema.org/"
    for node in set(MAPPINGS.objects()):
        if str(node).startswith(schema):
            assert str(node).removeprefix(schema) in SDO, node
        elif str(node).startswith(str(PROV)):
            assert str(node).removeprefix(str(PROV)) in PROV, node
    mapped = {str(node).removeprefix(KG) for node in MAPPINGS.subjects()}
    assert ENTITY_TYPES - mapped == {"Campaign"}
    assert PREDICATES - mapped == {"starsIn", "criticized"}


def test_mappings_use_known_relations() -> None:
    """Exact claims for what always holds, SKOS matches for the rest."""
    inverse = URIRef(f"{KG}inverseMatch")
    known = {RDFS.subClassOf, RDFS.subPropertyOf, SKOS.closeMatch, SKOS.broadMatch, SKOS.exactMatch, inverse}
    assert set(MAPPINGS.predicates()) <= known


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own parser uses it
def test_context_expands_to_the_terms() -> None:
    """A JSON-LD document in the context's words gives triples under the base of the store."""
    base = "https://news.example/"
    document = {
        **jsonld_context(SETTINGS.replace(base=base)),
        "id": "resource/person/kim-kardashian",
        "type": "Person",
        "label": "Kim Kardashian",
        "ambassadorOf": "resource/brand/balenciaga",
        "occupation": "model",
        "kg:launchDate": {"@value": "2000", "@type": "xsd:gYear"},
    }
    found = Graph().parse(data=json.dumps(document), format="json-ld")
    kim = URIRef(f"{base}resource/person/kim-kardashian")
    assert (kim, URIRef(f"{base}ontology#ambassadorOf"), URIRef(f"{base}resource/brand/balenciaga")) in found
    assert (kim, RDF.type, URIRef(f"{base}ontology#Person")) in found
    assert str(found.value(kim, URIRef(f"{base}ontology#occupation"))) == "model"
    assert len(found) == 5


def test_context_makes_every_object_property_a_link() -> None:
    """Values of properties that lead to a node are IRIs, not texts."""
    context = jsonld_context(SETTINGS)["@context"]
    linked = {name for name, value in context.items() if isinstance(value, dict) and value.get("@type") == "@id"}
    assert {name for name, term in ONTOLOGY.properties.items() if term.literal is None} == linked - {"sameAs", "schema:sameAs", "subject"}


def test_files_hold_no_absolute_base() -> None:
    """Terms are relative, so that one set of files serves every base."""
    for path in [*FOLDER.glob("*.ttl"), *FOLDER.glob("*.jsonld"), *FOLDER.glob("examples/*/*.ttl")]:
        text = path.read_text(encoding="utf-8")
        assert "localhost" not in text, path
        assert "@base" not in text, path


def test_ontology_has_no_reasoning_traps() -> None:
    """Every class of entities is a subclass of Entity, and they exclude each other."""
    disjoint = members(GRAPH, GRAPH.value(None, RDF.type, OWL.AllDisjointClasses), OWL.members)
    assert {str(node).removeprefix(KG) for node in disjoint} == ENTITY_TYPES


def test_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    """An ontology that doesn't parse is one line of error with file and line."""
    (tmp_path / "kg.ttl").write_text("@prefix kg: <ontology#> .\nkg:A a kg:B .\nkg:A kg:b kg: : .\n", encoding="utf-8")
    with pytest.raises(OntologyError, match=r"kg\.ttl, line 3: ") as error:
        load_ontology(SETTINGS.replace(ontology=str(tmp_path)))
    assert "\n" not in str(error.value)


def test_missing_or_undecodable_file_is_an_error(tmp_path: Path) -> None:
    """A folder without the file, or with bytes that are no UTF-8, is one line of error."""
    settings = SETTINGS.replace(ontology=str(tmp_path))
    with pytest.raises(OntologyError, match="can't be read"):
        load_ontology(settings)
    (tmp_path / "kg.ttl").write_bytes(b"\xff\xfe")
    with pytest.raises(OntologyError, match="can't be read"):
        load_ontology(settings)
    with pytest.raises(OntologyError, match="can't be read"):
        jsonld_context(settings)
    (tmp_path / "context.jsonld").write_text('{\n "@context": ]', encoding="utf-8")
    with pytest.raises(OntologyError, match="line 2"):
        jsonld_context(settings)
