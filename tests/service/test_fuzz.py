"""Thousands of requests made from /openapi.json: none is a 500, and every answer is one that the description allows."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

_REQUESTS = 2500
"""For each operation; 100,000 in all with the shipped queries."""


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_request_breaks_the_service(app: Flask) -> None:
    """Statuses, media types and schemas are those of the description."""
    schemathesis = pytest.importorskip("schemathesis")
    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    allowed = [
        pytest.importorskip("schemathesis.checks").not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    sent = 0
    for operation in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():

        @settings(
            max_examples=_REQUESTS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=operation.ok().as_strategy())
        def run(case: Any) -> None:
            nonlocal sent
            sent += 1
            case.call_and_validate(checks=allowed)

        run()
    assert sent > 0
