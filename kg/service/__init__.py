"""The service: a Flask app over one store, with SPARQL, a page for every IRI, and the server that runs it."""

from __future__ import annotations

from kg.service.app import create_app

__all__ = ["create_app"]
