"""The layers of docs/architecture.md as data, and the limits that keep the house small."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kg"

# Level, what it may import (levels), groups of rooms: a room may import those of the groups left of its own.
LAYERS = (
    (5, range(5), (("service/",), ("api.py",), ("__init__.py",), ("cli/",), ("__main__.py",))),
    (4, range(4), (("revise.py", "update/"), ("build.py", "evaluate.py", "review.py"), ("bulk.py", "train/"))),
    (3, range(2), (("read/", "extract/", "resolve.py", "fuse.py"),)),
    (3, range(3), (("validate.py", "query/", "export/"),)),
    (2, range(2), (("rdf/", "ledger.py", "fulltext.py", "duplicates.py"), ("graph/",), ("store.py",))),
    (
        1,
        range(1),
        (
            ("clock.py", "http.py", "names.py", "parallel.py", "resources.py", "settings.py", "shards.py"),
            ("wikidata/",),
            ("engines.py", "gold.py", "link.py", "plugins.py"),
        ),
    ),
    (0, range(0), (("errors.py", "model.py"),)),
)
GRAPH = ("rdf/", "graph/", "store.py", "revise.py", "update/", "validate.py", "query/", "export/", "service/", "cli/")
OUTSIDE = {
    **dict.fromkeys(("flask", "werkzeug", "jinja2", "markupsafe", "gunicorn", "prometheus_client", "zstandard"), ("service/",)),
    **dict.fromkeys(("argparse", "rich"), ("cli/",)),
    **dict.fromkeys(("torch", "transformers", "safetensors", "onnx"), ("train/",)),
    **dict.fromkeys(("trafilatura", "extruct", "lxml", "w3lib", "yaml", "charset_normalizer"), ("read/",)),
    **dict.fromkeys(("pypdfium2", "docx", "warcio", "defusedxml", "protego", "html_text", "pyarrow"), ("read/",)),
    **dict.fromkeys(("onnxruntime", "tokenizers"), ("extract/", "train/")),
    "numpy": ("extract/", "train/", "export/"),
    **dict.fromkeys(("pyshacl", "shacl", "pyparsing"), ("validate.py",)),
    **dict.fromkeys(("networkx", "arro3", "resvg_py", "uharfbuzz"), ("export/",)),
    "rensa": ("duplicates.py",),
    "fsspec": ("shards.py", "read/"),
    **dict.fromkeys(("dask", "distributed"), ("engines.py",)),
    "rapidfuzz": ("query/", "wikidata/"),
    **dict.fromkeys(("rdflib", "pyoxigraph"), GRAPH),
    **dict.fromkeys(("urllib.request", "http.client"), ("http.py", "read/fetch.py", "update/load.py")),
    **dict.fromkeys(("requests", "urllib3"), ("graph/http.py",)),
    "httpx": (),
}
BORDERS = ("cli/main.py", "extract/pipeline.py")
"""The only places that may catch whatever comes: the command line's end, and the border to extractors of others."""


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(module: str) -> tuple[int, int] | None:
    """Row of the table and group in it, where a module or a whole room is in the table."""
    for row, (_, _, groups) in enumerate(LAYERS):
        for number, group in enumerate(groups):
            if any(module == room or (room.endswith("/") and module.startswith(room)) for room in group):
                return row, number
    return None


def room(module: str) -> str:
    return f"{module.partition('/')[0]}/" if "/" in module else module


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node, but for what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from statements(child)


def imported(path: Path) -> set[str]:
    """Full names of everything that a module imports; ``from kg import store`` is ``kg.store``."""
    found = set()
    for node in statements(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name(path)} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(path: Path) -> set[str]:
    """Modules of the package that a module imports, as paths in the package."""
    known = {name(each) for each in modules()}
    found = set()
    for full in imported(path):
        parts = full.split(".")[1:] if full.startswith("kg.") else []
        places = (file for end in (parts, parts[:-1]) if end for file in ("/".join(end) + ".py", "/".join((*end, "__init__.py"))))
        found |= {next((file for file in places if file in known), "")}
    return found - {""}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name(path)}:{node.name}", node


