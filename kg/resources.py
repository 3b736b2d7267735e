"""Finds ontology/, queries/ and seeds/, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

__all__ = ["resource"]

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder, such as ``resource("ontology", "kg.ttl")``.

    A wheel carries the folders inside the package (``kg/_shipped``); a checkout has them beside it.
    """
    shipped = _PACKAGE / "_shipped"
    root = shipped if shipped.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
