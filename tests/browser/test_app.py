"""The MCP App in a browser, in the frame of a small host that speaks the extension's protocol and sets its restrictive policy."""

import json
import re
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp import Client
from mcp.client.extension import advertise

from mcp_memory.server.apps import ATTEMPT, EXTENSION, MIME_TYPE
from tests.browser.conftest import Site

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.timeout(110)
# What a host must set for a view that declares no domains (specification/2026-01-26/apps.mdx, Host Behavior).
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' data:; connect-src 'none'"
)
HOST, FRAME = "http://host.test/", "http://sandbox.test/"
PAGE = """<!doctype html><title>A host</title><iframe id="view" sandbox="allow-scripts" width="900" height="600"></iframe><script>
const frame = document.getElementById("view"), heard = [];
window.addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow) return;
  const message = event.data;
  heard.push(message);
  const say = (said) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...said }, "*");
  if (message.method === "ui/initialize") {
    say({ id: message.id, result: { protocolVersion: "2026-01-26", hostInfo: { name: "host", version: "1" }, hostCapabilities: {},
      hostContext: { theme: THEME, displayMode: "inline" } } });
  } else if (message.method === "ui/notifications/initialized") {
    say({ method: "ui/notifications/tool-input", params: { arguments: {} } });
    say({ method: "ui/notifications/tool-result", params: RESULT });
    say({ id: 77, method: "ping" });
    say({ id: 78, method: "ui/resource-teardown", params: { reason: "over" } });
  }
});
frame.src = FRAME;
</script>"""


def asked(site: Site, episode_id: str) -> tuple[str, dict[str, Any]]:
    """Return the view's document and the result of a call, as a host gets them."""

    async def ask() -> tuple[str, dict[str, Any]]:
        shows = [advertise(EXTENSION, {"mimeTypes": [MIME_TYPE]})]
        async with Client(f"{site.server.url}/mcp", extensions=shows) as client:
            (contents,) = (await client.read_resource(ATTEMPT)).contents
            result = await client.call_tool("get_episode", {"episode_id": episode_id})
            return getattr(contents, "text", ""), result.model_dump(by_alias=True, mode="json", exclude_none=True)

    from concurrent.futures import ThreadPoolExecutor  # the driver runs an event loop of its own in this thread

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, ask).result()


def shown(browser: "BrowserContext", site: Site, name: str, theme: str = "dark") -> tuple["Page", list[str]]:
    """Return a page with the view of an attempt in it, and what went wrong on it."""
    document, result = asked(site, site.ids[name])
    values = {"THEME": theme, "RESULT": result, "FRAME": FRAME}
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url in (HOST, FRAME) else said.append(f"asked for {request.url}"))
    text = re.sub("|".join(values), lambda found: json.dumps(values[found[0]]).replace("<", "\\u003c"), PAGE)
    page.route(HOST, lambda route: route.fulfill(body=text, content_type="text/html"))
    page.route(FRAME, lambda route: route.fulfill(body=document, content_type="text/html", headers={"Content-Security-Policy": POLICY}))
    page.goto(HOST)
    page.frame_locator("#view").locator("h1").wait_for()
    return page, said


def test_a_host_shows_the_fork_and_the_steps_and_the_view_answers_it(browser: "BrowserContext", site: Site) -> None:
    page, said = shown(browser, site, "bad")
    view = page.frame_locator("#view")
    assert "failures part here" in view.locator("table.fork").inner_text()
    assert view.locator("ol.timeline > li").count() == 3
    page.wait_for_function("heard.some((m) => m.id === 78) && heard.some((m) => m.method === 'ui/notifications/size-changed')")
    heard = page.evaluate("heard")
    assert [m["method"] for m in heard if "method" in m][:1] == ["ui/initialize"]
    assert [m["result"] for m in heard if m.get("id") in (77, 78)] == [{}, {}]
    assert view.locator("html").get_attribute("data-theme") == "dark"
    view.locator("summary").first.press("Enter")
    assert said == []
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_view_is_accessible_and_a_hostile_attempt_is_inert_in_it(browser: "BrowserContext", site: Site, axe: str, theme: str) -> None:
    for name in ("bad", "hostile"):
        page, said = shown(browser, site, name, theme)
        frame = next(frame for frame in page.frames if frame.url == FRAME)
        assert frame.evaluate("window.pwned") is None
        assert frame.locator("h1").is_visible()
        assert said == []
        frame.evaluate(f"() => {{ {axe} }}")  # as the driver's own script, beside the view's policy
        found = frame.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [f"{name}: {rule['id']}" for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
        assert serious == []
        page.close()
