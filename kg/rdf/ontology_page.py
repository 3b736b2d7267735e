"""The page docs/ontology.md, made from the ontology itself."""

from __future__ import annotations

from collections.abc import Iterable

from kg.rdf.ontology import OntologyClass, Property, load_ontology
from kg.settings import Settings

__all__ = ["ontology_page"]


def ontology_page(settings: Settings) -> str:
    """The reference of classes, predicates of facts and the properties that carry evidence."""
    ontology = load_ontology(settings)
    others = [term for name, term in ontology.properties.items() if name not in ontology.predicates]
    lines = [
        "# Ontology",
        "",
        "Made from `ontology/kg.ttl` by `make docs`. Terms are `<BASE>ontology#NAME`, in queries `kg:NAME`.",
        "The service serves each under its IRI.",
        "`ontology/shapes.ttl` says what a graph must look like, `ontology/mappings.ttl` how terms correspond to other vocabularies.",
        "",
        "## What facts are about",
        "",
        *_classes(ontology.classes[name] for name in ontology.entity_types),
        "",
        "## What facts say",
        "",
        "*One value*: two different values from different documents are a conflict. *Period*: a start and an end can be told.",
        "*Symmetric*: either order says the same.",
        "",
        "| predicate | from | to | marks | says |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {_row(term)} | {_marks(term)} | {_cell(term.comment)} |" for term in ontology.predicates.values()),
        "",
        "## How facts are kept",
        "",
        *_classes(term for name, term in ontology.classes.items() if name not in ontology.entity_types),
        "",
        "| property | from | to | says |",
        "| --- | --- | --- | --- |",
        *(f"| {_row(term)} | {_cell(term.comment)} |" for term in others),
    ]
    return "\n".join(lines) + "\n"


def _classes(classes: Iterable[OntologyClass]) -> list[str]:
    rows = (f"| `{term.name}` | {_cell(term.comment)} |" for term in classes)
    return ["| class | is |", "| --- | --- |", *rows]


def _row(term: Property) -> str:
    return f"`{term.name}` | {_ends(term.domain)} | {term.literal or _ends(term.range)}"


def _ends(names: Iterable[str]) -> str:
    return ", ".join(names) or "any"


def _marks(term: Property) -> str:
    marks = {"one value": term.single_valued, "period": term.takes_period, "symmetric": term.symmetric}
    return ", ".join(name for name, holds in marks.items() if holds)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
