"""Indexes of Wikidata items: made of dumps and tables, whole or not at all, and asked by name."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kg.errors import InputError, UsageError
from kg.wikidata.classes import closed, load_classes, types_of
from kg.wikidata.index import deletion_keys, open_index, open_indexes
from kg.wikidata.sources import read_dump, read_tsv
from kg.wikidata.write import Origin, make_index

SHARED = Path(__file__).parents[3] / "shared" / "wikidata"
HUMAN, RIVER = "Q5", "Q4022"
"""Classes as the shipped table and the KGTK files have them; the items of these tests are invented."""

real = pytest.mark.skipif(not SHARED.is_dir(), reason="the real pieces of Wikidata are not beside the repository")


def entity(number: int, label: str, *aliases: str, of: str = HUMAN, about: str = "", **claims: list[int]) -> dict[str, Any]:
    """An item as a dump has it."""

    def claim(target: str) -> dict[str, Any]:
        return {"mainsnak": {"datavalue": {"value": {"id": target}}}, "rank": "normal"}

    return {
        "type": "item",
        "id": f"Q{number}",
        "labels": {"en": {"language": "en", "value": label}},
        "aliases": {"en": [{"language": "en", "value": each} for each in aliases]},
        "descriptions": {"en": {"language": "en", "value": about}},
        "claims": {"P31": [claim(of)], **{name: [claim(f"Q{each}") for each in targets] for name, targets in claims.items()}},
        "sitelinks": {},
    }


DUMP = [
    entity(9000001, "Liv Vane", "Liv Vané-Okoye", about="actress", P26=[9000002]),
    entity(9000002, "Noor Marsh", about="singer"),
    entity(9000003, "Liv Vane", about="hockey player"),
    entity(9000004, "Vane", of=RIVER, about="river"),
]


def write_dump(path: Path, entities: list[dict[str, Any]] = DUMP) -> Path:
    """An array with one item a line, as dumps are."""
    text = "[\n" + ",\n".join(json.dumps(each) for each in entities) + "\n]\n"
    opener = {".bz2": bz2.open, ".gz": gzip.open}.get(path.suffix, open)
    with opener(path, "wb") as file:
        file.write(text.encode())
    return path


@pytest.mark.parametrize("name", ["d.json", "d.json.gz", "d.json.bz2"])
def test_a_dump_makes_an_index(tmp_path: Path, name: str) -> None:
    """Packed or not: labels, aliases, descriptions, types and claims of each item."""
    path = tmp_path / "i.sqlite"
    made = make_index([Origin("dump", write_dump(tmp_path / name))], path, snapshot="2026-01-01")
    index = open_index(path)
    assert (made.items, len(index), made.edges) == (4, 4, 1)
    (item,) = (each.item for each in index.candidates("LIV VANE OKOYE"))
    assert (item.qid, item.label, item.aliases, item.description, item.types) == (
        "Q9000001",
        "Liv Vane",
        ("Liv Vané-Okoye",),
        "actress",
        ("Person",),
    )
    assert index.edges(["Q9000001", "Q9000002", "Q9000003"]) == {"Q9000001": {"Q9000002"}, "Q9000002": {"Q9000001"}, "Q9000003": set()}
    assert index.item("Q9000004").types == ()  # type: ignore[union-attr]
    assert index.metadata["snapshot"] == "2026-01-01"
    assert index.metadata["sources"] == [{"kind": "dump", "name": name, "items": 4, "licence": "CC0-1.0"}]


def test_ndjson_is_a_dump_too(tmp_path: Path) -> None:
    """One item a line without an array; empty lines and null are nothing, properties are no items."""
    path = tmp_path / "d.ndjson"
    rows = [json.dumps(DUMP[0]), "", json.dumps({"type": "property", "id": "P9"}), "null", json.dumps(DUMP[1])]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert [record.qid for _, record in read_dump(path)] == ["Q9000001", "Q9000002"]
    assert [record.qid for _, record in read_dump(path, start=1)] == ["Q9000002"]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    """In whatever order they are named; other sources give another digest."""
    dump, table = write_dump(tmp_path / "d.json"), tmp_path / "t.tsv"
    table.write_text("qid\tlabel\ttype\tprior\nQ9000001\tLiv Vane\tPerson\t0.9\n", encoding="utf-8")
    origins = [Origin("dump", dump), Origin("tsv", table)]
    made = make_index(origins, tmp_path / "a.sqlite"), make_index(origins[::-1], tmp_path / "b.sqlite")
    assert (tmp_path / "a.sqlite").read_bytes() == (tmp_path / "b.sqlite").read_bytes()
    assert made[0] == made[1]
    assert make_index(origins[:1], tmp_path / "c.sqlite").digest != made[0].digest


@pytest.mark.parametrize("damage", ["empty", "cut", "cut bz2", "broken line", "no dump", "empty array"])
def test_a_bad_dump_leaves_the_former_index(tmp_path: Path, damage: str) -> None:
    """One clear line that names the file; the former index stays as it was, and nothing else is left."""
    good, path = write_dump(tmp_path / "good.json"), tmp_path / "i.sqlite"
    make_index([Origin("dump", good)], path)
    before, text = path.read_bytes(), good.read_bytes()
    damaged = {
        "empty": b"",
        "cut": text[: len(text) // 2].rpartition(b"\n")[0],
        "cut bz2": bz2.compress(text)[:-20],
        "broken line": text.replace(b'"type"', b'"type', 1),
        "no dump": b"a text\n",
        "empty array": b"[\n]\n",
    }[damage]
    bad = tmp_path / "bad.json"
    bad.write_bytes(damaged)
    with pytest.raises(InputError, match=r"bad\.json") as caught:
        make_index([Origin("dump", bad)], path)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bad.json", "good.json", "i.sqlite"]


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is kept beside the index, and is not read again; the result is that of one run."""
    dump, path = write_dump(tmp_path / "d.json"), tmp_path / "i.sqlite"
    make_index([Origin("dump", dump)], tmp_path / "whole.sqlite")
    monkeypatch.setattr("kg.wikidata.write._BATCH", 2)

    def stop(what: str, number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_index([Origin("dump", dump)], path, progress=stop)
    assert not path.exists()
    started: list[int] = []

    def watched(path: Path, *, languages: frozenset[str] | None = None, start: int = 0) -> Any:
        started.append(start)
        return read_dump(path, languages=languages, start=start)

    monkeypatch.setattr("kg.wikidata.write.read_dump", watched)
    make_index([Origin("dump", dump)], path)
    assert started == [3]  # a bracket and two items
    assert path.read_bytes() == (tmp_path / "whole.sqlite").read_bytes()


def test_a_table_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    """Identifiers, labels and priors are looked at."""
    path = tmp_path / "t.tsv"
    for row in ("Q0\tx\t", "9\tx\t", "Q9\t\t", "Q9\tx\tmuch", "Q9\tx\t-1", "Q9\tx\tnan"):
        path.write_text(f"qid\tlabel\tprior\nQ8\ty\t1\n{row}\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"t\.tsv, line 3"):
            list(read_tsv(path))
    path.write_text("label\tqid\n", encoding="utf-8")
    assert list(read_tsv(path)) == []
    path.write_text("name\n", encoding="utf-8")
    with pytest.raises(InputError, match="columns qid and label"):
        list(read_tsv(path))


def test_sources_join_by_item(tmp_path: Path) -> None:
    """A table's label comes before a dump's; names add up; who is a human is no brand."""
    table, path = tmp_path / "t.tsv", tmp_path / "i.sqlite"
    table.write_text("qid\tlabel\taliases\ttype\nQ9000001\tVane\tLV|Liv\tBrand\nQ9000009\tTidewell\t\tbrand\n", encoding="utf-8")
    make_index([Origin("dump", write_dump(tmp_path / "d.json")), Origin("tsv", table)], path)
    index = open_index(path)
    item = index.item("Q9000001")
    assert item is not None
    assert (item.label, item.aliases, item.types) == ("Vane", ("LV", "Liv", "Liv Vane", "Liv Vané-Okoye"), ("Person",))
    assert index.item("Q9000009").types == ("Brand",)  # type: ignore[union-attr]
    make_index([Origin("dump", tmp_path / "d.json"), Origin("tsv", table)], path, types=["Brand"])
    assert len(open_index(path)) == 1


def test_names_are_found_with_a_typing_error(tmp_path: Path) -> None:
    """One edit in a word; names that are exactly so come alone."""
    table, path = tmp_path / "t.tsv", tmp_path / "i.sqlite"
    names = ["Marlene Castellane", "Marlene Castellani", "Orsenne", "Noor Marsh", "Wu"]
    table.write_text("qid\tlabel\n" + "".join(f"Q{n}\t{name}\n" for n, name in enumerate(names, 1)), encoding="utf-8")
    make_index([Origin("tsv", table)], path)
    index = open_index(path)

    def found(name: str) -> list[str]:
        return [each.item.label for each in index.candidates(name)]

    for wrong in ("Orsene", "Orsennne", "Orzenne", "Osrenne"):
        assert found(wrong) == ["Orsenne"]
    assert found("Marlene Castellane") == ["Marlene Castellane"]
    assert sorted(found("Marlen Castellane")) == ["Marlene Castellane"]
    assert sorted(found("Marlene Castellano")) == ["Marlene Castellane", "Marlene Castellani"]
    assert found("Noor Marx") == found("Wa") == found("") == found("Nobody At All") == []


def test_words_at_one_edit_share_a_key() -> None:
    """Left out, put in, changed, exchanged; short words have only themselves."""
    for other in ("abd", "abccd", "abxd", "acbd", "abcde"):
        assert deletion_keys("abcd") & deletion_keys(other)
    assert len(deletion_keys("ab")) == 1


def test_subclasses_take_the_type_of_their_class() -> None:
    """However deep, and in a circle; a human is nothing else; what is of no class of ours has none."""
    table = closed({"Q1": ("Work",), "Q2": ("Person",)}, {"Q3": ["Q1"], "Q4": ["Q3", "Q9"], "Q8": ["Q9"], "Q9": ["Q8"], "Q1": ["Q2"]})
    assert table == {"Q1": ("Work",), "Q2": ("Person",), "Q3": ("Work",), "Q4": ("Work",)}
    assert types_of(["Q4", "Q2"], table) == ("Person",)
    assert types_of(["Q8"], table) == ()
    assert types_of([], table) is None
    assert load_classes()[HUMAN] == ("Person",)


def test_an_index_that_is_none(tmp_path: Path) -> None:
    """A missing file, a text, and another SQLite file are errors that say what to do."""
    text, other = tmp_path / "a.sqlite", tmp_path / "none.sqlite"
    text.write_text("qid\tlabel\n", encoding="utf-8")
    for path in (text, other, tmp_path):
        with pytest.raises(InputError) as caught:
            open_index(path)
        assert "kg wikidata index" in caught.value.hint
    with pytest.raises(InputError):
        make_index([Origin("dump", other)], tmp_path / "i.sqlite")
    table = tmp_path / "t.tsv"
    table.write_text("qid\tlabel\nQ1\tx\n", encoding="utf-8")
    with pytest.raises(UsageError):
        make_index([Origin("tsv", table)], tmp_path / "nowhere" / "i.sqlite")


def test_the_shipped_index_is_small_and_tells_its_sources() -> None:
    """Several indexes can be open at once; the shipped one has all types but those that Wikidata hardly has."""
    (index,) = open_indexes("shipped, shipped")
    assert index.path.stat().st_size < 12_000_000
    assert [source["licence"][:3] for source in index.metadata["sources"]] == ["CC0", "BSD"]  # type: ignore[index, attr-defined]
    for kind, name in (("Person", "Kate Moss"), ("Brand", "Balenciaga"), ("Country", "France"), ("Event", "Cannes Film Festival")):
        assert kind in (index.candidates(name, type=kind)[0].item.types or ())


@real
def test_a_real_piece_of_a_dump(tmp_path: Path) -> None:
    """A hundred items; every English label and alias finds its own."""
    path = tmp_path / "i.sqlite"
    assert make_index([Origin("dump", SHARED / "sample-dump-100-items.json.bz2")], path).items == 100
    index = open_index(path)
    for _, record in read_dump(SHARED / "sample-dump-100-items.json.bz2", languages=frozenset({"en"})):
        for name in (record.label, *record.aliases):
            assert record.qid in {each.qid for each in index.candidates(name)}, name
