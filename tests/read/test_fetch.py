"""Fetching from a real server on this machine: politeness, bounds, conditional requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kg.model import Document, Problem
from kg.settings import Settings

Read = Callable[..., tuple[dict[str, Document], list[Problem]]]


@dataclass
class Site:
    """A server with its pages (status, headers, body), and the requests it got."""

    address: str = ""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests if path != "/robots.txt"]


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on a free port."""
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = made.pages.get(self.path, (404, {}, b""))
            if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                status, body = 304, b""
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.address = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    """Settings that let this machine be fetched from, without pauses."""
    return Settings().replace(fetch_private=True, fetch_pause=0, fetch_cache=str(tmp_path / "cache"), fetch_contact="desk@aubrecht.example")


def html(text: str) -> tuple[int, dict[str, str], bytes]:
    return (
        200,
        {"Content-Type": "text/html; charset=utf-8", "ETag": '"1"'},
        f"<html><body><article><p>{text}</p></article></body></html>".encode(),
    )


def test_page(site: Site, chosen: Settings, read: Read) -> None:
    """A page is called as its address; the request says who asks; what has not changed is not sent again."""
    site.pages["/a?x=1"] = html("Velmont makes bags.")
    address = f"{site.address}/a?x=1"
    for _ in range(2):
        documents, problems = read(address, settings=chosen)
        assert not problems
        assert {id: document.body.content for id, document in documents.items()} == {address: "Velmont makes bags."}
    (_, first), (_, second) = [request for request in site.requests if request[0] != "/robots.txt"]
    assert first["user-agent"].startswith("kg/")
    assert "desk@aubrecht.example" in first["user-agent"]
    assert (first.get("if-none-match"), second.get("if-none-match")) == (None, '"1"')
    assert list(read(address, settings=chosen, id="mine")[0]) == ["mine"]


def test_robots(site: Site, chosen: Settings, read: Read) -> None:
    """What robots.txt refuses is not asked for; one that can't be had refuses everything."""
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /private\n")
    site.pages["/a"], site.pages["/private/b"] = html("A."), html("B.")
    documents, [refused] = read(f"{site.address}/a", f"{site.address}/private/b", settings=chosen)
    assert list(documents) == [f"{site.address}/a"]
    assert (refused.document_id, refused.category) == (f"{site.address}/private/b", "robots")
    assert site.paths() == ["/a"]
    site.pages["/robots.txt"] = (503, {}, b"")
    assert read(f"{site.address}/a", settings=chosen)[1][0].category == "robots"


def test_private_addresses(site: Site, chosen: Settings, read: Read, tmp_path: Path) -> None:
    """Addresses of this machine and of private networks are not fetched unless a setting allows it."""
    site.pages["/a"] = html("A.")
    closed = chosen.replace(fetch_private=False)
    for address in (f"{site.address}/a", site.address.replace("127.0.0.1", "localhost") + "/a", "http://10.0.0.1/", "http://[::1]:9/"):
        assert [problem.category for problem in read(address, settings=closed)[1]] == ["private-address"]
    assert not site.requests


def test_what_fails(site: Site, chosen: Settings, read: Read) -> None:
    """Errors, endless redirects, redirects to elsewhere, too much and too slow an answer are problems with the address."""
    site.pages["/loop"] = (302, {"Location": "/loop"}, b"")
    site.pages["/file"] = (302, {"Location": "file:///etc/hostname"}, b"")
    site.pages["/big"] = (200, {"Content-Type": "text/plain"}, b"x" * 3000)
    site.pages["/cut"] = (200, {"Content-Type": "text/plain", "Content-Length": "50"}, b"x")
    site.pages["/picture"] = (200, {"Content-Type": "image/png"}, b"\x89PNG")
    site.pages["/ok"] = html("Fine.")
    site.pages["/moved"] = (301, {"Location": "/ok"}, b"")
    addresses = [f"{site.address}/{name}" for name in ("loop", "file", "big", "cut", "picture", "gone", "moved")]
    documents, problems = read(*addresses, settings=chosen.replace(fetch_bytes=2000))
    assert list(documents) == [f"{site.address}/moved"]
    assert {problem.document_id.rpartition("/")[2]: problem.category for problem in problems} == {
        "loop": "not-fetched",
        "file": "not-fetched",
        "big": "too-long",
        "cut": "not-fetched",
        "picture": "unknown-type",
        "gone": "not-fetched",
    }


def sitemap(*addresses: str, kind: str = "url") -> bytes:
    root = "urlset" if kind == "url" else "sitemapindex"
    listed = "".join(f"<{kind}><loc>{address}</loc></{kind}>" for address in addresses)
    return f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{root}>'.encode()


def test_sitemap(site: Site, chosen: Settings, read: Read, tmp_path: Path) -> None:
    """The pages of a sitemap are fetched, those of an index of sitemaps too; of a saved one only where the setting says so."""
    pages = {f"{site.address}/{name}": name for name in "abc"}
    site.pages.update({f"/{name}": html(f"Page {name} of Velmont.") for name in "abc"})
    xml = {"Content-Type": "application/xml"}
    site.pages["/sitemap.xml"] = (200, xml, sitemap(f"{site.address}/one.xml", f"{site.address}/gone.xml", kind="sitemap"))
    site.pages["/one.xml"] = (200, xml, sitemap(*pages))
    documents, [gone] = read(f"{site.address}/sitemap.xml", settings=chosen)
    assert set(documents) == set(pages)
    assert (gone.document_id, gone.category) == (f"{site.address}/gone.xml", "not-fetched")
    assert sorted(site.paths()) == ["/a", "/b", "/c", "/gone.xml", "/one.xml", "/sitemap.xml"]
    saved = tmp_path / "sitemap.xml"
    saved.write_bytes(sitemap(*pages))
    assert [problem.category for problem in read(saved, settings=chosen)[1]] == ["not-fetched"]
    assert set(read(saved, settings=chosen.replace(fetch_links=True))[0]) == set(pages)
    documents, [more] = read(saved, settings=chosen.replace(fetch_links=True, fetch_pages=2))
    assert (len(documents), more.category) == (2, "too-long")


def test_pauses(site: Site, chosen: Settings, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to one host are as far apart as the setting, or the robots.txt of the host, asks for."""
    import time

    slept: list[Any] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nCrawl-delay: 30\n")
    site.pages["/a"], site.pages["/b"] = html("A."), html("B.")
    read(f"{site.address}/a", f"{site.address}/b", settings=chosen.replace(fetch_pause=5.0))
    assert len(slept) == 2
    assert all(25 < seconds <= 30 for seconds in slept)
