"""The tree of errors: drawn, exported, each with an exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kg import errors
from kg.errors import KgError, NotFound, QuerySyntaxError, UnreadableDocument

PACKAGE = Path(errors.__file__).parent


def tree(root: type[KgError], depth: int = 0) -> list[tuple[str, int, int]]:
    """Name, depth and exit code of a class and all below it, in the order of the module."""
    found = [(root.__name__, depth, root.exit_code)]
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            found += tree(child, depth + 1)
    return found


def test_the_drawing_is_the_tree() -> None:
    """The docstring draws every class at its depth with its exit code, and none besides."""
    drawn = []
    for line in str(errors.__doc__).splitlines():
        match = re.match(r" {0,4}([│├└─ ]*)(\w+) +(\d)\b", line)
        if match:
            drawn.append((match.group(2), len(match.group(1)) // 4, int(match.group(3))))
    assert drawn == tree(KgError)


def test_every_class_is_exported() -> None:
    """What is drawn is public, in alphabetical order."""
    assert errors.__all__ == sorted(name for name, *_ in tree(KgError))


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_an_error_says_what_to_do(name: str) -> None:
    """Message and hint make one line; the exit code is one of the command line's."""
    kind = getattr(errors, name)
    error = kind("it broke", hint="mend it", **({"category": "broken"} if kind is UnreadableDocument else {}))
    assert str(error) == "it broke (mend it)"
    assert (error.message, error.hint) == ("it broke", "mend it")
    assert kind.exit_code in (1, 2, 3)
    assert kind.__doc__


def test_every_leaf_is_used() -> None:
    """A class that nothing raises has no reason to be."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "errors.py")
    unused = {name for name in errors.__all__ if not getattr(errors, name).__subclasses__() and not re.search(rf"\b{name}\b", code)}
    assert unused == set()


def test_a_message_without_a_hint_stands_alone() -> None:
    """No empty brackets."""
    assert str(KgError("it broke")) == "it broke"


def test_near_names_are_suggested() -> None:
    """Up to three near ones; where none is near, what there is."""
    error = NotFound.among("query", "ambasadors", ["ambassadors", "owners", "ambassador"])
    assert error.message == "no query 'ambasadors'"
    assert error.hint == "did you mean ambassadors, ambassador?"
    assert NotFound.among("query", "zzz", ["owners", "faces"]).hint == "known: faces, owners"
    assert NotFound.among("query", "zzz", []).hint == "known: none"
    assert len(NotFound.among("x", "zzz", [str(n) for n in range(1000)]).hint) < 80


def test_details_are_attributes() -> None:
    """Where a query breaks and why a document can't be read are there for programs."""
    error = QuerySyntaxError("no", line=2, column=3)
    assert (error.line, error.column) == (2, 3)
    assert UnreadableDocument("no", category="empty").category == "empty"
