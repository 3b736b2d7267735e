"""Finds mentions and claims in one document: extractors in a row, each adding to what those before it found."""

from __future__ import annotations

from kg.extract.pipeline import Pipeline

__all__ = ["Pipeline"]