def calls(path: Path) -> set[str]:
    """Names that a module calls, without what they are attributes of."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            found.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    return found


@pytest.mark.parametrize("path", modules(), ids=name)
def test_every_module_has_a_place(path: Path) -> None:
    """A module that the table does not know has no layer."""
    assert place(name(path)) is not None, f"put {name(path)} into the table of docs/architecture.md and into this one"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_point_down(path: Path) -> None:
    """A module imports its own room, lower levels that its row allows, and rooms left of it."""
    here = place(name(path))
    assert here is not None
    row, group = here
    for other in own(path):
        there = place(other)
        assert there is not None
        lower = LAYERS[there[0]][0] in LAYERS[row][1]
        left = there[0] == row and there[1] < group
        assert lower or left or room(other) == room(name(path)), f"{name(path)} must not import {other}"


def test_modules_import_in_no_circle() -> None:
    """Following imports never leads back, not even within a room."""
    graph = {name(path): own(path) - {name(path)} for path in modules()}
    done: set[str] = set()

    def follow(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module not in done:
            for other in sorted(graph[module]):
                follow(other, (*trail, module))
            done.add(module)

    for module in graph:
        follow(module, ())


@pytest.mark.parametrize("path", modules(), ids=name)
def test_outside_packages_stay_in_their_rooms(path: Path) -> None:
    """A package from outside is imported only where the table says; one that it does not know, nowhere."""
    for full in imported(path):
        package = next((each for each in OUTSIDE if full == each or full.startswith(f"{each}.")), None)
        if package is not None:
            allowed = OUTSIDE[package]
            assert name(path) in allowed or room(name(path)) in allowed, f"{name(path)} must not import {full}"
        else:
            assert full.split(".")[0] in {*sys.stdlib_module_names, "kg"}, f"{full} of {name(path)} is in no table"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_what_only_one_place_may_do(path: Path) -> None:
    """Printing, the environment, evidence and verdicts each have one place."""
    module, names = name(path), calls(path)
    assert "print" not in names or module.startswith("cli/")
    assert "Evidence" not in names or module in ("model.py", "ledger.py")
    assert "Verdict" not in names or module == "validate.py"
    environment = {f"os.{each}" for each in ("environ", "getenv", "putenv")}
    used = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)} | imported(path)
    assert not environment & used or module == "settings.py"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_nothing_swallows_whatever_comes(path: Path) -> None:
    """Only the named borders catch every exception; elsewhere a handler that does raises again."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "BaseException"
            if {"Exception", "BaseException"} & set(re.findall(r"\w+", caught)):
                again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                assert again or name(path) in BORDERS, f"{name(path)}, line {node.lineno}"


def test_functions_are_short() -> None:
    """No function has more than 50 lines, and nine of ten have at most 30."""
    sizes = {where: (node.end_lineno or 0) - node.lineno + 1 for where, node in functions()}
    assert {where: size for where, size in sizes.items() if size > 50} == {}
    assert quantiles(sizes.values(), n=10)[-1] <= 30


def test_functions_have_few_parameters() -> None:
    """At most six parameters may be given by position."""
    crowded = {}
    for where, node in functions():
        given = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in ("self", "cls")]
        if len(given) > 6:
            crowded[where] = len(given)
    assert crowded == {}


def test_files_are_short() -> None:
    """No module has more than 600 lines; the flow, which people read first, no more than 150."""
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {module: length for module, length in lengths.items() if length > 600} == {}
    assert lengths["build.py"] <= 150


# -- the table in the document -----------------------------------------------------------------------------------


def written() -> list[list[str]]:
    """Cells of the document's table of layers."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Layers")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_document_has_the_same_layers() -> None:
    """Levels, rooms, their order and what they may import are those of the document."""
    found, level = [], 0
    for first, rooms, reach, _ in written():
        level = int(first.split()[0]) if first else level
        groups = tuple(tuple(re.sub(r"`", " ", group).split()) for group in rooms.split("<"))
        numbers = [int(number) for number in re.findall(r"\d", reach)]
        found.append((level, range(numbers[-1] + 1) if numbers else range(0), groups))
    assert found == list(LAYERS)


def test_the_document_names_the_same_packages() -> None:
    """Every fenced package stands in the document with the rooms that may import it, and no other does."""
    pairs = {}
    for *_, cell in written():
        for clause in cell.split(";"):
            packages, only, rooms = clause.partition(" only in ")
            if only:
                for package in re.findall(r"[\w.]+", packages.replace("`print`", "").replace(" and ", " ")):
                    pairs[package] = tuple(re.findall(r"`([^`]+)`", rooms))
    fenced = {package: rooms for package, rooms in OUTSIDE.items() if rooms and rooms != GRAPH}
    assert pairs == fenced


def test_the_graph_engines_stay_above_the_stages() -> None:
    """The document lets rdflib and pyoxigraph in from the graph's level up, save where triples are never seen."""
    (cell,) = [cells[3] for cells in written() if cells[0].startswith("2")]
    assert {"rdflib", "pyoxigraph", "`train/`", "`build.py`", "`evaluate.py`"} <= set(re.findall(r"`[^`]+`|\w+", cell))
    stages = {room for level, reach, groups in LAYERS for group in groups for room in group if level == 3 and len(reach) == 2}
    assert not set(GRAPH) & {*stages, "train/", "build.py", "evaluate.py"}
