"""What may happen to a build: Ctrl-C, a kill, a full disk, another writer, another version. Nothing is lost."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from kg.store import FORMAT, open_store
from tests.cli.conftest import Run, run_apart, start

DOCUMENTS = 60
KILLS = int(os.environ.get("KG_KILLS", "200"))
SAYING = "“Number {0} is the one we always wanted to show,” Liv Vane said. Actress Mara Tidewell {0} came along, and left. "


@pytest.fixture
def wire(place: Path) -> Path:
    """Enough documents for a build to be disturbed in its middle."""
    path = place / "wire.jsonl"
    lines = [
        json.dumps({"id": f"wire-{number:04}", "text": SAYING.format(number) * 5, "date": "2024-02-03"}) for number in range(DOCUMENTS)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def stored(store: str = "kg-store") -> int:
    """How many documents the ledger holds; 0 where there is none yet."""
    path = Path(store, "ledger.sqlite")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM document").fetchone()[0])
    except sqlite3.Error:
        return 0


def wait_for(process: subprocess.Popen[str], documents: int) -> None:
    """Until so many documents are stored, or the process has ended."""
    while stored() < documents and process.poll() is None:
        time.sleep(0.01)


def require_whole(kg: Run, source: str) -> None:
    """The next build finishes the work, and the graph is that of an undisturbed one."""
    assert kg("build", source).code == 0
    assert kg("doctor").code == 0
    assert kg("build", source, "--store", "undisturbed").code == 0
    exports = [kg("export", "--format", "nquads", *more).out for more in ([], ["--store", "undisturbed"])]
    assert sorted(exports[0].splitlines()) == sorted(exports[1].splitlines())
    canonical = [kg("export", "--canonical", "--format", "nquads", *more).out for more in ([], ["--store", "undisturbed"])]
    assert canonical[0] == canonical[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_in_the_middle_of_a_build(kg: Run, wire: Path, workers: str) -> None:
    """130, one line, no traceback of any process; the store holds whole documents, and the next build goes on."""
    process = start("build", "wire.jsonl", "--workers", workers, start_new_session=True)
    wait_for(process, 3)
    if workers == "1":
        process.send_signal(signal.SIGINT)
    else:  # as a terminal does: to the workers too
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "kg: interrupted; what was stored is whole, and the same command goes on from there\n"
    assert 0 < stored() < DOCUMENTS
    assert kg("doctor").code == 0
    require_whole(kg, "wire.jsonl")


def test_kill_in_the_middle_of_a_build(kg: Run, wire: Path) -> None:
    """After kill -9, twice, the store opens, and a build makes of it what an undisturbed one makes."""
    for documents in (2, DOCUMENTS // 3):
        process = start("build", "wire.jsonl")
        wait_for(process, documents)
        process.kill()
        process.communicate(timeout=60)
    assert 0 < stored() < DOCUMENTS
    assert kg("documents").code == 0
    require_whole(kg, "wire.jsonl")


@pytest.mark.soak
def test_two_hundred_kills(kg: Run, wire: Path) -> None:
    """However often and whenever a build is killed, its store opens and the next build goes on."""
    chance = random.Random(20)
    for _ in range(KILLS):
        process = start("build", "wire.jsonl")
        time.sleep(chance.uniform(0.1, 1.5))
        process.kill()
        process.communicate(timeout=60)
        if stored() == DOCUMENTS:
            shutil.rmtree("kg-store")
    require_whole(kg, "wire.jsonl")


def test_a_full_disk(kg: Run, wire: Path) -> None:
    """Files that can't grow: 3, one line that says so; with room again the same command finishes."""

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))

    answer = run_apart("build", "wire.jsonl", preexec_fn=narrow)
    assert answer.code == 3
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    require_whole(kg, "wire.jsonl")


def small_disk(folder: Path, kilobytes: int, command: list[str]) -> list[str]:
    """A command line that runs another one where a folder is a file system of its own, of so many kilobytes; skips where none can be had.

    Made in a user namespace of its own, which needs no rights and is gone with the command.
    """
    inside = f'mount -t tmpfs -o size={kilobytes}k none "$0" && exec "$@"'
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside, str(folder)]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs `unshare` and user namespaces")
    return [*alone, *command]


