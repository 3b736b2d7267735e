"""`kg documents` lists what is in the store; `kg show` shows one document or entity with its facts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from kg.cli.command import Command, add_format
from kg.cli.facts import print_facts
from kg.cli.output import print_json, print_list, visible
from kg.cli.stores import matching, open_for_reading
from kg.errors import NotFound

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

_COLUMNS = ("doc", "published", "title", "author", "publisher", "language", "url", "facts")
_DOCUMENTS = """
SELECT ?doc ?published ?title ?author ?publisher ?language ?url (COUNT(?fact) AS ?facts) WHERE {
  ?document a kg:Document ; kg:identifier ?doc .
  OPTIONAL { ?document kg:published ?published }
  OPTIONAL { ?document kg:title ?title }
  OPTIONAL { ?document kg:author ?author }
  OPTIONAL { ?document kg:publisher ?publisher }
  OPTIONAL { ?document kg:language ?language }
  OPTIONAL { ?document kg:url ?url }
  OPTIONAL { ?fact a kg:Fact ; kg:statedIn ?document }
} GROUP BY ?doc ?published ?title ?author ?publisher ?language ?url ORDER BY ?doc
"""
_ENTITY = """
SELECT ?name ?value WHERE {
  VALUES (?property ?name) {
    (rdf:type "type") (rdfs:label "label") (skos:altLabel "aliases") (owl:sameAs "wikidata") (kg:mentionedIn "documents")
  }
  $entity ?property ?thing .
  OPTIONAL { ?thing kg:identifier ?identifier }
  BIND(COALESCE(?identifier, REPLACE(STR(?thing), "^http.*[/#]", "")) AS ?value)
} ORDER BY ?name ?value
"""


def _documents(arguments: Namespace, settings: Settings) -> int:
    from kg.query.run import run_query

    with open_for_reading(settings) as store:
        results = run_query(store, _DOCUMENTS, settings=matching(settings, store))
    rows = [dict(zip(results.header, (term.value if term else None for term in row), strict=True)) for row in results]  # type: ignore[union-attr]
    print_list([{**row, "facts": int(row["facts"] or 0)} for row in rows], _COLUMNS, arguments.format)
    return 0


def _show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="id of a document, or an entity: IRI, id (person/kim-kardashian) or name")
    parser.add_argument("--format", choices=("text", "json"), default="text", metavar="F", help="text (default) or json")


def _show(arguments: Namespace, settings: Settings) -> int:
    with open_for_reading(settings) as store:
        found = _document(store, arguments.id) or _entity(store, arguments.id, matching(settings, store))
    if arguments.format == "json":
        print_json(found)
        return 0
    for name, value in found.items():
        if name not in ("facts", "texts") and value:
            print(f"{name:11}{visible(', '.join(value) if isinstance(value, list) else str(value))}")
    print()
    print_facts(found["facts"], skip=found.get("doc", ""))
    return 0


def _document(store: Store, text: str) -> dict[str, Any] | None:
    """A document with what it says, None where the store has none of this id or IRI."""
    from kg.query.facts import facts

    known = {store.namespace.document(each): each for each in store.ledger.ids()} if "://" in text else {}
    row = store.ledger.row(known.get(text, text))
    if row is None:
        return None
    document = row.document
    metadata = {name: getattr(document, name) for name in ("published", "title", "author", "publisher", "url", "language")}
    texts = [{"name": each.name, "content": each.content} for each in document.texts]
    iri = store.namespace.document(document.id)
    return {"doc": document.id, "iri": iri, **metadata, "texts": texts, "facts": list(facts(store, document=document.id))}


def _entity(store: Store, text: str, settings: Settings) -> dict[str, Any]:
    """An entity with its facts in both directions."""
    from kg.query.facts import facts
    from kg.query.parameters import find_entity
    from kg.query.run import run_query

    try:
        node = find_entity(store, text)
    except NotFound as error:
        by_id = NotFound.among("document", text, store.ledger.ids())
        near = [each.hint for each in (by_id, error) if each.hint.startswith("did you mean")]
        raise NotFound(f"no document and no entity {text!r}", hint=" ".join(near) or "`kg documents` lists documents") from error
    found: dict[str, list[str]] = {}
    for name, value in run_query(store, _ENTITY, settings=settings, parameters={"entity": node}).rows():
        found.setdefault(name, []).append(value)
    (label, *_), names = found.pop("label", [text]), ("type", "aliases", "wikidata", "documents")
    return {
        "label": label,
        "iri": node.value,
        **{name: found.get(name, []) for name in names},
        "facts": list(facts(store, about=node.value)),
    }


COMMANDS = (
    Command("documents", "lists the documents in the store", _documents, ("kg documents", "kg documents --format json"), add_format),
    Command(
        "show",
        "shows one document or entity with its facts and sentences",
        _show,
        ("kg show balenciaga-le-city", 'kg show "Kim Kardashian"'),
        _show_arguments,
    ),
)
