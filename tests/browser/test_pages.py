"""Every page in a browser: nothing overflows or is fetched elsewhere, axe finds nothing serious, hostile texts are inert; and the flows."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import pytest
from mcp import Client

from tests.browser.conftest import TASK, Site

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Dialog, Page

pytestmark = pytest.mark.timeout(110)
WIDTHS = (390, 1280, 1920)
THEMES = ("light", "dark")


def opened(browser: "BrowserContext", site: Site, path: str) -> "Page":
    page = browser.new_page()
    page.goto(site.server.url + path)
    return page


def recalled(site: Site, query: str) -> str:
    """Return what an agent is told, by MCP over HTTP."""

    async def ask() -> str:
        async with Client(f"{site.server.url}/mcp") as client:
            result = await client.call_tool("recall", {"query": query, "project": "shop"})
            return "\n".join(getattr(part, "text", "") for part in result.content)

    # The driver runs an event loop of its own in this thread.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, ask).result()


def test_every_page_fits_stays_at_home_and_runs_nothing_of_what_is_stored(browser: "BrowserContext", site: Site) -> None:
    page = browser.new_page()
    elsewhere: list[str] = []
    said: list[str] = []

    def refused(dialog: "Dialog") -> None:
        said.append(dialog.message)
        dialog.dismiss()

    home = urlsplit(site.server.url).netloc
    page.on("request", lambda request: None if urlsplit(request.url).netloc == home else elsewhere.append(request.url))
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}") if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("dialog", refused)
    for path in site.pages:
        page.goto(site.server.url + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0, f"{path} at {width} px is {over} px too wide"
        assert page.evaluate("window.pwned") is None
        assert page.locator("main").is_visible()
    assert elsewhere == []
    assert [text for text in said if "404" not in text] == []
    page.close()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_on_any_page(browser: "BrowserContext", site: Site, axe: str, theme: Any) -> None:
    page = browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme=theme)
    found = []
    for path in site.pages:
        page.goto(site.server.url + path)
        page.evaluate(axe)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for rule in result["violations"]:
            if rule["impact"] in ("serious", "critical"):
                found += [f"{path}: {rule['id']}: {node['html'][:160]}" for node in rule["nodes"][:2]]
    assert found == []
    page.close()


def test_a_link_works_once(browser: "BrowserContext", site: Site) -> None:
    link = site.server.link(folder=str(site.repository), project="shop")
    page = browser.new_page()
    page.goto(link)
    assert page.url.endswith("/ui")
    page.goto(link)
    assert "used already" in page.inner_text("main")
    page.close()


def test_ask_then_wrong_then_instead_is_what_the_agent_is_told_next(browser: "BrowserContext", site: Site) -> None:
    page = opened(browser, site, "/ui/ask")
    page.fill("main input[name=q]", TASK)
    page.click("main button:has-text('Ask')")
    page.wait_for_selector(".told summary:has-text('Wrong')")
    page.locator("summary:has-text('Wrong')").first.click()
    page.locator("textarea[name=instead]").first.fill("Start the database first.")
    page.locator("button:has-text('Say so')").first.click()
    page.wait_for_selector(".notice:has-text('Corrected')")
    assert "Corrected by a person: Start the database first." in page.inner_text("main")
    assert "Corrected by a person: Start the database first." in recalled(site, TASK)
    page.close()


def test_a_lesson_goes_into_agents_md_and_back(browser: "BrowserContext", site: Site) -> None:
    file = site.repository / "AGENTS.md"
    file.write_text("# Rules\n", encoding="utf-8")
    page = opened(browser, site, f"/ui/fork/{site.ids['bad']}")
    assert "failures part here" in page.inner_text("table.fork")
    page.fill("#lesson", "Migrate before the first run.")
    page.click("button:has-text('Put into AGENTS.md')")
    page.wait_for_selector(".kept")
    assert "- Migrate before the first run." in file.read_text(encoding="utf-8")
    page.click(".notice button:has-text('Undo')")
    page.wait_for_selector(".notice:has-text('taken out')")
    assert file.read_text(encoding="utf-8") == "# Rules\n"
    page.fill("#lesson", "Migrate before the first run.")
    page.click("button:has-text('Keep as lesson')")
    page.wait_for_selector(".notice:has-text('Kept')")
    page.close()


def test_label_then_forget_then_undo(browser: "BrowserContext", site: Site) -> None:
    page = opened(browser, site, "/ui/attempts?state=open")
    page.click("a.row:has-text('still open')")
    page.select_option("#outcome", "failure")
    page.click("button:has-text('Say so')")
    page.wait_for_selector(".notice:has-text('counts as failure')")
    page.click("a:has-text('Forget…')")
    page.click("button:has-text('Forget it')")
    page.wait_for_selector(".notice:has-text('Forgotten')")
    assert page.locator("a.row:has-text('still open')").count() == 0
    page.click(".notice button:has-text('Undo')")
    page.wait_for_selector(".notice:has-text('It is back')")
    assert page.locator("a.row:has-text('still open')").count() == 1
    page.close()


def test_the_keyboard_reaches_the_content_first_and_every_control_shows_focus(browser: "BrowserContext", site: Site) -> None:
    page = opened(browser, site, f"/ui/fork/{site.ids['bad']}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.close()
