"""Documents in other file systems: memory, ``file://``, and a real server of object storage on loopback."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from kg.build import build
from kg.bulk import bulk_build
from kg.errors import InputError, NotFound, UsageError
from kg.model import Document, Problem
from kg.rdf.write import as_nquads
from kg.read import Reading, read_paths
from kg.settings import Settings
from kg.store import open_store

FILES = {
    "news/linen.txt": "date 2024-03-05\n“We begin again with nothing but linen,” Liv Vane said.\n",
    "news/deeper/two.jsonl": "".join(json.dumps({"id": name, "text": f"“{name},” Olivia Vane said."}) + "\n" for name in ("one", "two")),
    "news/empty.txt": "",
    "news/picture.qqq": "?",
    "news/.hidden.txt": "no",
    "other/alone.md": "Nothing of note happened at the quayside.\n",
}
BUCKET = "articles"


@pytest.fixture
def memory() -> Iterator[str]:
    """The files in this process's memory."""
    files = fsspec.filesystem("memory")
    for name, text in FILES.items():
        files.pipe_file(f"/read/{name}", text.encode())
    yield "memory://read"
    files.rm("/read", recursive=True)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a server that speaks the S3 protocol, with an empty bucket."""
    moto = pytest.importorskip("moto.server", reason="the lock has no moto and s3fs, which pin other packages")
    pytest.importorskip("s3fs")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The files on that server; where it is and who asks is set as users set it, in the environment and in fsspec's configuration."""
    for name, value in (("AWS_ACCESS_KEY_ID", "someone"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": server})
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    if not files.exists(BUCKET):
        files.mkdir(BUCKET)
    for name, text in FILES.items():
        files.pipe_file(f"{BUCKET}/{name}", text.encode())
    yield f"s3://{BUCKET}"
    files.rm(BUCKET, recursive=True)


def read(*paths: str) -> tuple[Reading, list[str]]:
    """What comes, documents by id and problems by category."""
    reading = read_paths(paths, Settings())
    return reading, [item.id if isinstance(item, Document) else f"! {item.category}" for item in reading]


def test_a_folder_in_memory(memory: str) -> None:
    """All files below it in the order of their names, hidden ones left out, those of unknown type counted."""
    reading, found = read(f"{memory}/news")
    assert found == ["one", "two", "! empty", "linen"]
    assert (reading.ignored, reading.total) == (1, 4)
    assert read(f"{memory}/news/")[1] == found


def test_files_and_patterns(memory: str) -> None:
    """One file has the id of its stem, a pattern is spelled out, a named file of unknown type is a problem that names its address."""
    assert read(f"{memory}/news/linen.txt", f"{memory}/*/*.md")[1] == ["linen", "alone"]
    (problem,) = read_paths([f"{memory}/news/picture.qqq"], Settings())
    assert isinstance(problem, Problem)
    assert problem.category == "unknown-type"
    assert "memory://" in problem.message


def test_what_is_not_there(memory: str) -> None:
    """A wrong address, a scheme that nothing is installed for: told before anything is read."""
    with pytest.raises(NotFound, match="no file or folder"):
        read(f"{memory}/nowhere")
    with pytest.raises(NotFound):
        read(f"{memory}/*.nothing")
    with pytest.raises(UsageError, match="can't be read"):
        read("nosuch://place/x.txt")


def test_a_file_that_goes_before_it_is_read(memory: str) -> None:
    """It is a problem with its name; the rest is read."""
    reading = read_paths([f"{memory}/news/linen.txt", f"{memory}/other"], Settings())
    fsspec.filesystem("memory").rm("/read/news/linen.txt")
    found = list(reading)
    assert [getattr(item, "category", "") for item in found] == ["unreadable", ""]
    assert "linen" in getattr(found[0], "message", "")


def test_a_local_url(tmp_path: Path) -> None:
    """``file://`` means the path, with what is escaped in it."""
    (tmp_path / "a b.txt").write_text("Nothing of note.", encoding="utf-8")
    assert read(f"{tmp_path.as_uri()}/a%20b.txt")[1] == ["a b"]
    with pytest.raises(NotFound):
        read(f"{tmp_path.as_uri()}/c.txt")


def test_object_storage(bucket: str, tmp_path: Path) -> None:
    """From documents to shards in a bucket: the store is that of the same files on this machine."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = Settings().replace(extractors="rules", store=str(tmp_path / "bulk"), shards=f"{bucket}/passed-on", batch=1, partitions=3)
    report = bulk_build(read_paths([f"{bucket}/news"], settings), settings)
    assert (report.documents, [problem.category for problem in report.problems]) == (3, ["empty"])
    assert "passed-on" not in {path.name for path in tmp_path.iterdir()}
    with open_store(tmp_path / "plain", create=True) as plain, open_store(settings.store) as bulk:
        build(read_paths([str(tmp_path / "news")], settings), plain, settings)
        assert as_nquads(bulk.graph) == as_nquads(plain.graph)
        assert len(bulk.graph) > 50


def test_a_bucket_that_refuses(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server says is told in one line."""
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 0}}})
    with pytest.raises((InputError, NotFound)) as caught:
        read("s3://articles-of-others/x/")
    assert "\n" not in str(caught.value)
