"""The public face: its names are sorted, complete, documented, and load nothing before they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import kg
from kg.build import Line
from kg.settings import Settings


def test_names_are_sorted_and_few() -> None:
    """About twenty, in order, each once."""
    assert list(kg.__all__) == sorted(set(kg.__all__))
    assert 15 <= len(kg.__all__) <= 25
    assert set(kg.__all__) <= set(dir(kg))


@pytest.mark.parametrize("name", kg.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    """And belongs to a module of ours."""
    value = getattr(kg, name)
    assert value.__doc__
    assert value.__module__.startswith("kg.")


def test_unknown_names_fail_as_in_any_module() -> None:
    """AttributeError, not something of ours."""
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = kg.nonesuch  # type: ignore[attr-defined]


def test_importing_loads_nothing_heavy() -> None:
    """`import kg` is free."""
    heavy = ("rdflib", "flask", "pyoxigraph", "numpy", "onnxruntime", "kg.model")
    code = f"import sys, kg; dir(kg); print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_build_stays_a_function_when_its_module_is_imported() -> None:
    """`kg.build` is the function, whatever was imported before."""
    assert Line.__module__ == "kg.build"
    assert callable(kg.build)


def test_the_version_is_that_of_the_package() -> None:
    """As `kg --version` prints it."""
    assert kg.__version__.count(".") == 2


def test_from_paths_to_answers(tmp_path: Path) -> None:
    """Build, ask, list facts, view as a network, serve: five lines."""
    text = tmp_path / "linen.txt"
    text.write_text("“We begin again with nothing but linen,” Liv Vane said.\n", encoding="utf-8")
    settings = Settings().replace(extractors="rules")
    report = kg.build(text, store=tmp_path / "store", settings=settings)
    assert (report.documents, report.facts, report.status) == (1, 1, "ok")
    with kg.open_store(tmp_path / "store") as store:
        assert kg.build([text], store=store, settings=settings).unchanged == 1
        results = store.query("SELECT ?words WHERE { ?who kg:said ?words }")
        assert [row[0] for row in results.rows()] == ["We begin again with nothing but linen,"]
        (fact,) = store.facts(about="Liv Vane")
        assert fact["evidence"] == "“We begin again with nothing but linen,” Liv Vane said"
        assert "Liv Vane" in {data["label"] for _, data in kg.to_networkx(store).nodes(data=True)}
        assert kg.create_app(store).test_client().get("/healthz").status_code == 200
