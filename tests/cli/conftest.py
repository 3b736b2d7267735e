"""Fixtures: the command in this process and in one of its own, and a folder of small news to build."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kg.cli.main import main
from kg.settings import SETTINGS

NEWS = {
    "linen.txt": "date 2024-03-05\nActress Liv Vane came to the Tidewell show on Monday. "
    "“We begin again with nothing but linen,” Liv Vane said. Vane left early.\n",
    "zipper.txt": "date 2024-04-01\nOlivia Vane took the stage. “Every zipper tells a quiet story,” Olivia Vane said.\n",
    "plain.md": "Nothing of note happened at the quayside.\n",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Answer]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder, no setting in the environment but fast extractors, the logger as it was."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("KG_EXTRACTORS", "rules")
    monkeypatch.setenv("KG_AGENT", "tester")
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("kg")
    former = logger.level, logger.handlers, logger.propagate
    yield tmp_path
    logger.level, logger.handlers, logger.propagate = former


@pytest.fixture
def kg(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command line in this process."""

    def run(*arguments: str) -> Answer:
        capfdbinary.readouterr()
        code = main(arguments)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Answer(code, out.decode(), err.decode())

    return run


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Starts the command in a process of its own."""
    command = [sys.executable, "-m", "kg", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ), **options)


def run_apart(*arguments: str, **options: Any) -> Answer:
    """Runs the command in a process of its own, to its end."""
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


@pytest.fixture
def news(place: Path) -> Path:
    """A folder of three documents, two of which quote somebody."""
    folder = place / "news"
    folder.mkdir()
    for name, text in NEWS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def built(kg: Run, news: Path) -> Path:
    """The news, built into the default store."""
    assert kg("build", "news").code == 0
    return news
