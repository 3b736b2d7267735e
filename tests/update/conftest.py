"""Empty stores, and the W3C suites where they lie beside the repository."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from kg.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
SHARED = next((above / "shared" for above in ROOT.parents if (above / "shared" / "suites").is_dir()), ROOT.parent / "shared")
SUITE = SHARED / "suites" / "w3c-rdf-tests"
RUNNERS = SHARED / "bench" / "w3c"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    """A new store without a document."""
    with open_store(tmp_path / "store", create=True) as made:
        yield made


@pytest.fixture(scope="session")
def runners() -> Iterator[dict[str, ModuleType]]:
    """The modules that read the suites' manifests; skips where there are none."""
    if not (RUNNERS / "sparql_suite.py").is_file() or not SUITE.is_dir():
        pytest.skip("the W3C suites are not here")
    sys.path.insert(0, str(RUNNERS))
    try:
        yield {name: import_module(name) for name in ("engines", "manifest", "model", "sparql_suite", "http_suite")}
    finally:
        sys.path.remove(str(RUNNERS))


@pytest.fixture(scope="session")
def suite() -> Path:
    """Folder of the W3C's RDF tests."""
    return SUITE
