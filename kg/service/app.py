"""Makes the Flask app of a store."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

from kg.query.run import run_query
from kg.rdf.ontology import load_ontology
from kg.service import (
    adding,
    colours,
    data,
    faults,
    graph,
    links,
    openapi,
    pages,
    reconcile,
    reconcile_draft,
    resources,
    review,
    searching,
    sparql,
    validation,
)
from kg.service import writing as writing_routes
from kg.service.changes import OwnWriter
from kg.service.encoding import compress
from kg.service.express import EXPRESS, Express
from kg.service.state import State, StoreSource, WritingSource, current, store
from kg.settings import Settings
from kg.store import Store
from kg.update.writing import Writing

__all__ = ["MOST_BYTES", "create_app"]

MOST_BYTES = 16 * 1024 * 1024
"""Longest request body; past it the answer is 413."""

_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Content-Type, Content-Disposition, ETag"),
    ("Vary", "Accept, Accept-Encoding"),
)


def create_app(origin: Store | StoreSource, settings: Settings, *, writing: WritingSource | None = None) -> Flask:
    """The app over a store, or over what a callable gives at each request as the newest state of one.

    Changes go to what `writing` gives; a store that is open for writing is its own writer. They need a token in the settings.
    """
    if writing is None and isinstance(origin, Store) and not origin.read_only:
        writing = OwnWriter(origin)
    source: StoreSource = (lambda: origin) if isinstance(origin, Store) else origin
    app = Flask("kg.service", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MOST_BYTES
    ours = settings.replace(base=source().namespace.base)
    app.extensions["kg"] = State(source, ours, load_ontology(ours), Writing(ours), writing)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    links.register(app)
    faults.register(app)
    for room in (sparql, writing_routes, adding, resources, pages, searching, graph, data, openapi, reconcile, reconcile_draft):
        app.register_blueprint(room.create_blueprint())
    app.extensions[EXPRESS] = Express(source, ours, dict(_HEADERS))
    for page in (colours, review, validation):
        app.register_blueprint(page.create_blueprint())
    app.add_url_rule("/healthz", view_func=_healthz)
    app.after_request(_finish)
    return app


def _healthz() -> Response:
    """200 only when a query is answered."""
    run_query(store(), "ASK { }", settings=current().settings)
    return jsonify({"status": "ok"})


def _finish(response: Response) -> Response:
    """Headers that every answer has."""
    for name, value in _HEADERS:
        response.headers.add(name, value)
    compress(response)
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, HEAD, OPTIONS")
        response.headers["Access-Control-Allow-Headers"] = "Accept, Authorization, Content-Type, If-None-Match"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response
