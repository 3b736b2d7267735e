"""What each format gives: text with its paragraphs, metadata, ids; and what is wrong with damaged ones."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kg.errors import InvalidSetting
from kg.model import Document, Problem
from kg.settings import Settings

Read = Callable[..., tuple[dict[str, Document], list[Problem]]]


def save(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one(read: Read, path: Path, **options: Any) -> Document:
    documents, problems = read(path, **options)
    assert not problems
    [document] = documents.values()
    return document


def problem(read: Read, path: Path, **options: Any) -> tuple[str, str]:
    documents, problems = read(path, **options)
    assert not documents
    [found] = problems
    assert "\n" not in found.message
    return found.document_id, found.category


# -- PDF ---------------------------------------------------------------------------------------------------------------


def test_pdf_text_and_metadata(tmp_path: Path, read: Read, make: Any) -> None:
    """Lines are joined to paragraphs, pages follow each other, the file's properties are metadata; the day it was made is no date."""
    info = {"Title": "A letter", "Author": "Ada Holm", "CreationDate": "D:20240124100000+01'00'"}
    path = save(tmp_path, "letter.pdf", make.pdf(["Velmont makes bags", "and coats.", "", "Quent wears them."], ["The end."], info=info))
    document = one(read, path)
    assert document.id == "letter"
    assert document.body.content == "Velmont makes bags and coats.\n\nQuent wears them.\n\nThe end."
    assert (document.title, document.author, document.published) == ("A letter", "Ada Holm", None)


def test_pdf_leading_date(tmp_path: Path, read: Read, make: Any) -> None:
    """A leading date is the document's, the day on which the file was made is not; it is no part of a sentence."""
    info = {"CreationDate": "D:20240301"}
    document = one(read, save(tmp_path, "a.pdf", make.pdf(["date 2024-01-24", "", "Velmont makes bags."], info=info)))
    assert document.published == "2024-01-24"
    assert document.body.content[document.body.metadata_end :].strip() == "Velmont makes bags."


def test_bad_pdfs(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """A password, damage, and pages without a text layer are problems of their own kinds."""
    from pypdf import PdfReader, PdfWriter

    whole = make.pdf([sentence])
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(whole)))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    assert problem(read, save(tmp_path, "locked.pdf", locked.getvalue())) == ("locked", "encrypted")
    assert problem(read, save(tmp_path, "cut.pdf", whole[:60])) == ("cut", "damaged")
    assert problem(read, save(tmp_path, "scan.pdf", make.pdf([], []))) == ("scan", "no-text")
    assert problem(read, save(tmp_path, "page.pdf", make.page(sentence))) == ("page", "damaged")
    assert problem(read, save(tmp_path, "nothing.pdf", b"")) == ("nothing", "empty")


# -- Word and EPUB -------------------------------------------------------------------------------------------------------


def test_word(tmp_path: Path, read: Read, make: Any) -> None:
    """Paragraphs are lines; properties are metadata, but for the day on which the file was made."""
    told = {"author": "Ada Holm", "title": "News", "created": datetime(2024, 1, 24), "comments": "", "language": "en-GB"}
    document = one(read, save(tmp_path, "a.docx", make.docx("Velmont makes bags.", "Quent wears them.", **told)))
    assert document.body.content == "Velmont makes bags.\nQuent wears them."
    assert (document.author, document.title, document.published, document.language) == ("Ada Holm", "News", None, "en-GB")
    dated = one(read, save(tmp_path, "b.docx", make.docx("date 2024-01-20", "Velmont makes bags.", **told)))
    assert dated.published == "2024-01-20"


