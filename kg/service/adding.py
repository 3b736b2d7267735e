"""Documents over HTTP: adds and retracts them, and shows the facts of a pasted text before it is saved."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from kg.build import Line
from kg.errors import NotFound, UnreadableDocument
from kg.model import Document, Entity, Literal, Problem, Resolution, Source, content_hash
from kg.rdf.ontology import load_ontology
from kg.read import read_source
from kg.read.metadata import iso_date, one_line, web_address
from kg.revise import Reviser
from kg.service.changes import authorize, writable
from kg.service.faults import Fault, HttpFault, fault_of
from kg.service.negotiate import PAGE, choose
from kg.service.state import current, store

__all__ = ["create_blueprint"]

_TEXTS = ("text/plain", "text/markdown", "text/html", "application/xhtml+xml")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_FIELDS = ("id", "text", "title", "published", "url", "author", "publisher")
_OFFERED = {"application/json": "json", "text/html": PAGE}


@dataclass(slots=True)
class _Workshop:
    """The stages that make facts of a document, kept between requests since a model takes seconds to load."""

    lock: threading.Lock
    line: Line | None = None

    def __call__(self, document: Document) -> tuple[Resolution, Any, str]:
        """What the document says, the verdict and the fingerprint of the stages; UnreadableDocument where they make nothing."""
        with self.lock:
            if self.line is None:
                self.line = Line(current().settings, store().namespace.base)
            outcome = self.line(document)
            if outcome.verdict is None:
                problem = outcome.problems[-1]
                raise UnreadableDocument(f"{problem.document_id}: {problem.message}", category=problem.category, hint="mend the text")
            return outcome.verdict.accepted, outcome.verdict, self.line.fingerprint


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("adding", __name__)
    blueprint.record_once(lambda setup: setup.app.extensions.update({"kg-workshop": _Workshop(threading.Lock())}))
    blueprint.add_url_rule("/documents", view_func=_add, methods=["POST"])
    blueprint.add_url_rule("/documents/new", view_func=_new)
    blueprint.add_url_rule("/documents/<path:path>", view_func=_retract, methods=["DELETE"])
    blueprint.add_url_rule("/documents/<path:path>", view_func=_retract_by_form, methods=["POST"])
    return blueprint


def _new() -> Response:
    """The page to paste a text into."""
    return _page({}, None)


def _add() -> Response:
    """Adds a document, or with `preview` shows what it would say and stores nothing."""
    authorize(form_field="token")
    page = request.mimetype in _FORMS and choose(_OFFERED) == PAGE
    fields = _fields()
    try:
        document = _document(fields)
        resolution, verdict, fingerprint = current_app.extensions["kg-workshop"](document)
    except (UnreadableDocument, HttpFault) as error:
        if not page:
            raise
        fault = fault_of(error)
        return _page(fields, None, fault)
    facts = _facts(resolution)
    if request.args.get("preview") or fields.get("action") == "preview":
        return _page(fields, facts) if page else jsonify({"id": document.id, "saved": False, "facts": facts})
    with writable() as target:
        former = target.ledger.state(document.id)
        if former != (document.digest, fingerprint):
            single_valued = load_ontology(current().settings).single_valued
            Reviser(target, single_valued=single_valued).put(document, verdict, fingerprint=fingerprint)
        iri = target.namespace.document(document.id)
    location = f"{request.script_root}/{iri.removeprefix(current().settings.base)}"
    response = jsonify({"id": document.id, "iri": iri, "saved": True, "replaced": former is not None, "facts": facts})
    response.status_code = 303 if page else 200 if former is not None else 201
    response.headers["Location"] = location
    return response


def _page(fields: Mapping[str, str], facts: list[dict[str, Any]] | None, fault: Fault | None = None) -> Response:
    """The page with what was typed in; no copy of it is kept, for it holds the token."""
    token = request.form.get("token", "")
    page = render_template("new.html", fields=fields, facts=facts, fault=fault, token=token)
    response = make_response(page, fault.status if fault else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _fields() -> dict[str, str]:
    """What was sent: the fields of JSON or of a form, or a text with its metadata in the URL's parameters."""
    if request.mimetype == "application/json":
        data = request.get_json(silent=True)
        if not isinstance(data, dict) or not all(isinstance(value, str | None) for value in data.values()):
            raise HttpFault(400, "input", "the body is no JSON object of texts", hint='send {"id": "…", "text": "…"}')
        return {key: value for key, value in data.items() if value is not None}
    if request.mimetype in _FORMS:
        # browsers send line ends as CR LF, whatever was pasted
        return {key: request.form[key].replace("\r\n", "\n") for key in (*_FIELDS, "action") if request.form.get(key)}
    if request.mimetype not in _TEXTS:
        hint = f"send {', '.join(_TEXTS)}, application/json or a form"
        raise HttpFault(415, "unsupported-media-type", f"a document can't be sent as {request.mimetype or 'nothing'}", hint=hint)
    return {key: request.args[key] for key in _FIELDS if request.args.get(key)}


