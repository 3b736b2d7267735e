"""The colours of types as a stylesheet, from the one table of every picture."""

from __future__ import annotations

import re

from flask import Blueprint, Response

from kg.export.palette import fill_of, ink_of
from kg.service.state import current

__all__ = ["class_of", "create_blueprint"]


def create_blueprint() -> Blueprint:
    """The routes."""
    blueprint = Blueprint("colours", __name__)
    blueprint.add_url_rule("/types.css", view_func=_types)
    return blueprint


def class_of(kind: str) -> str:
    """The CSS class of a type.

    >>> class_of("Person"), class_of('"><b>')
    ('type-person', 'type-b')
    """
    return f"type-{re.sub('[^a-z0-9]+', '', kind.lower()) or 'other'}"


def _types() -> Response:
    """Two variables a type: a light colour and a dark one."""
    kinds = current().ontology.entity_types
    rules = (f".{class_of(kind)} {{ --fill: {fill_of(kind)}; --strong: {ink_of(kind)}; }}\n" for kind in kinds)
    return Response("".join(rules), mimetype="text/css")