def test_word_tables_and_tracked_changes(tmp_path: Path, read: Read, make: Any) -> None:
    """Cells are read in their order, what was inserted is read, what was deleted is not."""
    import docx
    from docx.oxml import parse_xml

    word = docx.Document()
    paragraph = word.add_paragraph("Velmont ")
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    paragraph._p.append(parse_xml(f'<w:del {space} w:id="1"><w:r><w:delText>sells</w:delText></w:r></w:del>'))
    paragraph._p.append(parse_xml(f'<w:ins {space} w:id="2"><w:r><w:t>makes</w:t></w:r></w:ins>'))
    table = word.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Quent", "ambassador"
    word.save(str(tmp_path / "a.docx"))
    assert one(read, tmp_path / "a.docx").body.content == "Velmont makes\nQuent\nambassador"


def test_bad_word_documents(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """Packages with a password, cut ones and those of another kind are problems."""
    whole = make.docx(sentence)
    assert problem(read, save(tmp_path, "old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))) == ("old", "encrypted")
    assert problem(read, save(tmp_path, "cut.docx", whole[: len(whole) // 2])) == ("cut", "damaged")
    assert problem(read, save(tmp_path, "other.docx", make.zip({"a.txt": sentence}))) == ("other", "damaged")
    assert problem(read, save(tmp_path, "blank.docx", make.docx(""))) == ("blank", "empty")
    assert problem(read, save(tmp_path, "bomb.docx", make.zip({"word/document.xml": bytes(2**25)}))) == ("bomb", "archive-bomb")


def test_entities_in_a_word_document(tmp_path: Path, read: Read, make: Any) -> None:
    """No entity is expanded, neither one that reads a file nor one that grows."""
    import zipfile

    save(tmp_path, "secret.txt", "TOP-SECRET")
    whole = make.docx("MARK")
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        members = {name: package.read(name) for name in package.namelist()}
    declared = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY b "GROWN">]>'.encode()
    body = members["word/document.xml"].replace(b"MARK", b"before &a;&b; after")
    end = body.index(b"?>") + 2
    members["word/document.xml"] = body[:end] + declared + body[end:]
    documents, _ = read(save(tmp_path, "x.docx", make.zip(members)))
    assert not any("SECRET" in document.body.content or "GROWN" in document.body.content for document in documents.values())


def test_epub(tmp_path: Path, read: Read, make: Any) -> None:
    """Chapters come in the order of the spine; what the package file states is metadata."""
    told = "<dc:title>Bags</dc:title><dc:creator>Ada Holm</dc:creator><dc:creator>Bo Lind</dc:creator>"
    told += "<dc:publisher>Halbrook</dc:publisher><dc:date>2024-01</dc:date><dc:language>en</dc:language>"
    document = one(read, save(tmp_path, "book.epub", make.epub("<h1>One</h1><p>First.</p><p>Then.</p>", "<p>Two.</p>", told=told)))
    assert document.body.content == "One\n\nFirst.\n\nThen.\n\nTwo."
    stated = (document.title, document.author, document.publisher, document.published, document.language)
    assert stated == ("Bags", "Ada Holm; Bo Lind", "Halbrook", "2024-01", "en")


def test_bad_books(tmp_path: Path, read: Read, make: Any) -> None:
    """A book with copy protection, with entities, with a missing chapter is a problem."""
    assert problem(read, save(tmp_path, "a.epub", make.epub("<p>A</p>", **{"META-INF/rights.xml": "<rights/>"}))) == ("a", "encrypted")
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><container>&b;</container>'
    assert problem(read, save(tmp_path, "b.epub", make.zip({"META-INF/container.xml": laughs}))) == ("b", "unsafe-xml")
    assert problem(read, save(tmp_path, "c.epub", make.zip({"mimetype": "application/epub+zip"}))) == ("c", "damaged")


# -- Mail --------------------------------------------------------------------------------------------------------------


def test_message(tmp_path: Path, read: Read) -> None:
    """The plain part is the text; sender, subject and date are metadata; encodings of headers and bodies are undone."""
    content = (
        "From: =?utf-8?q?Sol=C3=A8ne?= Marchetti <s@velmont.example>\r\nSubject: =?utf-8?b?VmVsbW9udA==?= news\r\n"
        "Date: Wed, 24 Jan 2024 23:30:00 +0100\r\nOrganization: Velmont\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nVelmont =C3=A0 Paris.\r\n--x\r\nContent-Type: text/html\r\n\r\n"
        "<p>No</p>\r\n--x--\r\n"
    )
    document = one(read, save(tmp_path, "a.eml", content))
    assert (document.id, document.body.content) == ("a", "Velmont à Paris.")
    stated = (document.author, document.title, document.published, document.publisher)
    assert stated == ("Solène Marchetti", "Velmont news", "2024-01-24", "Velmont")


def test_many_messages(tmp_path: Path, read: Read) -> None:
    """Messages are called as their Message-IDs, else by number; one with the id of another and other text is a problem for both."""
    head = "From a@b.example Wed Jan 24 10:00:00 2024\n"
    messages = [
        f"{head}Message-ID: <1@b.example>\n\nOne.\n>From here on.\n",
        f"{head}Subject: two\n\n<p>not HTML\n",
        f"{head}Message-ID: <3@b.example>\nContent-Type: text/html\n\n<p>Three</p><p>Paragraphs</p>\n",
        f"{head}Message-ID: <4@b.example>\n\nFour\n",
        f"{head}Message-ID: <4@b.example>\n\nFive\n",
        f"{head}Message-ID: <6@b.example>\n\n\n",
    ]
    documents, problems = read(save(tmp_path, "all.mbox", "\n".join(messages)))
    assert {id: document.body.content for id, document in documents.items()} == {
        "1@b.example": "One.\nFrom here on.",
        "all:2": "<p>not HTML",
        "3@b.example": "Three\n\nParagraphs",
    }
    assert sorted((each.document_id, each.category) for each in problems) == [("4@b.example", "duplicate-id")] * 2 + [
        ("6@b.example", "empty")
    ]


# -- Feeds -------------------------------------------------------------------------------------------------------------


def test_rss(tmp_path: Path, read: Read, make: Any) -> None:
    """An entry is called as its link; the longest of its contents is the text; the feed is the publisher."""
    first = (
        "<item><title>Quent &amp;amp; Velmont</title><link>https://a.example/1</link><pubDate>Wed, 24 Jan 2024 10:00:00 GMT</pubDate>"
        "<dc:creator>Ada Holm</dc:creator><description>Short.</description>"
        "<content:encoded><![CDATA[<p>Velmont makes bags.</p><p>Quent wears them.</p>]]></content:encoded></item>"
    )
    second = "<item><guid isPermaLink='false'>tag:2</guid><description>Two</description></item>"
    documents, problems = read(save(tmp_path, "a.rss", make.rss(first, second, "<item><guid isPermaLink='false'>3</guid></item>")))
    document = documents["https://a.example/1"]
    assert document.body.content == "Velmont makes bags.\n\nQuent wears them."
    stated = (document.title, document.author, document.publisher, document.published, document.url, document.language)
    assert stated == ("Quent & Velmont", "Ada Holm", "Aubrecht Daily", "2024-01-24", "https://a.example/1", "en-gb")
    assert documents["tag:2"].body.content == "Two"
    assert [(each.document_id, each.category) for each in problems] == [("3", "empty")]


def test_atom(tmp_path: Path, read: Read) -> None:
    """Atom's XHTML content, dates and authors are read."""
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>Daily</title><entry><id>urn:1</id><title>T</title>"
        "<link rel='edit' href='https://a.example/edit'/><link href='https://a.example/1'/><published>2024-01-24T10:00:00Z</published>"
        "<author><name>Ada Holm</name></author><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>One.</p><p>Two.</p></div>"
        "</content></entry></feed>"
    )
    document = one(read, save(tmp_path, "feed.atom", feed))
    assert (document.id, document.body.content) == ("https://a.example/1", "One.\n\nTwo.")
    assert (document.author, document.published, document.publisher) == ("Ada Holm", "2024-01-24", "Daily")


def test_repeated_ids_in_a_feed(tmp_path: Path, read: Read, make: Any) -> None:
    """Two entries with one id and other texts are problems, the rest is read; the same entry twice counts once."""
    items = [("1", "One"), ("2", "Two"), ("2", "Other"), ("3", "Three"), ("3", "Three")]
    feed = make.rss(*(f"<item><link>https://a.example/{id}</link><description>{text}</description></item>" for id, text in items))
    documents, problems = read(save(tmp_path, "a.xml", feed))
    assert set(documents) == {"https://a.example/1", "https://a.example/3"}
    assert {(each.document_id, each.category) for each in problems} == {("https://a.example/2", "duplicate-id")}


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x SYSTEM "file:///etc/hostname">',
        '<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;',
    ],
)
def test_entities_in_feeds(tmp_path: Path, read: Read, make: Any, declared: str) -> None:
    """A feed that declares entities is a problem, whatever they are."""
    feed = make.rss("<item><description>&x;</description></item>").decode()
    content = feed.replace("?>", f"?><!DOCTYPE rss [{declared}]>", 1)
    assert problem(read, save(tmp_path, "a.rss", content)) == ("a", "unsafe-xml")


def test_xml_of_other_kinds(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """Other XML is of unknown type: counted in a folder, told where it is named; a feed that breaks off gives what it has."""
    path = save(tmp_path, "pom.xml", "<project><name>x</name></project>")
    assert problem(read, path) == ("pom", "unknown-type")
    assert read(tmp_path) == ({}, [])
    feed = make.rss(f"<item><link>https://a.example/1</link><description>{sentence}</description></item>")
    documents, [broken] = read(save(tmp_path, "cut.rss", feed.replace(b"</rss>", b"")))
    assert (set(documents), broken.category) == ({"https://a.example/1"}, "damaged")


# -- Tables --------------------------------------------------------------------------------------------------------------


def test_csv(tmp_path: Path, read: Read) -> None:
    """A document a row; fields in quotes may hold line ends; the columns are told by their names."""
    content = '\ufeffid;Title;date;text\na-1;T;2024-01-24;"Velmont, ""the"" house.\nBags."\n;;;Two\na-3;;;\n'
    documents, problems = read(save(tmp_path, "t.csv", content))
    assert documents["a-1"].body.content == 'Velmont, "the" house.\nBags.'
    assert (documents["a-1"].title, documents["a-1"].published) == ("T", "2024-01-24")
    assert documents["t:2"].body.content == "Two"
    assert [(each.document_id, each.category) for each in problems] == [("a-3", "empty")]


def test_columns(tmp_path: Path, read: Read) -> None:
    """The setting says which column holds what; without a text column a table is of no use."""
    path = save(tmp_path, "t.tsv", "number\tstory\tday\n7\tVelmont makes bags.\t2024-01-24\n")
    assert problem(read, path) == ("t", "unknown-columns")
    assert read(tmp_path) == ({}, [])
    chosen = Settings().replace(columns="text=story, id=number, date=day")
    document = one(read, path, settings=chosen)
    assert (document.id, document.published, document.body.content) == ("7", "2024-01-24", "Velmont makes bags.")
    for wrong in ("text", "story=text", "text="):
        with pytest.raises(InvalidSetting):
            read(path, settings=Settings().replace(columns=wrong))


def test_parquet(tmp_path: Path, read: Read) -> None:
    """Rows of Parquet files are documents too, and dates are dates."""
    pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    table = pyarrow.table({"id": [1, 2], "text": ["One", "Two"], "date": [datetime(2024, 1, 24), None], "vector": [[1.0], [2.0]]})
    parquet.write_table(table, tmp_path / "t.parquet")
    documents, problems = read(tmp_path / "t.parquet")
    assert not problems
    assert {(id, document.body.content, document.published) for id, document in documents.items()} == {
        ("1", "One", "2024-01-24"),
        ("2", "Two", None),
    }
    content = (tmp_path / "t.parquet").read_bytes()
    assert problem(read, save(tmp_path, "cut.parquet", content[:-20])) == ("cut", "damaged")


# -- Web archives ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_warc(tmp_path: Path, read: Read, make: Any, sentence: str, packed: bool) -> None:
    """Each page that was answered with 200 is a document, called as its address; the date of fetching is none."""
    name = "a.warc.gz" if packed else "a.warc"
    content = make.warc(("https://a.example/1", make.page(sentence)), ("https://a.example/2", make.page("Two men.")), packed=packed)
    content += make.warc(("https://a.example/3", "gone"), status="404 Not Found", packed=packed)
    content += make.warc(("https://a.example/4", "x"), media="image/png", packed=packed)
    documents, problems = read(save(tmp_path, name, content))
    assert not problems
    assert {id: document.body.content for id, document in documents.items()} == {
        "https://a.example/1": sentence,
        "https://a.example/2": "Two men.",
    }
    assert {(document.url, document.published) for document in documents.values()} == {(id, None) for id in documents}


def test_wet(tmp_path: Path, read: Read, make: Any) -> None:
    """Extracted text of a web archive is read as it stands."""
    content = make.warc(("https://a.example/1", "Velmont makes bags.\nTwo."), kind="conversion", media="text/plain", packed=True)
    document = one(read, save(tmp_path, "a.warc.wet.gz", content))
    assert (document.id, document.body.content) == ("https://a.example/1", "Velmont makes bags.\nTwo.")


@pytest.mark.parametrize("packed", [False, True])
def test_truncated_warc(tmp_path: Path, read: Read, make: Any, packed: bool) -> None:
    """An archive that breaks off gives what stands before, and a problem with the address where it does."""
    pages = [(f"https://a.example/{number}", make.page(f"Text number {number} of Velmont.")) for number in range(3)]
    content = make.warc(*pages, packed=packed)
    documents, [cut] = read(save(tmp_path, "a.warc.gz" if packed else "a.warc", content[:-40]))
    assert set(documents) == {"https://a.example/0", "https://a.example/1"}
    assert cut.category in {"truncated", "damaged"}
    assert cut.document_id.startswith("https://a.example/")
    assert problem(read, save(tmp_path, "no.warc", "WARC is not what this is"))[1] == "damaged"


def test_wacz(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """Of a WACZ file the web archives in it are read, and not its lists of pages."""
    inner = make.warc(("https://a.example/1", make.page(sentence)), packed=True)
    members = {"archive/data.warc.gz": inner, "pages/pages.jsonl": '{"format": "json-pages-1.0"}\n', "datapackage.json": "{}"}
    assert one(read, save(tmp_path, "a.wacz", make.zip(members))).id == "https://a.example/1"


def test_packed_text(tmp_path: Path, read: Read, make: Any, sentence: str) -> None:
    """A packed file is read as what it holds; what is packed in it decides whether it is known."""
    import bz2
    import lzma
    import sys
    from importlib import import_module

    zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    for name, pack in {"a.txt.gz": gzip.compress, "b.md.bz2": bz2.compress, "c.html.xz": lzma.compress, "d.csv.zst": zstd.compress}.items():
        content = f"id,text\nd,{sentence}\n" if ".csv" in name else make.page(sentence) if ".html" in name else sentence
        save(tmp_path, name, pack(content.encode()))
    save(tmp_path, "x.bin.gz", gzip.compress(b"x"))
    documents, problems = read(tmp_path)
    assert (set(documents), problems) == ({"a", "b", "c", "d"}, [])
    assert {document.body.content for document in documents.values()} == {sentence}
    assert problem(read, save(tmp_path, "cut.txt.zst", zstd.compress(sentence.encode())[:-4])) == ("cut.txt", "damaged")
