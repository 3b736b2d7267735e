"""What goes wrong, over HTTP: one table from the error tree to statuses, one JSON shape, one handler."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from kg import errors

__all__ = ["STATUSES", "Fault", "HttpFault", "fault_of", "register"]

STATUSES: Mapping[type[errors.KgError], tuple[int, str]] = {
    errors.NotFound: (404, "not-found"),
    errors.InvalidSetting: (500, "invalid-setting"),
    errors.UsageError: (400, "usage"),
    errors.UnreadableDocument: (422, "unreadable-document"),
    errors.QueryRefused: (403, "query-refused"),
    errors.QuerySyntaxError: (400, "query-syntax"),
    errors.QueryTooDeep: (400, "query-too-deep"),
    errors.QueryTooLong: (413, "query-too-long"),
    errors.OntologyError: (500, "ontology"),
    errors.ModelError: (500, "model"),
    errors.InputError: (400, "input"),
    errors.StoreVersionError: (500, "store-version"),
    errors.StoreLocked: (503, "store-locked"),
    errors.StoreMissing: (503, "store-missing"),
    errors.StoreFull: (507, "store-full"),
    errors.ServerError: (502, "server"),
    errors.ServerRefused: (502, "server-refused"),
    errors.StoreError: (500, "store"),
    errors.ChatError: (502, "language-model"),
    errors.ServiceUnavailable: (502, "online-service"),
    errors.LoadFailed: (502, "load-failed"),
    errors.RejectedByShapes: (422, "rejected-by-shapes"),
    errors.ResultTooLarge: (422, "result-too-large"),
    errors.ServiceFailed: (502, "service-failed"),
    errors.QueryTimeout: (503, "query-timeout"),
    errors.KgError: (500, "internal"),
}
"""Error → status and code. A class that is not here has those of the nearest class above it."""

_PRIVATE = (500, 502, 507)
"""Statuses whose messages may name places on the server's disk or in its network: they go to the log, not to the client."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a client is told."""

    status: int
    code: str
    message: str
    hint: str = ""

    def as_data(self) -> dict[str, dict[str, str | int]]:
        """The one JSON shape of errors."""
        return {"error": {"status": self.status, "code": self.code, "message": self.message, "hint": self.hint}}


class HttpFault(HTTPException):
    """A fault that the service itself finds in a request."""

    def __init__(self, status: int, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code = status
        self.fault = Fault(status, code, message, hint)


def fault_of(error: Exception) -> Fault:
    """What a client is told of an error; nothing about the inside of the server."""
    if isinstance(error, HttpFault):
        return error.fault
    if isinstance(error, HTTPException):
        slug = re.sub(r"[^a-z]+", "-", error.name.lower()).strip("-")
        return Fault(error.code or 500, slug, error.description or error.name)
    if isinstance(error, errors.KgError):
        kind = next(each for each in type(error).__mro__ if each in STATUSES)
        status, code = STATUSES[kind]
        if status not in _PRIVATE or isinstance(error, errors.ServiceFailed):
            return Fault(status, code, error.message, error.hint)
        return Fault(status, code, "the server could not do this", "its log says why")
    return Fault(500, "internal", "something went wrong in the server", "its log says what; please report it")


def register(app: Flask) -> None:
    """The one handler, for all routes and all errors: JSON, or a plain page for clients that prefer HTML."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        fault = fault_of(error)
        if fault.status >= 500:
            app.logger.error("%s %s: %s", request.method, request.path, error, exc_info=error)
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            response = make_response(render_template("fault.html", fault=fault), fault.status)
        else:
            response = make_response(jsonify(fault.as_data()), fault.status)
        if fault.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="kg"'
        if isinstance(error, HTTPException):
            kept = {"Allow", "Location", "Retry-After"}
            response.headers.extend((name, value) for name, value in error.get_headers() if name in kept)
        return response
