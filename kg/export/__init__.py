"""Graph → files for other programs: networks, tables and RDF, all of one selection of a store."""

from __future__ import annotations

from kg.export.formats import Exporter, list_formats, load_exporter, write_file
from kg.export.view import Options, Selection, View, read_view

__all__ = ["Exporter", "Options", "Selection", "View", "list_formats", "load_exporter", "read_view", "write_file"]
