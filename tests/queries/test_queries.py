"""Every named query parses, says what it answers, and gives on small documents exactly what its golden file holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kg.query.guard import iter_tokens
from kg.query.library import as_index, as_markdown, ask, load_queries
from kg.resources import resource
from kg.settings import Settings
from kg.store import Store, open_store

SETTINGS = Settings()
QUERIES = load_queries(SETTINGS)
GOLDEN = Path(__file__).parents[1] / "golden" / "queries"
DOCS = Path(__file__).parents[2] / "docs" / "queries.md"
REGENERATE = os.environ.get("KG_REGENERATE") == "1"

FAR = {"wikidata-dates-and-owners"}
"""Queries that ask another service; tests/queries/test_federated.py asks them."""
LOCAL = [name for name in QUERIES if name not in FAR]

GIVEN = {
    "ambassadors-of-brand": {"brand": "Maison Orsenne"},
    "creative-director-succession": {"brand": "brand/maison-orsenne"},
    "documents-about": {"about": "maison orsenne"},
    "neighbourhood": {"about": "Tidewell"},
    "owner-chain": {"thing": "Tidewell"},
    "products-of-brand": {"brand": "http://localhost:8000/resource/brand/maison-orsenne"},
    "said-about-brand": {"brand": "Tidewell"},
    "sentences-behind": {"about": "Maison Orsenne"},
    "timeline-of-person": {"person": "Liv Vane"},
    "within-two-hops": {"person": "Liv Vane"},
}
"""Values for the parameters that must be given."""


def _answer(store: Store, name: str, given: dict[str, str]) -> str:
    results = ask(store, name, given, settings=SETTINGS)
    return results.serialize("ntriples" if results.form == "graph" else "csv").decode().replace("\r\n", "\n")


def test_goldens_are_not_being_rewritten() -> None:
    """KG_REGENERATE=1 rewrites the files, so a run with it proves nothing."""
    assert not REGENERATE, "the files are rewritten; look at the difference, then run again without KG_REGENERATE"


@pytest.mark.parametrize("name", LOCAL)
def test_answer_is_golden(library: Store, name: str) -> None:
    """The answer is that of the golden file, byte for byte, and is not empty."""
    found = _answer(library, name, GIVEN.get(name, {}))
    path = GOLDEN / f"{name}.{'nt' if 'CONSTRUCT' in QUERIES[name].text else 'csv'}"
    if REGENERATE:
        path.write_text(found, encoding="utf-8")

    assert found == path.read_text(encoding="utf-8")
    assert len(found.splitlines()) > 1, "a query that finds nothing in the documents is not tested"


def test_every_golden_has_its_query() -> None:
    """No golden file is left over."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(LOCAL)


@pytest.mark.parametrize("name", QUERIES)
def test_header_tells_title_and_question(name: str) -> None:
    """Every query says what it answers."""
    query = QUERIES[name]

    assert query.title != name
    assert query.question.endswith((".", "?", "`.", ")."))


@pytest.mark.parametrize("name", QUERIES)
def test_query_needs_no_named_graph_and_is_ordered(name: str) -> None:
    """Every query works on the fused view, and gives its rows in an order."""
    words = [token.text.upper() for token in iter_tokens(QUERIES[name].text) if token.kind == "word"]

    assert "GRAPH" not in words
    assert "CONSTRUCT" in words or "ORDER" in words
    assert max(len(line) for line in QUERIES[name].text.splitlines()) <= 140


@pytest.mark.parametrize("name", [name for name in LOCAL if name not in GIVEN])
def test_query_finds_nothing_in_an_empty_store(tmp_path: Path, name: str) -> None:
    """No rows, no error, and no row of unbound variables."""
    with open_store(tmp_path / "empty", create=True) as empty:
        assert len(ask(empty, name, {}, settings=SETTINGS)) == 0


@pytest.mark.parametrize(
    ("name", "given", "rows"),
    [
        ("launches", {"since": "1999"}, 1),
        ("launches", {"since": "1998-06", "until": "1998"}, 1),
        ("launches", {"until": "1997"}, 0),
        ("launches", {"brand": "Tidewell"}, 0),
        ("launches", {"brand": "Maison Orsenne"}, 2),
        ("campaigns-with-credits", {"brand": "Tidewell"}, 1),
        ("facts-with-one-source", {"about": "Hugo Valmy"}, 1),
        ("brands-by-country", {"country": "France"}, 1),
        ("who-wore-what", {"brand": "Tidewell"}, 0),
        ("who-wore-what", {"brand": "Maison Orsenne"}, 2),
        ("events-with-guests", {"event": "Basel Fair"}, 2),
        ("collaborations", {"about": "Balenciaga"}, 1),
        ("collaborations", {"about": "Maison Orsenne"}, 0),
        ("executives-and-founders", {"thing": "Tidewell"}, 1),
        ("critics", {"target": "Maison Orsenne"}, 1),
        ("cast-of-works", {"work": "Harbour Law"}, 2),
        ("entities-without-wikidata", {"type": "organization"}, 3),
        ("owner-chain", {"thing": "Société Perrin"}, 0),
    ],
)
def test_parameters_with_defaults_restrict(library: Store, name: str, given: dict[str, str], rows: int) -> None:
    """A parameter that may be left out restricts the answer when it is given."""
    assert len(ask(library, name, given, settings=SETTINGS)) == rows


@pytest.mark.parametrize(
    ("path", "content"), [(DOCS, as_markdown(SETTINGS)), (resource("queries", "README.md"), as_index(SETTINGS))], ids=["docs", "readme"]
)
def test_page_is_fresh(path: Path, content: str) -> None:
    """The generated pages tell of the queries as they are."""
    if REGENERATE:
        path.write_text(content, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == content, "run KG_REGENERATE=1 pytest tests/queries"
