"""Every page in a real browser: no complaint, no other host, no page wider than the window, nothing that axe-core finds serious.

Screenshots of every page lie in the folder of this run (``--basetemp DIR``, folder ``screenshots``).
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.serving import make_server

from kg.service import create_app
from kg.settings import Settings
from kg.store import Store

# Werkzeug leaves a static file to the garbage collector when the browser has it already.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed file:ResourceWarning")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
TOKEN = "secret"
OPEN = "document.querySelectorAll('main details').forEach(each => { each.open = true; })"
PAGES = {
    "home": "/",
    "documents": "/documents",
    "document": "/documents/orsenne-vane-face",
    "entity": "/resource/brand/maison-orsenne",
    "conflict": "/resource/product/carrel-bag",
    "group": "/resource/person/liv-vane?facts=ambassadorOf",
    "search": "/search?q=vane",
    "ontology": "/ontology",
    "validation": "/validation",
    "checked": "/validation?check",
    "review": "/review",
    "query": "/queries/ambassadors-of-brand?brand=Tidewell",
    "new": "/documents/new",
    "export": "/export",
    "missing": "/resource/nothing",
}
NASTY = ("/", "/documents/nasty", "/resource/person/n0", "/resource/person/n2", "/resource/brand/n5", "/validation", "/review")


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


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go."""
    return tmp_path_factory.mktemp("screenshots", numbered=False)


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def served(app: Flask) -> Iterator[str]:
    """The address of an app on loopback, for as long as it is used."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    """A site of the annotated documents."""
    yield from served(create_app(store, Settings().replace(token=TOKEN)))


@pytest.fixture
def nasty_address(nasty_store: Store) -> Iterator[str]:
    """A site of nasty names, which takes decisions."""
    yield from served(create_app(nasty_store, Settings().replace(token=TOKEN, agent="ann")))


@dataclass
class Tab:
    """A page with what it complained of and the hosts that it asked."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append("a dialog opened"))
        self.page.on("request", lambda request: self.hosts.add(re.sub(r"^(\w+://[^/]*).*", r"\1", request.url)))

    def close(self, address: str, *, expected: str = "") -> None:
        """Closes the page; nothing may have been complained of but what is expected."""
        self.page.close()
        assert [each for each in self.complaints if not expected or expected not in each] == []
        assert self.hosts == {address}


def tab(browser: Any, width: int = 1440, **options: Any) -> Tab:
    return Tab(browser.new_page(viewport={"width": width, "height": 900}, **options))


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_every_page_fits_and_has_no_serious_fault(width: int, scheme: str, browser: Any, address: str, axe: str, screenshots: Path) -> None:
    """In light and dark, on a phone and on a screen: no horizontal scrolling, no complaint, no other host, axe-core content."""
    faults = []
    for name, path in PAGES.items():
        seen = tab(browser, width, color_scheme=scheme)
        seen.page.goto(address + path)
        seen.page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
        seen.page.evaluate(OPEN)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, name
        seen.page.evaluate(axe)
        found = seen.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        faults += [(name, each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"]) for each in serious]
        seen.close(address, expected="404" if name == "missing" else "")
    assert faults == []


def test_search_leads_to_entity_sentence_and_document(browser: Any, address: str) -> None:
    """By suggestion and by keyboard; the sentence that a fact opens lights up at its place in the document, and its fact beside it."""
    seen = tab(browser)
    page = seen.page
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("maison o")
    page.locator("[role=option]").first.wait_for()
    assert page.locator("main input[type=search]").get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/resource/brand/maison-orsenne")
    page.locator(".facts summary", has_text="Liv Vane").first.click()
    page.locator(".facts details[open] figcaption a").first.click()
    page.wait_for_url("**/resource/document/*#*")
    assert page.locator("mark.aimed").count() >= 1
    assert page.locator("mark.aimed").first.is_visible()
    page.locator("mark.aimed").first.hover()
    assert page.locator(".stated li.lit").count() >= 1
    page.locator(".stated li").nth(2).hover()
    assert page.locator("mark.lit").count() >= 1
    seen.close(address)


def test_pages_read_without_a_script(browser: Any, address: str) -> None:
    """Search by button, open a fact, follow it into the document, go from the text to the fact."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.fill("main input[type=search]", "liv vane")
    page.locator("main button", has_text="Search").click()
    page.locator("main a", has_text="Liv Vane").first.click()
    page.locator(".facts summary").first.click()
    page.locator(".facts details[open] figcaption a").first.click()
    page.locator(".text .ref").first.click()
    assert re.search(r"#fact-\d+$", page.url)
    context.close()


def test_the_first_key_leads_to_the_content(browser: Any, address: str) -> None:
    """The skip link is what Tab reaches first."""
    seen = tab(browser)
    seen.page.goto(address + "/documents")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to content"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.tagName") == "MAIN"
    seen.close(address)


def test_decisions_by_key(browser: Any, nasty_address: str, nasty_store: Store) -> None:
    """With the token typed in once, a key decides the entity that has the focus, and the next one after it."""
    seen = tab(browser)
    page = seen.page
    page.goto(nasty_address + "/review")
    first, second = (button.get_attribute("value").partition(" - ")[2] for button in page.locator("[data-key=n]").all()[:2])
    page.fill("#token", TOKEN)
    page.locator("h1").click()
    page.keyboard.press("n")
    page.get_by_role("status").wait_for()
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("2")
    page.get_by_text(f"{second} is not").wait_for()
    seen.close(nasty_address)
    assert [(each.kind, each.arguments[0]) for each in nasty_store.ledger.corrections()] == [("no-link", first), ("unlink", second)]


@pytest.mark.parametrize("width", [360, 1440])
def test_nasty_names_do_nothing(width: int, browser: Any, nasty_address: str, screenshots: Path) -> None:
    """No dialog, no request, no page that is wider than the window; suggestions show names as they are."""
    for number, path in enumerate(NASTY):
        seen = tab(browser, width)
        seen.page.goto(nasty_address + path)
        seen.page.evaluate(OPEN)
        seen.page.screenshot(path=screenshots / f"nasty-{number}-{width}.png", full_page=True)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path
        seen.close(nasty_address)
    seen = tab(browser, width)
    seen.page.goto(f"{nasty_address}/search?q={quote('x')}")
    seen.page.fill("header input[type=search]", "script")
    seen.page.locator("[role=option]").first.wait_for()
    assert '<script>alert("1")</script>' in seen.page.locator("[role=option]").all_inner_texts()[0]
    seen.close(nasty_address)
