"""The HTML file in a real browser, opened from disk."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kg.export import load_exporter
from kg.export.view import Selection
from kg.settings import Settings
from kg.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def written(store: Store, path: Path) -> Path:
    with path.open("wb") as stream:
        load_exporter("html", Settings())(store, Selection(), stream)
    return path


@dataclass
class Tab:
    """A page with what it complained of, and what it asked for but its own file."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, file: Path) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("body[data-state=ready]", timeout=60_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    with sync.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield found
        found.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_works_from_disk_and_asks_no_host(width: int, store: Store, browser: Any, tmp_path: Path) -> None:
    """Search leads to the facts and their sentences, a fact to the entity at its other end; nothing is wider than the window."""
    file = written(store, tmp_path / "graph.html")
    tab = Tab(browser.new_page(viewport={"width": width, "height": 800}))
    tab.open(file)
    page = tab.page
    assert page.locator("#graph canvas").count() > 3
    page.fill("#search", "liv v")
    page.locator("#found button").first.click()
    assert page.locator("#facts h2").inner_text() == "Liv Vane"
    assert page.locator("#facts blockquote").count() > 1
    page.locator("#facts li button", has_text="Maison Orsenne").first.click()
    assert page.locator("#facts h2").inner_text() == "Maison Orsenne"
    page.locator("#legend input").first.uncheck()
    page.locator("#all").click()
    assert page.locator("#facts h2").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]


def test_a_click_on_a_node_shows_its_facts_and_a_drag_moves_it(store: Store, browser: Any, tmp_path: Path) -> None:
    """Somewhere on the canvas is a node; the wheel zooms without a complaint."""
    tab = Tab(browser.new_page(viewport={"width": 1200, "height": 800}))
    tab.open(written(store, tmp_path / "graph.html"))
    page = tab.page
    page.fill("#search", "maison orsenne")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    page.locator("#all").click()  # the camera is back, nothing is chosen
    page.fill("#search", "maison orsenne")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    box = page.locator("#graph").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2  # the chosen node is in the middle
    before = page.screenshot()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)  # sigma takes a click that comes within 0.3 s for a double click
    assert page.screenshot() != before
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + 5)  # the empty corner
    page.wait_for_timeout(400)
    assert page.locator("#facts h2").count() == 0
    page.mouse.click(x + 90, y + 40)  # where the node was put
    page.wait_for_timeout(400)
    assert page.locator("#facts h2").inner_text() == "Maison Orsenne"
    page.mouse.wheel(0, -300)
    page.close()
    assert tab.complaints == []


def test_markup_in_names_and_sentences_is_text(hostile: Any, browser: Any, tmp_path: Path) -> None:
    """No dialog opens, no element comes of a name, and the name is shown as it is."""
    tab = Tab(browser.new_page(viewport={"width": 1200, "height": 800}))
    tab.page.on("dialog", lambda dialog: tab.complaints.append("a dialog opened"))
    tab.open(written(hostile.store, tmp_path / "hostile.html"))
    page = tab.page
    page.fill("#search", "bobby")
    page.keyboard.press("Enter")
    assert page.locator("#facts h2").inner_text() == hostile.person
    assert hostile.quote in page.locator("#facts blockquote").all_inner_texts()
    assert page.locator("script:not([type])").count() == 4
    page.close()
    assert tab.complaints == []


def test_only_our_scripts_may_run(hostile: Any) -> None:
    """The policy names each script by its hash; data has no character that could begin markup."""
    stream = io.BytesIO()
    load_exporter("html", Settings())(hostile.store, Selection(), stream)
    text = stream.getvalue().decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    (data,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert not set("<>&\u2028\u2029") & set(data)
    assert not re.findall(r"""(?:src|href)=["']https?:""", text.partition("<script>")[0])
