"""Tables of nodes and edges as CSV: two files, or one zip archive of both on a stream."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

from kg.export.view import Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create_csv"]

_SEPARATOR = " | "
_EPOCH = (1980, 1, 1, 0, 0, 0)

Rows = Iterator[Iterable[object]]


def _node_rows(view: View) -> Rows:
    names = view.value_names
    measures = [name for name, _ in view.nodes[0].measures] if view.nodes else []
    yield ["id", "label", "type", "types", "aliases", "wikidata", "documents", "document_ids", *names, *measures]
    for node in view.nodes:
        values = dict(node.values)
        yield [
            *(node.iri, node.label, node.types[0], _joined(node.types), _joined(node.aliases), node.wikidata or ""),
            *(len(node.documents), _joined(node.documents)),
            *(_joined(values.get(name, ())) for name in names),
            *(value for _, value in node.measures),
        ]


def _edge_rows(view: View) -> Rows:
    named = {node.iri: node for node in view.nodes}
    ends = ("source", "target", "source_label", "source_type", "target_label", "target_type")
    yield [*ends, "predicate", "label", "start", "end", "confidence", "documents", "document_ids", "sources", "sentence", "id"]
    for edge in view.edges:
        subject, value = named[edge.subject], named[edge.object]
        yield [
            *(edge.subject, edge.object, subject.label, subject.types[0], value.label, value.types[0]),
            *(edge.predicate, edge.label, edge.start or "", edge.end or "", edge.confidence),
            *(len(edge.documents), _joined(edge.documents), edge.sources, edge.sentence, edge.id),
        ]


def _joined(values: Iterable[str]) -> str:
    return _SEPARATOR.join(values)


def _write_rows(rows: Rows, stream: BinaryIO) -> None:
    """RFC 4180: UTF-8, CRLF, quotes where needed."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="", write_through=True)
    csv.writer(text).writerows(rows)
    text.detach()


_TABLES: Mapping[str, Callable[[View], Rows]] = {"nodes": _node_rows, "edges": _edge_rows}


class _Csv:
    """The exporter; a stream gets a zip archive of ``nodes.csv`` and ``edges.csv``, dated 1980 so that equal graphs give equal bytes."""

    name, media_type, suffix = "csv", "application/zip", ".zip"

    def __init__(self) -> None:
        self.tables = {table: self._table(rows) for table, rows in _TABLES.items()}

    @staticmethod
    def _table(rows: Callable[[View], Rows]) -> Callable[[Store, Selection, BinaryIO], None]:
        return lambda store, selection, stream: _write_rows(rows(read_view(store, selection)), stream)

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        view = read_view(store, selection)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for table, rows in _TABLES.items():
                place = zipfile.ZipInfo(f"{table}.csv", _EPOCH)
                place.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(place, "w", force_zip64=True) as part:
                    _write_rows(rows(view), part)  # type: ignore[arg-type]


def create_csv(settings: Settings) -> _Csv:
    """The exporter of CSV tables."""
    return _Csv()
