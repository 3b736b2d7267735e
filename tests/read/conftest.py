"""What the tests of the readers share."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from kg.model import Document, Problem
from kg.read import read_paths
from kg.settings import Settings

SENTENCE = "Velmont has appointed Liora Quent as its new ambassador."

Sorted = tuple[dict[str, Document], list[Problem]]


@pytest.fixture
def data() -> Path:
    """Folder of the files that the tests read; all were invented for them."""
    return Path(__file__).parents[1] / "data" / "read"


@pytest.fixture
def read() -> Callable[..., Sorted]:
    """Reads paths: documents by id, and problems."""

    def run(*paths: object, settings: Settings | None = None, **options: object) -> Sorted:
        return sort_out(read_paths([str(path) for path in paths], settings or Settings(), **options))

    return run


def sort_out(items: Iterable[Document | Problem]) -> Sorted:
    listed = list(items)
    documents = [item for item in listed if isinstance(item, Document)]
    assert len({document.id for document in documents}) == len(documents)
    return {document.id: document for document in documents}, [item for item in listed if isinstance(item, Problem)]


class Make:
    """Makes files of every format, of what tests want them to say."""

    @staticmethod
    def pdf(*pages: Sequence[str], info: Mapping[str, str] | None = None) -> bytes:
        """A PDF file: a page for each sequence of lines, 14 points apart; an empty line widens the distance."""
        objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
        objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
        told = "".join(f"/{name} ({value})" for name, value in (info or {}).items())
        objects.append(f"<< {told} >>".encode("latin-1"))
        kids = []
        for lines in pages:
            drawn = " T* ".join(f"({line}) Tj" for line in lines)
            stream = f"BT /F1 12 Tf 14 TL 72 720 Td {drawn} ET".encode("cp1252")
            objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
            number = len(objects)
            page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            objects.append(page.encode())
            kids.append(f"{number + 1} 0 R")
        objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
        out, places = bytearray(b"%PDF-1.7\n"), []
        for number, content in enumerate(objects, start=1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"trailer << /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
        return bytes(out)

    @staticmethod
    def docx(*paragraphs: str, **properties: object) -> bytes:
        """A Word document."""
        import docx

        word = docx.Document()
        for paragraph in paragraphs:
            word.add_paragraph(paragraph)
        for name, value in properties.items():
            setattr(word.core_properties, name, value)
        out = io.BytesIO()
        word.save(out)
        return out.getvalue()

    @staticmethod
    def zip(members: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """A ZIP file."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", compression) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return out.getvalue()

    @classmethod
    def epub(cls, *chapters: str, told: str = "", **more: str) -> bytes:
        """A book of chapters of HTML, with elements of Dublin Core in its package file."""
        items = "".join(f'<item id="c{n}" href="text/c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters)))
        spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
        package = (
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"{told}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
        )
        container = (
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
        )
        pages = {f"OPS/text/c {n}.xhtml": f"<html><body>{chapter}</body></html>" for n, chapter in enumerate(chapters)}
        first = {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "OPS/book.opf": package}
        return cls.zip({**first, **pages, **more})

    @staticmethod
    def warc(
        *pages: tuple[str, str], packed: bool = False, kind: str = "response", status: str = "200 OK", media: str = "text/html"
    ) -> bytes:
        """A web archive of addresses and their pages (WARC 1.0), each record packed by itself."""
        out = b""
        for number, (address, content) in enumerate(pages):
            body = content.encode()
            if kind == "response":
                body = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n\r\n".encode() + body
            head = (
                f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{number:032x}>\r\nWARC-Date: 2024-01-24T10:00:00Z\r\n"
                f"WARC-Target-URI: {address}\r\nContent-Length: {len(body)}\r\n"
                f"Content-Type: {'application/http; msgtype=response' if kind == 'response' else media}\r\n\r\n"
            )
            record = head.encode() + body + b"\r\n\r\n"
            out += gzip.compress(record, mtime=0) if packed else record
        return out

    @staticmethod
    def page(text: str, head: str = "") -> str:
        """A web page with an article."""
        return f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>"

    @staticmethod
    def rss(*items: str) -> bytes:
        """An RSS feed."""
        about = "<title>Aubrecht Daily</title><language>en-gb</language>"
        dc = "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:content='http://purl.org/rss/1.0/modules/content/'"
        return f"<?xml version='1.0'?><rss version='2.0' {dc}><channel>{about}{''.join(items)}</channel></rss>".encode()

    @classmethod
    def samples(cls, folder: Path) -> list[Path]:
        """A file of each format, all of which can be read."""
        item = f"<item><title>Quent</title><link>https://aubrecht.example/1</link><description>{SENTENCE}</description></item>"
        content: dict[str, bytes] = {
            "a.pdf": cls.pdf([SENTENCE]),
            "b.docx": cls.docx(SENTENCE),
            "c.epub": cls.epub(f"<p>{SENTENCE}</p>"),
            "d.eml": f"From: Ada Holm <ada@holm.example>\nSubject: News\n\n{SENTENCE}\n".encode(),
            "e.rss": cls.rss(item),
            "f.csv": f'id,text\nf-1,"{SENTENCE}"\n'.encode(),
            "g.warc": cls.warc(("https://aubrecht.example/2", cls.page(SENTENCE))),
            "h.zip": cls.zip({"news/1.txt": SENTENCE}),
        }
        for name, each in content.items():
            (folder / name).write_bytes(each)
        return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def make() -> type[Make]:
    """Makes files of every format."""
    return Make


@pytest.fixture(scope="session")
def sentence() -> str:
    """What the samples say."""
    return SENTENCE


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of the test data, and one of every format made anew."""
    kept = Path(__file__).parents[1] / "data" / "read"
    return [*sorted(kept.iterdir()), *Make.samples(tmp_path_factory.mktemp("samples"))]