def _document(fields: Mapping[str, str]) -> Document:
    """The document, read by the reader of its type; what the request says of it goes before what it says of itself."""
    direct = request.mimetype in _TEXTS
    content = request.get_data() if direct else _body(fields)
    id = fields.get("id") or f"text-{content_hash(content.decode('utf-8', 'replace'))}"
    kind = request.mimetype if direct else "text/plain"
    found = next(iter(read_source(Source(f"document {id}", content, id, kind), current().settings)), None)
    if found is None or isinstance(found, Problem):
        reason = found.message if found else "it holds no document"
        raise UnreadableDocument(reason, category=found.category if found else "no-text", hint="see docs/service.md")
    return replace(found, **_stated(fields))


def _body(fields: Mapping[str, str]) -> bytes:
    if not fields.get("text"):
        raise HttpFault(400, "text-missing", "there is no text", hint="send it as text")
    try:
        return fields["text"].encode()
    except UnicodeEncodeError as error:
        raise HttpFault(400, "encoding", "a lone surrogate in the text is no character", hint="send UTF-8") from error


def _stated(fields: Mapping[str, str]) -> dict[str, Any]:
    readers = {"title": one_line, "author": one_line, "publisher": one_line, "published": iso_date, "url": web_address}
    stated: dict[str, Any] = {}
    for name, read in readers.items():
        if name in fields:
            value = read(fields[name])
            if value is None:
                raise HttpFault(
                    400, "input", f"{name} can't be {fields[name]!r}", hint="a date is 2024-01-31, an address begins with https://"
                )
            stated[name] = value
    return stated


def _facts(resolution: Resolution) -> list[dict[str, Any]]:
    """What a document says, a row a fact, in the order of its sentences."""
    entities = {entity.id: entity for entity in resolution.entities}
    rows = [
        {
            "subject": _named(entities, statement.subject),
            "predicate": statement.predicate,
            "object": _named(entities, statement.object),
            "qualifiers": dict(statement.qualifiers),
            "evidence": evidence.quote,
            "span": [evidence.span.start, evidence.span.end],
            "confidence": evidence.confidence,
            "extractor": evidence.extractor,
        }
        for statement in resolution.statements
        for evidence in statement.evidence
    ]
    return sorted(rows, key=lambda row: (row["span"], row["predicate"], str(row["object"])))


def _named(entities: Mapping[str, Entity], value: str | Literal) -> dict[str, str | None]:
    if isinstance(value, Literal):
        return {"value": value.value, "datatype": value.datatype}
    entity = entities.get(value)
    return {
        "label": entity.name if entity else value,
        "type": entity.type if entity else None,
        "iri": store().namespace.entity(value),
        "wikidata": entity.link.qid if entity and entity.link else None,
    }


def _retract(path: str) -> Response:
    """Takes a document out; nothing stays that only it said."""
    authorize()
    _take_out(path)
    return Response(status=204)


def _retract_by_form(path: str) -> Response:
    """The same for the form of a page, which has no DELETE: with ``action=retract`` and the token; leads to the documents."""
    authorize(form_field="token")
    if request.form.get("action") != "retract":
        raise HttpFault(400, "usage", "the form doesn't say what to do", hint="send action=retract, or DELETE")
    _take_out(path)
    return Response(status=303, headers={"Location": f"{request.script_root}/documents"})


def _take_out(path: str) -> None:
    with writable() as target:
        ids = dict.fromkeys((path, unquote(path)))
        id = next((each for each in ids if target.ledger.state(each) is not None), None)
        if id is None:
            raise NotFound.among("document", path, target.ledger.ids())
        Reviser(target, single_valued=load_ontology(current().settings).single_valued).retract(id)
