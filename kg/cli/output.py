"""How results are printed: tables on a terminal, else CSV, JSON or JSON Lines; nothing in a pipe is wrapped or shortened."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["count", "is_terminal", "print_json", "print_list", "print_notice", "print_table", "visible"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNLIMITED = 1_000_000


def is_terminal() -> bool:
    """Whether results go to a person's eyes."""
    return sys.stdout.isatty()


def print_notice(text: str) -> None:
    """A message on stderr, in one line."""
    print(f"kg: {visible(text)}", file=sys.stderr)


def visible(text: str) -> str:
    """The text on one line, without characters that steer a terminal."""
    return _CONTROL.sub("\ufffd", " ".join(text.split()))


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun (``1 fact``, ``2 facts``)."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def print_list(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], format: str | None) -> None:
    """Prints a list; `columns` are what tables and CSV show of a row, JSON shows all of it."""
    form = format or ("table" if is_terminal() else "csv")
    if form == "json":
        print_json(list(rows))
    elif form == "jsonl":
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    else:
        print_table(([_cell(row.get(column)) for column in columns] for row in rows), columns)


def print_json(value: object) -> None:
    """Prints one JSON value, indented."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(rows: Iterable[Sequence[str]], columns: Sequence[str]) -> None:
    """Prints a table, as wide as the terminal or, in a pipe, as its content."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold", no_wrap=not is_terminal())
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    console = Console(file=sys.stdout, width=None if is_terminal() else _UNLIMITED, highlight=False)
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().split("\n") if line.strip()))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " | ".join(_cell(each) for each in value)
    return str(value)
