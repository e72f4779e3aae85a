"""Who gets in, and what a request must carry to change anything."""

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from mcp_memory.config import Config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.pages import entering
from mcp_memory.pages.part import PagesPart
from tests.unit.pages.conftest import URL, Host, Visitor, attempt

pytestmark = pytest.mark.anyio


def scope_of(path: str, cookie: str = "") -> dict[str, Any]:
    return {"type": "http", "path": path, "server": ("127.0.0.1", 8765), "headers": [(b"cookie", cookie.encode())]}


def test_a_link_lets_in_once_and_in_time() -> None:
    now = [1_000.0]
    server, tickets = entering.Server(URL, "secret", 1), entering.Tickets("secret", lambda: now[0])
    ticket = server.link(folder="/w", project="p", now_s=now[0]).partition("ticket=")[2]
    assert tickets.take(ticket) == entering.Visitor("/w", "p")
    assert tickets.take(ticket) is None
    late = server.link(now_s=now[0]).partition("ticket=")[2]
    now[0] += entering.TICKET_S + 1
    assert tickets.take(late) is None


@pytest.mark.parametrize("ticket", ["", "x", "é", "AAAA", "A" * 400, "%00"])
def test_what_is_no_ticket_lets_nobody_in(ticket: str) -> None:
    assert entering.Tickets("secret").take(ticket) is None


def test_a_ticket_of_another_process_lets_nobody_in() -> None:
    assert entering.Tickets("other").take(entering.Server(URL, "secret", 1).link().partition("ticket=")[2]) is None


async def test_the_file_that_lets_in_is_its_owners_and_does_not_show_the_secret(part: PagesPart, config: Config) -> None:
    assert (config.data_dir / entering.FILE_NAME).stat().st_mode & 0o077 == 0
    found = entering.announced(config.data_dir)
    assert found is not None
    assert found.secret not in repr(found)
    entering.withdraw(config.data_dir)
    assert entering.announced(config.data_dir) is None


@pytest.mark.parametrize("path", ["/ui", "/ui/fork", "/ui/attempts", "/ui/attempt/x", "/ui/nothing", "/ui/enter?ticket=old"])
async def test_a_stranger_gets_a_page_that_says_how_to_come_in(stranger: httpx2.AsyncClient, path: str) -> None:
    response = await stranger.get(path)
    assert response.status_code == 401
    assert "mcp-memory ui" in response.text


async def test_the_cookie_is_for_the_browser_alone_and_for_these_pages(
    stranger: httpx2.AsyncClient, part: PagesPart, config: Config
) -> None:
    server = entering.announced(config.data_dir)
    assert server is not None
    response = await stranger.get(server.link())
    cookie = response.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/ui", "mcp_memory_ui_8765="))
    value = cookie.partition(";")[0]
    assert part.admits(scope_of("/ui", value))
    assert not part.admits(scope_of("/mcp", value))
    assert not part.admits(scope_of("/uix", value))
    assert not part.admits(scope_of("/ui", value + "x"))
    assert part.is_open(scope_of("/ui"))
    assert not part.is_open(scope_of("/mcp"))


async def test_every_answer_forbids_other_hosts_and_inline_scripts(visitor: Visitor) -> None:
    for path in ("/ui", "/ui/nothing", "/ui/static/pages.css"):
        headers = (await visitor.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["referrer-policy"] == "same-origin"


async def test_no_page_names_another_host_or_holds_a_script_or_style_of_its_own(visitor: Visitor, memory: EpisodicMemory) -> None:
    episode_id = await attempt(memory, ["read", "edit"], "success")
    for path in (
        "/ui",
        "/ui/ask?q=report",
        "/ui/learned",
        "/ui/files",
        "/ui/health",
        "/ui/attempts",
        f"/ui/attempt/{episode_id}",
        f"/ui/fork/{episode_id}",
    ):
        text = await visitor.get(path)
        assert "//" not in text.replace("http://www.w3.org", "")
        assert "style=" not in text
        assert "onclick" not in text
        assert text.count("<script") == text.count("<script src=")


@pytest.mark.parametrize("csrf", ["", "wrong"])
async def test_a_form_of_another_visit_changes_nothing(visitor: Visitor, memory: EpisodicMemory, csrf: str) -> None:
    episode_id = await attempt(memory, ["read"], "success")
    response = await visitor.post(f"/ui/attempt/{episode_id}/tag", status=403, csrf=csrf, add="mine")
    assert "Nothing was changed" in response.text
    assert (await memory.get_episode(episode_id=episode_id)).tags == ()


async def test_what_is_no_form_of_ours_is_refused(visitor: Visitor) -> None:
    for body, kind in ((b"{}", "application/json"), (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded")):
        response = await visitor.client.post("/ui/project", content=body, headers={"Content-Type": kind})
        assert response.status_code == 400


async def test_no_file_outside_of_the_pages_own_is_served(visitor: Visitor) -> None:
    for name in ("../part.py", "..%2fpart.py", "vendor/../../calls.py", "absent.css"):
        assert (await visitor.client.get(f"/ui/static/{name}")).status_code == 404


class Log:
    """An audit log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, Any, bool]] = []

    def record(self, who: str, tool: str, arguments: Any, result: Any, duration_ms: float) -> None:
        self.lines.append((who, tool, arguments, result["isError"]))


async def test_every_change_is_in_the_audit_log_and_reading_is_not(config: Config, memory: EpisodicMemory) -> None:
    log, episode_id = Log(), await attempt(memory, ["read"], "success")
    part = PagesPart(Host(config, memory), log)
    part.listening(URL)
    server = entering.announced(config.data_dir)
    assert server is not None
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Starlette(routes=list(part.routes))), base_url=URL) as client:
        await client.get(server.link())
        visitor = Visitor(client)
        await visitor.get(f"/ui/attempt/{episode_id}")
        assert log.lines == []
        await visitor.post(f"/ui/attempt/{episode_id}/tag", add="mine")
        await visitor.post("/ui/attempt/nobody/tag", status=404, add="mine")
    assert [(who, tool, failed) for who, tool, _, failed in log.lines] == [
        ("ui", f"/ui/attempt/{episode_id}/tag", False),
        ("ui", "/ui/attempt/nobody/tag", True),
    ]
    assert log.lines[0][2]["episode_id"] == episode_id