def test_a_disk_that_is_really_full(kg: Run, wire: Path) -> None:
    """A file system of 2,500 kB fills up in mid-build: 3, one line; the store on it opens, and goes on where there is room."""
    disk = wire.parent / "disk"
    disk.mkdir()
    steps = f"""
        {sys.executable} -m kg build wire.jsonl --store disk/store 2> full.txt; echo $? > code.txt
        {sys.executable} -m kg documents --store disk/store > documents.txt 2> opened.txt; cp -r disk/store kg-store
    """
    done = subprocess.run(small_disk(disk, 2500, ["sh", "-c", steps]), timeout=120, check=False)
    assert done.returncode == 0
    assert (Path("code.txt").read_text(), Path("full.txt").read_text().count("\n")) == ("3\n", 1)
    assert "space" in Path("full.txt").read_text()
    assert 0 < stored() < DOCUMENTS
    assert Path("opened.txt").read_text() == ""
    require_whole(kg, "wire.jsonl")


def cut_power(store: Path, copy: Path, chance: random.Random) -> None:
    """What may be on the disk when the power goes: all that was forced there, of the rest a beginning.

    Forced there are the ledger's log, with each commit (SQLite, synchronous=FULL), and the graph's tables. The graph's log (``*.log`` of
    RocksDB) is not: it ends anywhere. A commit that was under way leaves a torn frame at the end of the ledger's.
    """
    shutil.copytree(store, copy)
    for path in copy.glob("graph-*/*.log"):
        os.truncate(path, chance.randint(0, path.stat().st_size))
    log = copy / "ledger.sqlite-wal"
    if log.is_file():
        with log.open("ab") as file:
            file.write(chance.randbytes(chance.randint(0, 6000)))
    for shared in copy.glob("ledger.sqlite-shm"):  # in memory only: gone with the power
        shared.unlink()


def test_power_cuts(kg: Run, wire: Path) -> None:
    """The disk as a power cut may leave it, at several moments of one build: no committed document is lost, and none is there in part."""
    chance = random.Random(7)
    process = start("build", "wire.jsonl")
    cuts: list[tuple[Path, int]] = []
    for number in range(4):
        wait_for(process, 2 + number * DOCUMENTS // 5)
        process.send_signal(signal.SIGSTOP)
        committed = stored()
        cut_power(Path("kg-store"), Path(f"cut-{number}"), chance)
        cuts.append((Path(f"cut-{number}"), committed))
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    for copy, committed in cuts:
        with open_store(copy) as store:
            assert len(store.ledger.ids()) == committed
        assert kg("doctor", "--store", str(copy)).code == 0
    assert kg("build", "wire.jsonl", "--store", "cut-1").code == 0
    exports = [kg("export", "--canonical", "--format", "nquads", "--store", store).out for store in ("cut-1", "kg-store")]
    assert exports[0] == exports[1]


@pytest.mark.soak
def test_bulk_builds_killed_at_random(kg: Run, wire: Path) -> None:
    """However often a bulk build is killed, there is a whole store or none, and the next run goes on."""
    chance = random.Random(21)
    for _ in range(KILLS // 10):
        process = start("build", "wire.jsonl", "--bulk")
        time.sleep(chance.uniform(0.1, 2.5))
        process.kill()
        process.communicate(timeout=60)
        assert stored() in (0, DOCUMENTS)
        if stored():
            shutil.rmtree("kg-store")
    assert kg("build", "wire.jsonl", "--bulk").code == 0
    require_whole(kg, "wire.jsonl")


def test_a_second_writer_is_told_whom_it_waits_for(kg: Run, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock names its holder; readers are not held up."""
    monkeypatch.setenv("KG_LOCK_SECONDS", "0.3")
    with open_store("kg-store"):
        answer = run_apart("build", "news")
        assert answer.code == 2
        assert answer.err.count("is being written by process") == 2  # that it waits, and that it waited too long
        assert run_apart("documents").code == 0
    assert kg("build", "news").code == 0


def test_a_store_of_another_version(kg: Run, built: Path) -> None:
    """It is not touched, and the message says what to do."""
    manifest = Path("kg-store/store.json")
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(f'"format": {FORMAT}', '"format": 99'), encoding="utf-8")
    for command in (["build", "news"], ["facts"], ["doctor"]):
        answer = kg(*command)
        assert answer.code in (1, 2)
        assert "format 99" in answer.err + answer.out


def test_a_folder_that_is_no_store(kg: Run, news: Path) -> None:
    """Nothing is written among other people's files."""
    answer = kg("build", "news", "--store", "news")
    assert answer.code in (2, 3)
    assert "no store" in answer.err
    assert sorted(path.name for path in news.iterdir()) == ["linen.txt", "plain.md", "zipper.txt"]


def test_a_damaged_ledger(kg: Run, built: Path) -> None:
    """The doctor names it; other commands end with 3 and no traceback."""
    path = Path("kg-store/ledger.sqlite")
    path.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    assert "Traceback" not in kg("facts").err
    assert kg("build", "news").code == 3
    assert kg("doctor").code == 1
