"""Web pages: main text, stated metadata, structured data as a second text, hostile pages."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from kg.errors import UnreadableDocument
from kg.model import Document, Source
from kg.read.webpage import METADATA, create
from kg.settings import Settings

PARAGRAPH = "<p>Velmont has appointed the actress Ines Okafor as its global ambassador, the company said on Monday in Paris.</p>"


def document(content: bytes | str, name: str = "x.html", settings: Settings | None = None) -> Document:
    raw = content.encode() if isinstance(content, str) else content
    [made] = create(settings or Settings())(Source(name, raw))
    return made


def page(head: str = "", body: str = PARAGRAPH) -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body><article>{body}</article></body></html>"


def category(content: bytes | str) -> str:
    with pytest.raises(UnreadableDocument) as caught:
        document(content)
    assert caught.value.hint
    return caught.value.category


def test_main_text_without_boilerplate(data: Path) -> None:
    """The article is kept, a paragraph a line; cookie bar, menu, most-read list, script and footer are not."""
    text = document((data / "news-page.html").read_bytes()).body.content
    lines = text.split("\n")
    assert lines[0] == "Velmont names Ines Okafor as its new face"
    assert (
        "PARIS – The leather house Velmont has appointed the actress Ines Okafor as its global ambassador, the company said on Monday."
        in lines[1]
    )
    assert lines[2].startswith("“I grew up with a Velmont suitcase in the hallway,”")
    assert lines[-1].startswith("Velmont, founded in 1921")
    for boilerplate in ("cookies", "Most read", "watchmaker", "newsletter", "Beauty", "analytics", "Imprint"):
        assert boilerplate not in text


def test_stated_metadata(data: Path) -> None:
    """Title, authors, date, site, canonical address and language are what the page states."""
    made = document((data / "news-page.html").read_bytes(), "news-page.html")
    assert made.id == "news-page"
    assert made.published == "2024-03-11"  # the day where it was published, not that of UTC, a page or a change
    assert made.title == "Velmont names Ines Okafor as its new face"
    assert made.author == "Lena Brandt; Tomás Ríos"
    assert made.publisher == "The Daily Hem"
    assert made.url == "https://daily-hem.example/2024/03/velmont-ines-okafor"
    assert made.language == "en-GB"


def test_structured_data_is_a_second_text(data: Path) -> None:
    """JSON-LD and OpenGraph are kept as sorted JSON, of which evidence can be taken."""
    made = document((data / "news-page.html").read_bytes())
    text = made.text(METADATA)
    kept = json.loads(text.content)
    assert text.content == json.dumps(kept, ensure_ascii=False, indent=2, sort_keys=True)
    assert kept["json-ld"][0]["@graph"][2]["about"] == [{"@type": "Brand", "name": "Velmont"}]
    assert ["og:site_name", "The Daily Hem"] in kept["opengraph"][0]["properties"]
    assert '"name": "Tomás Ríos"' in text.content


def test_microdata(data: Path) -> None:
    """Microdata state metadata too, and XHTML is read."""
    made = document((data / "microdata-page.xhtml").read_bytes(), "microdata-page.xhtml")
    assert (made.published, made.author, made.language) == ("2023-11-22", "Paul Girard", "fr")
    assert made.title == "Solène Marchetti quitte Aubrecht"
    assert json.loads(made.text(METADATA).content)["microdata"][0]["type"] == "https://schema.org/NewsArticle"
    assert "Ces années ont été les plus heureuses de ma vie" in made.body.content


def test_page_without_metadata(data: Path) -> None:
    """No date is guessed from the file, today, a copyright line, an address or a date of change."""
    made = document((data / "undated-page.htm").read_bytes(), "undated-page.htm")
    assert made.published is None
    assert made.title == "A short history of Halbrook"
    assert (made.author, made.publisher, made.url, made.language) == (None, None, None, None)
    assert [text.name for text in made.texts] == ["body"]
    assert "Home" not in made.body.content


@pytest.mark.parametrize(
    ("head", "body", "published"),
    [
        ('<meta name="date" content="2024-03-11">', "", "2024-03-11"),
        ('<meta name="DC.date.issued" content="2024-03">', "", "2024-03"),
        ('<meta name="pubdate" content="20240311T101500Z">', "", "2024-03-11"),
        ('<meta name="pubdate" content="20240311">', "", "2024-03-11"),
        ('<meta property="article:published_time" content="yesterday"><meta name="date" content="2024">', "", "2024"),
        ('<meta property="article:modified_time" content="2024-03-11">', "", None),
        ('<link rel="canonical" href="https://a.example/2024/03/11/x">', "", None),
        ("", '<time datetime="2024-03-11" pubdate>Monday</time>', "2024-03-11"),
        ("", '<time class="entry-date" datetime="2024-03-11T10:00">Monday</time>', "2024-03-11"),
        ("", '<header><time datetime="2024-03-11">Monday</time></header>', "2024-03-11"),
        ("", '<header><time datetime="2024-03-11">a</time><time datetime="2024-03-12">b</time></header>', None),
        ("", '<p>The show is on <time datetime="2030-01-01">New Year</time>.</p>', None),
        ("", "<p>Published on 11 March 2024</p>", None),
        ('<script type="application/ld+json">{"@type": "VideoObject", "datePublished": "2020-01-01"}</script>', "", None),
        ('<script type="application/ld+json">[{"@type": ["BlogPosting"], "datePublished": "March 11, 2024"}]</script>', "", "2024-03-11"),
        ('<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2999-01-01"}</script>', "", "2999-01-01"),
    ],
)
def test_date_of_publication(head: str, body: str, published: str | None) -> None:
    """A date counts where the page marks it as that of publication, in the precision it has; today plays no part."""
    made = document(page(head, PARAGRAPH + body)).published
    assert made == published
    assert made != date.today().isoformat()


def test_broken_structured_data_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """One broken script does not hide the others, nor the page."""
    good = '<script type="application/ld+json">{"@type": "Article", "headline": "A &amp; B", "publisher": "Hem"}</script>'
    made = document(page('<script type="application/ld+json">{broken</script>' + good))
    assert (made.title, made.publisher) == ("A & B", "Hem")
    assert len(json.loads(made.text(METADATA).content)["json-ld"]) == 1
    [record] = [record for record in caplog.records if record.name == "kg.read"]
    assert record.levelno == logging.WARNING


def test_structured_data_with_half_a_character() -> None:
    """Half a character in JSON-LD leaves a text that can be written."""
    made = document(page('<script type="application/ld+json">{"@type": "Article", "headline": "\\ud800 bag", "x": "é"}</script>'))
    made.text(METADATA).content.encode()
    assert made.title == "bag"


def test_structured_data_too_long_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Structured data beyond the limit of a text are left out, with a warning."""
    settings = Settings().replace(document_characters=500)
    blob = json.dumps({"@type": "Article", "keywords": "x" * 1000})
    made = document(page(f'<script type="application/ld+json">{blob}</script>'), settings=settings)
    assert [text.name for text in made.texts] == ["body"]
    assert "document_characters" in caplog.text


