"""What holds for every command: exit codes, where messages go, what is loaded, which settings count."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg.cli import main as entry
from kg.cli.main import iter_commands
from tests.cli.conftest import Run, run_apart, start

HEAVY = ("rdflib", "flask", "pyoxigraph", "numpy", "onnxruntime", "rich", "trafilatura", "sqlite3")


def test_help_loads_nothing_heavy() -> None:
    """`kg --help` and `import kg` load no engine, no server and no model."""
    code = f"import sys, kg; from kg.cli.main import main; main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command_with_its_example(kg: Run) -> None:
    """The help of kg names each command, and that of each command shows how it is used."""
    overview = kg("--help").out
    for command in iter_commands():
        answer = kg(*command.name.split(), "--help")
        assert command.name.split()[0] in overview
        assert answer.code == 0
        assert command.examples[0] in answer.out


def test_version_before_and_after_a_command(kg: Run) -> None:
    """--version is understood everywhere."""
    assert kg("--version").out == kg("build", "--version").out
    assert kg("--version").out.startswith("kg ")


def test_global_arguments_before_and_after_a_command(kg: Run, news: Path) -> None:
    """--store names the same store on both sides of the command."""
    assert kg("--store", "here", "build", "news").code == 0
    assert kg("documents", "--store", "here").out == kg("--store", "here", "documents").out
    assert "linen" in kg("documents", "--store", "here").out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["bulid"], "did you mean build?"),
        ([], "COMMAND"),
        (["wikidata", "fnd"], "did you mean find"),
        (["build"], "kg build PATH…"),
        (["facts", "--frmat", "csv"], "`kg facts --help`"),
        (["facts", "--format", "pdf"], "invalid choice"),
        (["build", "nowhere.txt"], "no file or folder"),
        (["build", "news/linne.txt"], "news/linen.txt"),
        (["build", "news", "--workers", "many"], "whole number"),
        (["documents", "--store", ""], "--store is empty"),
        (["documents", "--store", "ftp://example.org/"], "folder"),
        (["query", "launch"], "did you mean launches?"),
        (["query", "ambassadors-of-brand"], "brand"),
        (["query", "launches", "--param", "brand"], "name=value"),
        (["export", "--format", "grahpml"], "graphml"),
        (["show", "linne"], "did you mean linen"),
        (["retract", "linne"], "did you mean linen"),
        (["retract"], "kg retract ID"),
        (["reject", "nothing"], "kg facts"),
        (["merge", "Liv Vane", "person/liv-vane"], "both are person/liv-vane"),
        (["split", "Liv Vein"], "Liv Vane"),
        (["validate", "missing.ttl"], "no file"),
        (["diff", "kg-store", "missing.nq"], "missing.nq"),
        (["build", "news", "--model", "nowhere", "--extractor", "nonesuch"], "nonesuch"),
        (["build", "news", "--id", "one"], "--id"),
        (["wikidata", "index", "--from-nsi", "nowhere", "-o", "x.tsv"], "name-suggestion-index"),
    ],
)
def test_unusable_arguments_end_with_2_and_one_line(kg: Run, built: Path, arguments: list[str], part: str) -> None:
    """What can't be used is told in one line that says what to do; nothing goes to standard output."""
    answer = kg(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("kg: ")
    assert answer.err.count("\n") == 1
    assert part in answer.err


@pytest.mark.parametrize(
    "command", [["documents"], ["facts"], ["show", "x"], ["validate"], ["retract", "x"], ["export"], ["serve"], ["merge", "a", "b"]]
)
def test_a_missing_store_is_told(kg: Run, command: list[str]) -> None:
    """Reading needs a store, and the message says how to make one."""
    answer = kg(*command)
    assert answer.code == 2
    assert "no store at kg-store" in answer.err
    assert "kg build" in answer.err


def test_an_empty_variable_counts_as_unset(kg: Run, news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KG_STORE= is the same as no KG_STORE."""
    monkeypatch.setenv("KG_STORE", "")
    monkeypatch.setenv("KG_WORKERS", "")
    assert kg("build", "news").code == 0
    assert Path("kg-store").is_dir()


def test_settings_in_their_order(kg: Run, news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag counts more than the environment, that more than the file."""
    Path("kg.toml").write_text('store = "from-file"\nport = 1234\n', encoding="utf-8")
    monkeypatch.setenv("KG_STORE", "from-environment")
    values = {row["name"]: row["value"] for row in kg("settings", "--format", "json", "--store", "from-flag").data}
    assert (values["store"], values["port"]) == ("from-flag", 1234)
    values = {row["name"]: row["value"] for row in kg("settings", "--format", "json").data}
    assert values["store"] == "from-environment"


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("KG_WORKERS", "two", "workers"),
        ("KG_VALIDATE", "perhaps", "yes or no"),
        ("KG_THRESHOLD", "9", "threshold"),
        ("KG_BASE", "no iri", "base"),
    ],
)
def test_bad_settings_end_with_2(kg: Run, news: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, part: str) -> None:
    """A setting that can't be read is named."""
    monkeypatch.setenv(variable, value)
    answer = kg("build", "news")
    assert answer.code == 2
    assert part in answer.err


def test_a_broken_settings_file_is_named(kg: Run) -> None:
    """kg.toml that is no TOML ends with 2."""
    Path("kg.toml").write_text("store = = 1", encoding="utf-8")
    answer = kg("settings")
    assert answer.code == 2
    assert "kg.toml" in answer.err


def test_the_token_is_not_shown(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kg settings` tells that a token is set, not which."""
    monkeypatch.setenv("KG_TOKEN", "verysecret")
    answer = kg("settings")
    assert "verysecret" not in answer.out
    assert "(set)" in answer.out


def test_an_internal_error_ends_with_3(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line and a hint; with -v the traceback."""

    def fail(name: str) -> None:
        raise RuntimeError("something that nobody foresaw")

    monkeypatch.setattr("kg.cli.main.load_settings", fail)
    answer = kg("settings")
    assert (answer.code, answer.err.count("\n")) == (3, 1)
    assert "nobody foresaw (run it with -v" in answer.err
    assert "Traceback" in kg("settings", "-v").err


def test_ctrl_c_ends_with_130(kg: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a traceback."""

    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "load_settings", interrupt)
    answer = kg("settings")
    assert answer.code == 130
    assert "Traceback" not in answer.err


def test_a_closed_pipe_is_quiet(built: Path) -> None:
    """`kg export | head -1` tells nothing on stderr."""
    process = start("export", "--format", "nquads")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_behind_standard_output() -> None:
    """The result that got lost is told."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kg", "settings"], stdout=full, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )
    assert done.returncode == 3
    assert done.stderr == "kg: no space left on the disk (free some space and run the same command again)\n"


def test_output_is_utf8_whatever_the_locale(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typographic quotes survive a C locale."""
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    answer = run_apart("export", "--format", "nquads", "--canonical")
    assert answer.code == 0
    assert "“We begin again" in answer.out
