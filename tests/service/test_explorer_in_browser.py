"""Explorer, query page and static site in a real browser."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.serving import make_server

from kg.export import load_exporter, write_file
from kg.export.view import Selection
from kg.settings import Settings
from kg.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
WIDTHS = (360, 1440)


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
def root(app: Flask) -> Iterator[str]:
    """Address of the app, served on this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def site(store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A static site of the store, as an address of files."""
    folder = tmp_path_factory.mktemp("site") / "site"
    write_file(load_exporter("site", Settings()), store, Selection(), folder)
    return folder.as_uri()


@dataclass
class Tab:
    """A page with what it complained of, and the hosts that it asked."""

    page: Any
    home: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append("a dialog opened"))
        self.page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.complaints.append(f"asked for {url}")

    def open(self, path: str) -> Any:
        self.page.goto(f"{self.home}{path}")
        self.wait()
        return self.page

    def wait(self) -> None:
        self.page.wait_for_selector("body[data-state=ready]", timeout=60_000)

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.fixture
def tab(browser: Any, root: str) -> Iterator[Tab]:
    """A wide window on the service, which must not have complained in the end."""
    found = Tab(browser.new_page(viewport={"width": 1440, "height": 900}), root)
    yield found
    found.page.close()
    assert found.complaints == []


@pytest.fixture
def disk(browser: Any, site: str) -> Iterator[Tab]:
    """The same on the static site."""
    found = Tab(browser.new_page(viewport={"width": 1440, "height": 900}), site)
    yield found
    found.page.close()
    assert found.complaints == []


def choose(tab: Tab, text: str) -> None:
    """Searches in the explorer and takes the first name."""
    tab.page.fill("#find", text)
    tab.page.wait_for_selector("#found button")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#detail h2")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/graph", "/sparql", "/sparql?query=SELECT+*+%7B%3Fs+%3Fp+%3Fo%7D+LIMIT+5", "/graph?about=Liv+Vane"])
def test_pages_fit_and_complain_of_nothing(browser: Any, root: str, width: int, path: str) -> None:
    tab = Tab(browser.new_page(viewport={"width": width, "height": 800}), root)
    tab.open(path)
    assert tab.fits()
    tab.page.close()
    assert tab.complaints == []


# -- explorer ---------------------------------------------------------------------------------------------------


def test_search_expands_what_is_not_loaded_yet(tab: Tab) -> None:
    """The names of the server are offered as well; choosing one loads it with its neighbours."""
    page = tab.open("/graph?about=Liv+Vane&hops=0")
    assert page.inner_text("#status").startswith("1 node")
    page.fill("#find", "maison ors")
    page.wait_for_selector("#found button:has-text('not loaded yet')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail h2:has-text('Maison Orsenne')")
    assert page.evaluate("kgGraph.getGraph().order") > 2
    page.locator("#detail li button", has_text="Liv Vane").first.click()
    page.locator("#detail .acts button", has_text="Expand").click()
    page.wait_for_selector("#status:has-text('around Liv Vane added')")


def test_an_edge_shows_its_sentence_which_leads_into_the_document(tab: Tab) -> None:
    """A click in the middle of the line between two entities."""
    page = tab.open("/graph?about=Liv+Vane")
    x, y = page.evaluate("""() => { const graph = kgGraph.getGraph();
      const edge = graph.findEdge((id) => graph.getEdgeAttribute(id, "label") === "ambassador of");
      const ends = graph.extremities(edge).map((id) => kgGraph.framedGraphToViewport(kgGraph.getNodeDisplayData(id)));
      const box = document.getElementById("canvas").getBoundingClientRect();
      return [box.left + (ends[0].x + ends[1].x) / 2, box.top + (ends[0].y + ends[1].y) / 2]; }""")
    page.mouse.move(x, y)
    page.wait_for_timeout(200)
    page.mouse.click(x, y)
    page.wait_for_selector("#detail blockquote")
    quote = page.locator("#detail blockquote").first.inner_text()
    assert "ambassador of" in page.inner_text("#detail")
    page.locator("#detail figcaption a").first.click()
    page.wait_for_url(re.compile("/resource/document/"))
    assert " ".join(quote.split()) in " ".join(page.inner_text("main").split())


def test_filters_hide_and_the_link_restores_them(tab: Tab, browser: Any, root: str) -> None:
    """Type, predicate and confidence; the address opens the same view elsewhere."""
    page = tab.open("/graph")
    whole = page.inner_text("#status")
    page.locator("#kinds label", has_text="Person").locator("input").uncheck()
    page.locator("#predicates label", has_text="launch date").locator("input").uncheck()
    narrowed = page.inner_text("#status")
    assert narrowed != whole
    assert page.locator("#rows tr", has_text="ambassador of").count() == 0
    choose(tab, "tidewell")
    again = Tab(browser.new_page(viewport={"width": 1440, "height": 900}), root)
    again.open(page.url.removeprefix(root))
    again.page.wait_for_selector("#detail h2:has-text('Tidewell')")
    assert again.page.inner_text("#status") == narrowed
    assert not again.page.locator("#kinds label", has_text="Person").locator("input").is_checked()
    again.page.close()
    assert again.complaints == []


def test_time_hides_facts_of_other_years(tab: Tab) -> None:
    page = tab.open("/graph")
    before = page.locator("#rows tr").count()
    page.locator("#undated").uncheck()
    page.evaluate("() => { const to = document.getElementById('to'); to.value = to.min; to.dispatchEvent(new Event('input')); }")
    assert 0 < page.locator("#rows tr").count() < before
    assert page.inner_text("#span").split(" – ")[0] == page.inner_text("#span").split(" – ")[1]


def test_a_path_between_two_entities_is_told_step_by_step(tab: Tab) -> None:
    page = tab.open("/graph?about=Noor+Marsh&hops=0")
    page.fill("#way-from", "Noor Marsh")
    page.fill("#way-to", "Liv Vane")
    page.locator("#way button").click()
    page.wait_for_selector("#detail ol li")
    assert page.locator("#detail ol li").count() >= 2
    assert "2 steps" in page.inner_text("#detail")
    assert page.locator("#detail ol blockquote").count() >= 2
    assert "way=" in page.url


def test_pictures_are_downloaded(tab: Tab, tmp_path: Path) -> None:
    """A PNG that is not empty, and an SVG whose names are text."""
    page = tab.open("/graph?about=Liv+Vane")
    found = {}
    for kind in ("png", "svg"):
        with page.expect_download() as waited:
            page.locator(f"#{kind}").click()
        found[kind] = tmp_path / waited.value.suggested_filename
        waited.value.save_as(found[kind])
    assert found["png"].read_bytes().startswith(b"\x89PNG")
    assert len(found["png"].read_bytes()) > 10_000
    assert "Liv Vane" in found["svg"].read_text(encoding="utf-8")
    assert "<circle" in found["svg"].read_text(encoding="utf-8")


def test_the_list_is_used_by_keyboard(tab: Tab) -> None:
    page = tab.open("/graph?about=Liv+Vane")
    page.locator("#list summary").focus()
    page.keyboard.press("Enter")
    page.locator("#rows button").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.inner_text("#detail h2")


def test_markup_in_names_is_text(tab: Tab, hostile: Any) -> None:
    page = tab.open("/graph")
    choose(tab, "bobby")
    assert page.inner_text("#detail h2") == hostile.person
    assert page.locator("#detail script").count() == 0


def test_what_a_construct_gives_is_drawn(tab: Tab) -> None:
    query = "CONSTRUCT { ?b <http://x.example/hasFace> ?p } WHERE { ?p kg:ambassadorOf ?b }"
    page = tab.open(f"/graph?{urlencode({'query': query})}")
    assert "hasFace" in page.inner_text("#predicates")
    assert page.evaluate("kgGraph.getGraph().size") > 1


# -- query page -------------------------------------------------------------------------------------------------


def write(tab: Tab, query: str) -> None:
    """Types a query into the editor, in place of what is there."""
    tab.page.evaluate("kgEditor.focus()")
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.press("Delete")
    tab.page.keyboard.insert_text(query)
    tab.page.keyboard.press("Escape")


def test_an_example_runs_and_is_shown_as_table_chart_and_text(tab: Tab) -> None:
    page = tab.open("/sparql")
    page.select_option("#example", "brands-by-country")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#view table tbody tr")
    assert "query=" in page.url
    page.get_by_role("tab", name="Chart").click()
    assert page.locator(".bar").count() > 0
    page.get_by_role("tab", name="Raw").click()
    assert '"bindings"' in page.inner_text("#view")


def test_predicates_and_names_are_completed(tab: Tab) -> None:
    page = tab.open("/sparql")
    write(tab, "SELECT * WHERE { ?p ")
    page.keyboard.type("kg:amb")
    page.wait_for_selector(".cm-tooltip-autocomplete li:has-text('kg:ambassadorOf')")
    page.wait_for_timeout(200)  # an option is taken from 75 ms on
    page.keyboard.press("Enter")
    page.keyboard.type(" Tidew")
    page.wait_for_selector(".cm-tooltip-autocomplete li:has-text('Tidewell')")
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    page.keyboard.type(" }")
    assert "?p kg:ambassadorOf <resource/brand/tidewell>" in page.evaluate("kgEditor.state.doc.toString()")
    page.click("#run")
    page.wait_for_selector("#view table tbody tr")


def test_an_error_is_marked_in_its_line(tab: Tab) -> None:
    page = tab.open("/sparql")
    write(tab, "SELECT * WHERE {\n  ?s ?p ?o .\n  ?s & ?o\n}")
    page.click("#run")
    page.wait_for_selector(".cm-lint-marker-error")
    assert page.inner_text("#fault").startswith("line 3, column ")
    line = page.locator(".cm-lineNumbers .cm-gutterElement", has_text="3").bounding_box()["y"]
    assert abs(page.locator(".cm-lint-marker-error").bounding_box()["y"] - line) < 20
    tab.complaints[:] = [each for each in tab.complaints if "400" not in each]  # the browser reports the status, too


def test_a_link_to_a_query_shows_its_answer_and_the_graph_of_a_construct(tab: Tab) -> None:
    query = "CONSTRUCT { ?p kg:ambassadorOf ?b } WHERE { ?p kg:ambassadorOf ?b }"
    page = tab.open(f"/sparql?{urlencode({'query': query})}")
    page.wait_for_selector("#view table tbody tr")
    assert "triples" in page.inner_text("#count")
    page.click("a.draw")
    tab.wait()
    assert page.evaluate("kgGraph.getGraph().size") > 1


def test_the_query_page_works_without_scripts(browser: Any, root: str) -> None:
    """The text field and the server's table."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{root}/sparql")
    page.fill("#query", "SELECT ?name WHERE { ?p a kg:Person ; rdfs:label ?name }")
    page.click("text=Run")
    assert page.locator("#served tbody tr", has_text="Liv Vane").count() == 1
    page.goto(f"{root}/graph?about=Liv+Vane")
    assert page.locator("#canvas").is_hidden()
    page.locator("#list summary").click()
    assert page.locator("#rows a", has_text="Liv Vane").first.is_visible()
    context.close()


# -- static site ------------------------------------------------------------------------------------------------


def test_the_site_is_walked_from_disk(disk: Tab) -> None:
    """Search, entity, sentence, document, graph, query: no server, no other host."""
    page = disk.page
    page.goto(f"{disk.home}/index.html")
    page.fill("input[name=q] >> visible=true", "liv v")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hits a")
    page.locator("#hits a", has_text="Liv Vane").first.click()
    assert page.inner_text("h1") == "Liv Vane"
    page.locator("summary", has_text="sentence").first.click()
    quote = page.locator("blockquote").first.inner_text()
    page.locator("figcaption a").first.click()
    assert " ".join(quote.split()) in " ".join(page.inner_text("main").split())
    page.locator("nav a", has_text="Graph").click()
    disk.wait()
    choose(disk, "tidewell")
    page.locator("#detail a", has_text="Page").click()
    assert page.inner_text("h1") == "Tidewell"
    page.locator("nav a", has_text="Query").click()
    disk.wait()
    write(disk, "SELECT ?p ?name WHERE { ?p kg:ambassadorOf <resource/brand/tidewell> ; rdfs:label ?name }")
    page.click("#run")
    page.wait_for_selector("#view table tbody tr", timeout=60_000)
    assert {row.inner_text() for row in page.locator("#view tbody tr td:nth-child(2)").all()} == {"Liv Vane", "Noor Marsh"}
    page.locator("#view tbody a").first.click()
    assert page.inner_text("h1") in ("Liv Vane", "Noor Marsh")


def test_the_site_draws_constructs_and_marks_errors(disk: Tab) -> None:
    page = disk.open("/query.html")
    write(disk, "SELECT * WHERE {\n  ?s & ?o }")
    page.click("#run")
    page.wait_for_selector(".cm-lint-marker-error", timeout=60_000)
    assert page.inner_text("#fault").startswith("line 2, column ")
    write(disk, "CONSTRUCT { ?p kg:ambassadorOf ?b } WHERE { ?p kg:ambassadorOf ?b }")
    page.click("#run")
    page.wait_for_selector("a.draw", timeout=60_000)
    page.click("a.draw")
    disk.wait()
    assert page.evaluate("kgGraph.getGraph().size") > 1
    page.fill("#way-from", "Noor Marsh")
    page.fill("#way-to", "Liv Vane")
    page.locator("#way button").click()
    page.wait_for_selector("#detail ol li")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_kind_of_page_of_the_site_fits(browser: Any, site: str, width: int) -> None:
    tab = Tab(browser.new_page(viewport={"width": width, "height": 800}), site)
    for path in ("/index.html", "/documents.html", "/ontology.html", "/person/liv-vane.html", "/search.html?q=fashion"):
        tab.page.goto(f"{site}{path}")
        tab.page.wait_for_timeout(100)
        assert tab.fits(), path
    tab.page.close()
    assert tab.complaints == []