def test_declared_encoding(caplog: pytest.LogCaptureFixture) -> None:
    """A page in the encoding that it declares is read without a warning; a wrong declaration is seen through."""
    html = page('<meta charset="iso-8859-1">', "<p>Solène Marchetti quitte la maison Aubrecht après six ans, a dit le groupe.</p>")
    assert "Solène" in document(html.encode("cp1252")).body.content
    assert not caplog.records
    assert "Solène" in document(html.encode()).body.content
    odd = html.replace("iso-8859-1", "idna").encode("cp1252")
    assert "Solène" in document(odd).body.content
    assert "cp1252" in caplog.text


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """Neither files nor bombs come in through a DTD."""
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    outside = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><html><body><p>The text is &x; and can be read.</p></body></html>'
    assert "top secret" not in document(outside).body.content
    bomb = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    text = document(f'<!DOCTYPE html [<!ENTITY a0 "ha">{bomb}]><html><body><p>The text is &a12; here.</p></body></html>').body.content
    assert len(text) < 10_000


def test_pages_without_main_text(data: Path) -> None:
    """A page of menus and scripts has no main text."""
    assert category((data / "boilerplate-only.html").read_bytes()) == "no-text"
    assert category("<html></html>") == "no-text"
    assert category("<html><head><title>A title</title></head><body></body></html>") == "no-text"
    assert category("<p></p>") == "no-text"


def test_parts_of_pages_are_read() -> None:
    """A file with a paragraph alone is a page."""
    assert document(PARAGRAPH).body.content.startswith("Velmont has appointed")
    assert document(f"<svg></svg>{PARAGRAPH}").body.content.startswith("Velmont has appointed")
    assert document(f"<form>{PARAGRAPH}{PARAGRAPH}").body.content.startswith("Velmont has appointed")


@pytest.mark.parametrize(
    "body", ["<div>" * 20_000, "<span>" * 3_000 + "Velmont", "<table><tr><td>" * 2_000, "<a" * 10_000, "<ul><li>" * 3_000 + "x"]
)
def test_deep_pages_do_not_crash(body: str) -> None:
    """Deeply nested pages are read or refused."""
    with suppress(UnreadableDocument):
        assert document(f"<html><body>{body}</body></html>").body.content


def test_too_long_pages() -> None:
    """Both markup and text have a limit."""
    settings = Settings().replace(document_characters=200)
    for body in ("<p>" + "Velmont sells bags. " * 20 + "</p>", "<br>" * 2000):
        with pytest.raises(UnreadableDocument, match="document_characters"):
            document(page("", body), settings=settings)


def test_one_page_does_not_change_another(data: Path) -> None:
    """A page reads the same before, after and between others."""
    raw = (data / "news-page.html").read_bytes()
    reader = create(Settings())
    first = list(reader(Source("a.html", raw)))
    for _ in range(4):
        list(reader(Source("b.html", (data / "undated-page.htm").read_bytes())))
        assert list(reader(Source("a.html", raw))) == first
