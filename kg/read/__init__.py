"""Read: files to documents, whose texts stay as they are and whose metadata the source itself states."""

from __future__ import annotations

from kg.read.sources import Reading, read_paths, read_source

__all__ = ["Reading", "read_paths", "read_source"]
