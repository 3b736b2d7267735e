"""`kg backup` and `kg restore`: an exact copy of the store as a folder or a .tar.gz, and a store made of one."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kg.cli.command import Command
from kg.cli.output import count
from kg.cli.stores import folder, open_for_writing
from kg.errors import InputError, NotFound, StoreError, StoreFull, UsageError

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store import Store

__all__ = ["COMMANDS"]

_PACKED = (".tar.gz", ".tgz")
_NO_SPACE = 28


def _backup_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="a new folder, or a file whose name ends in .tar.gz")


def _backup(arguments: Namespace, settings: Settings) -> int:
    target = Path(arguments.target)
    if target.exists():
        raise UsageError(f"{target} is there already", hint="name a new folder or file")
    with open_for_writing(settings) as store, _beside(target) as part:
        _copy(store, part)
        documents = len(store.ledger.ids())
        if target.name.endswith(_PACKED):
            packed = part.with_name(f"{part.name}.tar.gz")
            import tarfile

            with tarfile.open(packed, "w:gz") as archive:
                archive.add(part, arcname=".")
            packed.replace(target)
        else:
            part.replace(target)
    print(f"{count(documents, 'document')} in {target}")
    return 0


def _copy(store: Store, place: Path) -> None:
    """Manifest, ledger and graph, each by its own engine's copy, while the writer's lock is held. A server's graph stays there."""
    import sqlite3

    manifest = store.path / "store.json"
    shutil.copyfile(manifest, place / "store.json")
    with (
        closing(sqlite3.connect(store.path / "ledger.sqlite")) as source,
        closing(sqlite3.connect(place / "ledger.sqlite")) as copy,
    ):
        source.backup(copy)
    if store.embedded is not None:
        (graph,) = store.path.glob("graph-*")
        store.embedded.backup(str(place / graph.name))


def _restore_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="what `kg backup` made")


def _restore(arguments: Namespace, settings: Settings) -> int:
    source, target = Path(arguments.source), folder(settings)
    if not source.exists():
        raise NotFound(f"there is no file or folder {source}", hint="check the path")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already", hint="name a new folder with --store, or move that one away")
    with _beside(target) as part:
        _unpack(source, part)
        if not (part / "store.json").is_file():
            raise InputError(f"{source} is no backup of a store", hint="name what `kg backup` made")
        if target.is_dir():
            target.rmdir()
        part.replace(target)
    with open_for_writing(settings) as store:
        print(f"{count(len(store.ledger.ids()), 'document')} in {target}")
    return 0


def _unpack(source: Path, place: Path) -> None:
    import tarfile

    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True)
        return
    try:
        with tarfile.open(source) as archive:
            archive.extractall(place, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise InputError(f"{source} is no backup of a store: {error}", hint="name what `kg backup` made") from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder next to the target, so that it can take its place in one step; gone afterwards if it didn't."""
    import tempfile

    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as folder:
            part = Path(folder) / "store"
            part.mkdir()
            yield part
    except OSError as error:
        kind = StoreFull if error.errno == _NO_SPACE else StoreError
        raise kind(f"{target} can't be written: {error.strerror or error}", hint="name another place") from error


COMMANDS = (
    Command("backup", "copies the store, exactly", _backup, ("kg backup kg-store.tar.gz",), _backup_arguments),
    Command("restore", "makes a store of a backup", _restore, ("kg restore kg-store.tar.gz --store kg-restored",), _restore_arguments),
)
