"""What the tests of the readers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from kg.model import Document, Problem
from kg.read import read_paths
from kg.settings import Settings

Sorted = tuple[dict[str, Document], list[Problem]]


@pytest.fixture
def data() -> Path:
    """Folder of the files that the tests read; all were invented for them."""
    return Path(__file__).parents[1] / "data" / "read"


@pytest.fixture
def read() -> Callable[..., Sorted]:
    """Reads paths: documents by id, and problems."""

    def run(*paths: object, settings: Settings | None = None, **options: object) -> Sorted:
        return sort_out(read_paths([str(path) for path in paths], settings or Settings(), **options))

    return run


def sort_out(items: Iterable[Document | Problem]) -> Sorted:
    listed = list(items)
    documents = [item for item in listed if isinstance(item, Document)]
    assert len({document.id for document in documents}) == len(documents)
    return {document.id: document for document in documents}, [item for item in listed if isinstance(item, Problem)]
