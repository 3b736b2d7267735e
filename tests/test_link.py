"""The index of Wikidata items: offline, exact, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError
from kg.link import COLUMNS, Index, Item, load_index, read_name_suggestion_index, write_index

HEADER = "\t".join(COLUMNS) + "\n"


def test_a_name_of_one_item_is_linked() -> None:
    """By label or alias in any form, of that type only."""
    index = Index([Item("Q1", "Hermès", ("Hermes Paris",), "Brand")], name="n", digest="d")
    for form in ("Hermès", "HERMES", "hermes paris", "The Hermès"):
        link = index.link("Brand", form)
        assert link is not None
        assert (link.qid, link.label, link.score, link.method, link.index) == ("Q1", "Hermès", 1.0, "unique-name", "n")
        assert index.knows("Brand", form)
    for kind, form in (("Person", "Hermès"), ("Brand", "Herm"), ("Brand", "")):
        assert index.link(kind, form) is None
        assert not index.knows(kind, form)


def test_a_name_of_two_items_is_not_linked() -> None:
    """What could be either is none, though it is known."""
    index = Index(
        [Item("Q1", "Mint", (), "Brand"), Item("Q2", "MINT", (), "Brand"), Item("Q3", "Mint", ("Mint",), "Person")], name="n", digest="d"
    )
    assert index.link("Brand", "Mint") is None
    assert index.knows("Brand", "Mint")
    assert index.link("Person", "Mint") is not None


def test_the_shipped_index_knows_brands() -> None:
    """The built-in index is there, and its name tells its content."""
    index = load_index("shipped")
    link = index.link("Brand", "Balenciaga")
    assert link is not None
    assert link.qid.startswith("Q")
    assert index.name == f"brands-{index.digest[:12]}"


words = st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters="|"), min_size=1, max_size=8)


@given(
    st.lists(st.builds(Item, words, words, st.lists(words, max_size=2).map(tuple), words, words, st.sampled_from((0.0, 0.5))), max_size=3)
)
def test_an_index_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, items: list[Item]) -> None:
    """Writing and loading keeps every item's names."""
    path = tmp_path_factory.mktemp("index") / "i.tsv"
    write_index(items, path)
    expected, found = Index(items, name="", digest=""), load_index(str(path))
    assert found._names == expected._names


@pytest.mark.parametrize(
    "content",
    [b"", b"qid\tlabel\n", b"\xff\xfe\x00", HEADER.encode() + b"Q1\tx\n", HEADER.encode() + b"Q1\tx\t\tBrand\t\tmuch\n", b"\0", b"{}\n1\n"],
    ids=["empty", "few columns", "no UTF-8", "short row", "no number", "binary", "JSON"],
)
def test_a_file_that_is_no_index(tmp_path: Path, content: bytes) -> None:
    """What can't be read as an index is an error that names the file and the columns."""
    path = tmp_path / "i.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"i\.tsv") as caught:
        load_index(str(path))
    assert "qid label aliases" in caught.value.hint


def test_a_missing_index_is_an_input_error(tmp_path: Path) -> None:
    """No file of that name."""
    with pytest.raises(InputError, match=r"none\.tsv"):
        load_index(str(tmp_path / "none.tsv"))


def test_brands_are_read_from_the_name_suggestion_index(tmp_path: Path) -> None:
    """Shops that sell what people wear, with names and labels; others are left out."""
    shop = {
        "items": [{"displayName": "Tidewell", "tags": {"brand": "Tidewell Co", "brand:wikidata": "Q9"}}, {"displayName": "x", "tags": {}}]
    }
    other = {"items": [{"displayName": "Soup", "tags": {"brand:wikidata": "Q8"}}]}
    for name, content in (
        ("json/nsi.json", {"nsi": {"brands/shop/watches": shop, "brands/shop/clothes": shop, "brands/amenity/restaurant": other}}),
        ("wikidata/wikidata.json", {"wikidata": {"Q9": {"label": "Tidewell", "description": "a maker"}}}),
    ):
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    assert read_name_suggestion_index(tmp_path) == [Item("Q9", "Tidewell", ("Tidewell Co",), "Brand", "a maker")]
    with pytest.raises(InputError, match="name-suggestion-index"):
        read_name_suggestion_index(tmp_path / "dist")
