"""Tables of nodes and edges as CSV or Parquet: two files, or one zip archive of both on a stream."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO

from kg.export.view import Selection, View, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create_csv", "create_parquet"]

_SEPARATOR = " | "
_GROUP = 10_000
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
_NUMBERS = {"documents": int, "sources": int, "degree": int, "community": int, "core": int, "confidence": float, "betweenness": float}


def _write_parquet(rows: Rows, stream: BinaryIO) -> None:
    """Parquet by Arrow's Rust implementation: texts as strings, counts as int64, shares as double; in groups of rows."""
    import arro3.core as arrow
    import arro3.io

    names = [str(name) for name in next(rows)]
    kinds = {int: arrow.DataType.int64(), float: arrow.DataType.float64(), str: arrow.DataType.string()}
    fields = [arrow.Field(name, kinds[_NUMBERS.get(name, str)], nullable=True) for name in names]
    schema = arrow.Schema(fields)

    def batches() -> Iterator[Any]:
        while group := list(islice(rows, _GROUP)):
            columns = zip(*group, strict=True)
            arrays = [arrow.Array(_typed(name, column), field.type) for name, column, field in zip(names, columns, fields, strict=True)]
            yield arrow.RecordBatch.from_arrays(arrays, schema=schema)

    arro3.io.write_parquet(arrow.RecordBatchReader.from_batches(schema, list(batches())), stream, compression="zstd(3)")


def _typed(name: str, column: Iterable[object]) -> list[object]:
    """The values of a column as what it holds; an empty text is null."""
    kind = _NUMBERS.get(name, str)
    if kind is str:
        return [None if value == "" else str(value).encode("utf-8", "replace").decode() for value in column]
    return [None if value == "" else kind(str(value)) for value in column]


class _Tables:
    """An exporter of tables. A stream gets a zip archive of both, dated 1980 so that equal graphs give equal bytes."""

    media_type, suffix = "application/zip", ".zip"

    def __init__(self, name: str, write: Callable[[Rows, BinaryIO], None]) -> None:
        self.name, self.write, self.table_suffix = name, write, f".{name}"
        self.tables = {table: self._table(rows) for table, rows in _TABLES.items()}

    def _table(self, rows: Callable[[View], Rows]) -> Callable[[View, BinaryIO], None]:
        return lambda view, stream: self.write(rows(view), stream)

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        view = read_view(store, selection)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for table, write in self.tables.items():
                place = zipfile.ZipInfo(f"{table}{self.table_suffix}", _EPOCH)
                place.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(place, "w", force_zip64=True) as part:
                    write(view, part)  # type: ignore[arg-type]


def create_csv(settings: Settings) -> _Tables:
    """The exporter of CSV tables."""
    return _Tables("csv", _write_rows)


def create_parquet(settings: Settings) -> _Tables:
    """The exporter of Parquet tables."""
    return _Tables("parquet", _write_parquet)
