"""Plain text and Markdown: unaltered texts, leading dates, front matter, encodings."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import UnreadableDocument
from kg.model import Document, Source
from kg.read.plaintext import create
from kg.settings import Settings

LEADING_DATE_ALONE = re.compile(r"\s*date:?\s+[0-9-]{10}\s*", re.IGNORECASE)
SEEDS = Path(__file__).parents[2] / "seeds" / "documents"


def document(content: bytes | str, name: str = "x.txt", settings: Settings | None = None) -> Document:
    raw = content.encode() if isinstance(content, str) else content
    [made] = create(settings or Settings())(Source(name, raw))
    return made


def category(content: bytes | str, name: str = "x.txt", settings: Settings | None = None) -> str:
    with pytest.raises(UnreadableDocument) as caught:
        document(content, name, settings)
    assert caught.value.hint
    return caught.value.category


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\r\n\t\v\f")))
def test_text_is_the_decoded_file(text: str) -> None:
    """Whatever a file says is stored as it stands: white space, line ends and byte order mark included."""
    raw = text.encode()
    if text.replace("\ufeff", "").strip() and not LEADING_DATE_ALONE.fullmatch(text):
        made = document(raw)
        assert made.body.content == raw.decode()
        assert made.body.content.encode() == raw
    else:
        assert category(raw) == "empty"


def test_seed_opens_with_a_date_on_the_line_of_the_text() -> None:
    """The seed's opening date is metadata that ends before the first sentence."""
    path = SEEDS / "balenciaga-le-city.txt"
    made = document(path.read_bytes(), path.name)
    assert made.id == "balenciaga-le-city"
    assert made.published == "2024-01-24"
    assert made.body.content == path.read_bytes().decode()
    assert made.body.content[: made.body.metadata_end] == " date 2024-01-24"
    assert made.body.content[made.body.metadata_end :].startswith(" Kim Kardashian’s favorite")


@pytest.mark.parametrize(
    ("text", "published", "metadata"),
    [
        ("date 2024-01-24\nText", "2024-01-24", "date 2024-01-24"),
        ("\n \u00a0date\t2024-02-29 Text", "2024-02-29", "\n \u00a0date\t2024-02-29"),
        ("Date: 2024-01-24\r\nText", "2024-01-24", "Date: 2024-01-24"),
        ("\ufeffdate 2024-01-24 Text", "2024-01-24", "\ufeffdate 2024-01-24"),
        ("\ufeffText", None, "\ufeff"),
        ("date 2024-13-45 Text", None, ""),
        ("date 2023-02-29 Text", None, ""),
        ("date 2024-01-245 Text", None, ""),
        ("date 2024-01-24-25 Text", None, ""),
        ("date ٢٠٢٤-٠١-٢٤ Text", None, ""),
        ("dated 2024-01-24 Text", None, ""),
        ("Text date 2024-01-24", None, ""),
        ("2024-01-24 Text", None, ""),
    ],
)
def test_leading_date(text: str, published: str | None, metadata: str) -> None:
    """A leading date is metadata; a date that isn't one, or stands elsewhere, is text."""
    made = document(text)
    assert made.published == published
    assert made.body.content == text
    assert text[: made.body.metadata_end] == metadata


def test_line_ends_and_byte_order_mark_of_files(data: Path) -> None:
    """Line ends of other systems and a byte order mark stay, so that spans count what the file holds."""
    windows = (data / "windows-lines.txt").read_bytes()
    assert document(windows).body.content.count("\r\n") == windows.count(b"\r\n") == 6
    marked = document((data / "byte-order-mark.txt").read_bytes())
    assert marked.body.content[0] == "\ufeff"
    assert marked.published == "2024-03-11"
    assert marked.body.content.index("👜") == marked.body.content.encode("utf-32-le").index("👜".encode("utf-32-le")) // 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_byte_order_mark_declares_the_encoding(encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a byte order mark declares is read without a warning, and the mark is kept."""
    assert document("Okafor’s bag".encode(encoding)).body.content == "\ufeffOkafor’s bag"
    assert not caplog.records


