"""The wheel: it carries ontology, queries and seeds, and does the main job where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("ontology", "queries", "seeds")
MODEL = "kg/_shipped/seeds/model/model.json"


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that ends well, away from the settings and the import path of this process."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("KG_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run([str(each) for each in command], cwd=cwd, env=kept, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it, which finds all other packages in the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps", wheel, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    others = dict.fromkeys(sysconfig.get_paths()[each] for each in ("purelib", "platlib"))
    (packages / "others.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> set[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_shipped_file(shipped: set[str]) -> None:
    """What `kg.resources` looks for is in it, file by file."""
    wanted = {path.relative_to(ROOT).as_posix() for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()}
    assert len(wanted) > 25
    assert {f"kg/_shipped/{name}" for name in wanted} <= shipped


def test_the_wheel_has_nothing_else(shipped: set[str]) -> None:
    """Tests, training data and documents stay out; the licence and the page templates are in."""
    assert {name.partition("/")[0] for name in shipped} == {"kg", next(name for name in shipped if ".dist-info/" in name).partition("/")[0]}
    assert not [name for name in shipped if "__pycache__" in name]
    assert {"kg/py.typed", "kg/service/templates/layout.html", "kg/service/static/kg.css"} <= shipped
    assert [name for name in shipped if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_installed_package_finds_its_files(installed: Path, tmp_path: Path) -> None:
    """Package and shipped folders are those of the environment, not of the checkout."""
    code = "import kg, kg.resources as r; print(kg.__file__); print(*(r.resource(n) for n in ('ontology', 'queries', 'seeds')), sep='\\n')"
    package, *folders = run(installed / "bin" / "python", "-c", code, cwd=tmp_path).splitlines()
    assert Path(package).resolve().is_relative_to(installed.resolve())
    assert [Path(folder) for folder in folders] == [Path(package).resolve().parent / "_shipped" / name for name in FOLDERS]
    assert all(Path(folder).is_dir() for folder in folders)


def test_the_installed_package_registers_its_plugins(installed: Path, tmp_path: Path) -> None:
    """Every family of plug-ins has those that come with kg."""
    found = run(installed / "bin" / "kg", "plugins", cwd=tmp_path)
    assert {"plaintext", "encoder", "rules", "turtle", "graphml"} <= set(found.replace(",", " ").split())


def build_and_ask(installed: Path, folder: Path, *options: str, query: tuple[str, ...]) -> list[str]:
    """Lines of the answer to a named query after a build of the shipped documents."""
    kg, (packages,) = installed / "bin" / "kg", list(installed.glob("lib/python*/site-packages"))
    run(kg, "build", packages / "kg" / "_shipped" / "seeds" / "documents", *options, cwd=folder)
    run(kg, "validate", cwd=folder)
    return run(kg, "query", *query, "--format", "csv", cwd=folder).splitlines()


def test_the_main_job_without_a_model(installed: Path, tmp_path: Path) -> None:
    """Rules alone, which need no model, build a valid graph that a named query reads."""
    answer = build_and_ask(installed, tmp_path, "--extractor", "rules", query=("launches",))
    assert answer[0].startswith("date,thing,")


def test_the_main_job(installed: Path, shipped: set[str], tmp_path: Path) -> None:
    """With the shipped model the documents give facts, and named queries answer; so does the demonstration."""
    if MODEL not in shipped:
        pytest.skip("this checkout has no model in seeds/model")
    answer = build_and_ask(installed, tmp_path, query=("documents-about", "--param", "about=Balenciaga"))
    assert len(answer) > 1
    assert "balenciaga-le-city" in answer[1]
    assert "kg serve" in run(installed / "bin" / "kg", "--store", "other", "demo", cwd=tmp_path)
