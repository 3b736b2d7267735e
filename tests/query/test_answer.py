"""Answers on their way out: every row is counted in every format, and too much is an error, not a shorter answer."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ResultTooLarge
from kg.query.results import FORMATS
from kg.query.run import answer_query
from kg.settings import Settings
from kg.store import Store

SETTINGS = Settings()
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from('"\n\r\t,{}<>&\\'), max_size=12)
NASTY = ('"\r\n', 'a","{"b', '},{"x":', "<result>", "\n\n\t", "", '"', "&lt;result&gt;")


def written(store: Store, text: str, form: str, **changes: int) -> bytes:
    stream = io.BytesIO()
    answer_query(store, text, settings=SETTINGS.replace(**changes)).write(form, stream, settings=SETTINGS.replace(**changes))
    return stream.getvalue()


def quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return f'"{"".join(escapes.get(each, each) for each in text)}"'


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
@given(texts=st.lists(TEXT | st.sampled_from(NASTY), min_size=2, max_size=8))
def test_every_row_counts_once(form: str, texts: list[str], library: Store) -> None:
    """As many rows as there are pass, one less does not, whatever they hold."""
    text = f"SELECT ?a ?b {{ VALUES (?a ?b) {{ {' '.join(f'({quoted(each)} {quoted(each)})' for each in texts)} }} }}"
    assert written(library, text, form, query_rows=len(texts))
    with pytest.raises(ResultTooLarge, match=f"more than {len(texts) - 1} rows"):
        written(library, text, form, query_rows=len(texts) - 1)


@pytest.mark.parametrize("form", [name for name, each in FORMATS.items() if each.graphs])
def test_every_triple_counts_once(form: str, library: Store) -> None:
    text = "CONSTRUCT { <x:s> <x:p> ?o } { VALUES ?o { 'a' 'b\\n' 'c' 'd . <x:s>' 'e' } }"
    assert written(library, text, form, query_rows=5)
    with pytest.raises(ResultTooLarge, match="more than 4 rows"):
        written(library, text, form, query_rows=4)


@pytest.mark.parametrize("form", ["json", "csv", "turtle", "ntriples"])
def test_bytes_are_bounded(form: str, library: Store) -> None:
    what = "CONSTRUCT" if FORMATS[form].graphs else "SELECT ?s ?p ?o"
    with pytest.raises(ResultTooLarge, match="more than 2,000 bytes"):
        written(library, f"{what} {'{ ?s ?p ?o }' if FORMATS[form].graphs else ''} WHERE {{ ?s ?p ?o }}", form, query_bytes=2000)


def test_yes_and_no_are_never_too_long(library: Store) -> None:
    assert [written(library, "ASK {}", form, query_rows=1)[-4:] for form in ("json", "csv", "tsv")] == [b"rue}", b"true", b"true"]


def test_graphs_use_the_prefixes_that_they_need(library: Store) -> None:
    content = written(library, "CONSTRUCT WHERE { ?s a kg:Person ; rdfs:label ?n }", "turtle").decode()
    assert "@prefix kg:" in content
    assert "@prefix rdfs:" in content
    assert "@prefix wd:" not in content


GROWTH = """
import resource, sys, tempfile
from kg.service import create_app
from kg.settings import Settings
from kg.store import open_store

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

with tempfile.TemporaryDirectory() as folder, open_store(folder + "/store", create=True) as store:
    client = create_app(store, Settings()).test_client()
    numbers = " ".join(map(str, range(400)))

    def ask(rows, coding):
        query = "SELECT * { VALUES ?a { %s } VALUES ?b { %s } BIND(STR(?a) AS ?c) } LIMIT %d" % (numbers, numbers, rows)
        response = client.post("/sparql", data={"query": query}, headers={"Accept-Encoding": coding}, buffered=False)
        size = sum(map(len, response.response))
        response.close()
        return size

    ask(2_000, "zstd"), ask(2_000, "gzip"), ask(20_000, "identity")
    before = peak()
    size = ask(160_000, sys.argv[1])
    print(size, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory in KiB")
@pytest.mark.parametrize(("coding", "least"), [("identity", 30_000_000), ("zstd", 100_000), ("gzip", 100_000)])
def test_memory_does_not_grow_with_the_answer(coding: str, least: int) -> None:
    """An answer eight times as long, of 30 MB and more, takes less than 8 MiB more at its peak, in a process of its own."""
    run = subprocess.run([sys.executable, "-c", GROWTH, coding], capture_output=True, text=True, timeout=120, check=True)
    size, grown = map(int, run.stdout.split())
    assert size > least
    assert grown < 8 * 1024