def test_other_encodings_are_read_and_said(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is not UTF-8 is read all the same, and one warning names file and encoding."""
    raw = (data / "windows-1252.txt").read_bytes()
    made = document(raw, "windows-1252.txt")
    assert made.body.content == raw.decode("cp1252")
    assert "Solène Marchetti" in made.body.content
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "windows-1252.txt" in record.getMessage()
    assert "cp1252" in record.getMessage()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "El diseñador español presentó su colección mañana."),
        ("cp1252", "Åse Ødegård från Malmö är ny ambassadör för märket."),
        ("cp1250", "Nowa kolekcja została pokazana w Łodzi, powiedział dyrektor. Żółte buty są już w sklepach."),
        ("cp1251", "Новая коллекция дома моды была показана в Париже вчера вечером."),
        ("cp1254", "Markanın yeni yüzü dün İstanbul’da açıklandı, şirket söyledi."),
        ("shift_jis", "新しいコレクションはパリで発表されました。昨日の夜。"),
        ("gb18030", "新系列昨晚在巴黎发布，品牌大使出席了活动。"),
    ],
)
def test_encodings_of_the_world(encoding: str, text: str) -> None:
    """A sentence is enough to tell common encodings apart."""
    assert document(text.encode(encoding)).body.content == text


def test_unusable_content() -> None:
    """What can't be used is refused with a word for reports."""
    assert category("") == "empty"
    assert category(" \n\t ") == "empty"
    assert category("date 2024-01-24\n") == "empty"
    assert category(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") == "binary"
    assert category(b"\x01\x02\x03\x04") == "binary"
    assert category("Velmont\0bag") == "binary"
    assert category(b"\xff\xfe\0") == "encoding"


def test_too_long_text_names_the_setting() -> None:
    """A text beyond the limit is refused; one at the limit is read, whatever its encoding."""
    settings = Settings().replace(document_characters=100)
    assert document("é" * 100, settings=settings).body.content == "é" * 100
    assert document(("👜" * 99).encode("utf-32"), settings=settings).body.content[1:] == "👜" * 99
    assert category("a" * 101, settings=settings) == "too-long"
    with pytest.raises(UnreadableDocument, match="document_characters allows 100"):
        document("a" * 1000, settings=settings)


def test_ids_come_from_names() -> None:
    """The id is the stem; a name without one is told."""
    assert document("Text", "a/b.c.TXT").id == "b.c"
    assert document("Text", "a/ b .txt").id == "b"
    assert category("Text", "a/ .txt") == "bad-id"
    assert category("Text", "a/b\udcff.txt") == "bad-id"


def test_markdown_front_matter(data: Path) -> None:
    """Front matter is metadata, and stays in the text."""
    raw = (data / "velmont-letter.md").read_bytes()
    made = document(raw, "velmont-letter.md")
    assert made.body.content == raw.decode()
    assert (made.published, made.title, made.language) == ("2024-03-12", "Velmont: a letter from Paris", "en")
    assert (made.author, made.url) == ("Lena Brandt; Tomás Ríos", "https://daily-hem.example/letters/velmont")
    assert made.body.content[made.body.metadata_end :].startswith("\n# A letter from Paris")


def test_markdown_without_front_matter() -> None:
    """The first heading is the title, in Markdown only; a date may lead."""
    made = document("date 2024-01-24\n\n# A *bag* ##\n\nText\n\n# Another\n", "x.md")
    assert (made.title, made.published) == ("A *bag*", "2024-01-24")
    assert document("## Small\n", "x.md").title is None
    assert document("# Heading\n", "x.txt").title is None


@pytest.mark.parametrize(
    "text",
    [
        "---\nThe house was sold.\nNobody knows why.\n---\nMore.\n",
        "---\ntitle: x\nno end",
        "---\n---\nText",
        "--- \n- a\n- b\n---\nText",
        "---",
    ],
)
def test_rules_are_no_front_matter(text: str) -> None:
    """Prose, lists or nothing between rules is text."""
    made = document(text, "x.md")
    assert (made.title, made.body.metadata_end) == (None, 0)


def test_front_matter_that_is_no_yaml_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A value with a bare colon is no YAML: the block is skipped and a warning says so."""
    made = document("---\r\ntitle: Velmont: the bag\r\n---\r\nText", "x.md")
    assert (made.title, made.body.content[made.body.metadata_end :]) == (None, "Text")
    assert "front matter" in caplog.text


def test_front_matter_with_aliases_is_harmless() -> None:
    """Aliases are followed; a list that holds itself neither loops nor expands."""
    made = document("---\nx: &a [Lena Brandt]\nauthor: *a\ntitle: [[x]]\n---\nText", "x.md")
    assert (made.author, made.title) == ("Lena Brandt", None)
    assert document("---\nauthor: &a [*a]\n---\nText", "x.md").author is None
