"""The pages in a real Chromium, served by a real `mcp-memory ui`. Skipped, with the reason, where the browser or its driver is not here."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.pages import entering

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ROOT = Path(__file__).parents[2]
AXE = "axe-core@4.14.1"  # from the npm registry
CACHE = ROOT / ".cache" / "axe-core"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
HOSTILE = "<script>window.pwned=1;alert(1)</script><img src=x onerror=alert(2)>\"'><style>body{display:none}</style>"
LONG = "W" * 1_500  # a word that no line holds
TASK = "make the nightly report run"
SETTINGS = {"embedding.provider": "off", "server.project": "shop"}


class Site:
    """A running server, its data directory and the repository it was started in."""

    def __init__(self, data_dir: Path, repository: Path) -> None:
        self.data_dir, self.repository = data_dir, repository
        self.ids: dict[str, str] = {}

    @property
    def server(self) -> entering.Server:
        found = entering.announced(self.data_dir)
        assert found is not None
        return found

    @property
    def pages(self) -> list[str]:
        """Every page with something on it."""
        one = [f"/ui/{kind}/{self.ids[name]}" for kind in ("attempt", "fork") for name in ("good", "bad", "hostile", "long")]
        lists = [
            "/ui",
            f"/ui/ask?q={TASK}",
            "/ui/fork",
            "/ui/attempts",
            "/ui/learned",
            "/ui/map",
            "/ui/map?region=0",
            "/ui/files",
            "/ui/health",
        ]
        return [*lists, *one, f"/ui/attempt/{self.ids['bad']}/forget", f"/ui/learned/{self.ids['pattern']}", "/ui/nowhere"]


async def seed(data_dir: Path) -> dict[str, str]:
    """Keep attempts of both kinds, and a hostile one."""
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)} | SETTINGS)) as memory:
        edit = {"path": "jobs/report.py", "old_str": "import panda", "new_str": "import pandas"}
        good = [await keep(memory, TASK, ["read", "edit", "migrate", "run"], "success", edit) for _ in range(3)]
        bad = [await keep(memory, TASK, ["read", "edit", "run!no such table: report"], "failure", edit) for _ in range(4)]
        hostile = await keep(
            memory, HOSTILE, [HOSTILE[:60], f"x!{HOSTILE}"], "failure", {HOSTILE: HOSTILE, "new_str": HOSTILE, "old_str": "a"}
        )
        long = await keep(
            memory, f"fix {LONG}", [LONG[:100], f"run!{LONG}"], "failure", {"path": f"{LONG[:90]}/{LONG}.py", "new_str": LONG}
        )
        for number in range(8):  # a map needs some different tasks
            await keep(
                memory, f"{HOSTILE[:40]} mend the {('wheel', 'door', 'lamp', 'roof')[number % 4]} {number}", ["run"], "success", edit
            )
        await memory.start_episode(task="still open", recall=False)
        pattern = (await memory.search_patterns(project="*")).patterns[0].pattern_id
        return {"good": good[0], "bad": bad[0], "hostile": hostile, "long": long, "pattern": pattern}


async def keep(memory: EpisodicMemory, task: str, tools: list[str], outcome: str, arguments: dict[str, Any]) -> str:
    episode = await memory.start_episode(task=task, recall=False, tags=["nightly"])
    for text in tools:
        tool, _, error = text.partition("!")
        await memory.log_step(episode_id=episode.episode_id, tool=tool, arguments=arguments, error=error or None, observation=task)
    await memory.complete_episode(episode_id=episode.episode_id, outcome=outcome, summary=task, lessons=[task])
    return episode.episode_id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A seeded memory and `mcp-memory ui` on it."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: `.ci/run` installs Debian's")
    folder = tmp_path_factory.mktemp("site")
    made = Site(folder / "data", folder / "repository")
    made.repository.mkdir()
    (made.repository / ".git").mkdir()
    made.ids = anyio.run(seed, made.data_dir)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
    own = {"MCP_MEMORY_EMBEDDING__PROVIDER": "off", "MCP_MEMORY_PROJECT": "shop", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mcp_memory", "ui", "--no-open", "--data-dir", str(made.data_dir)]
    with subprocess.Popen(
        command, cwd=made.repository, env=clean | own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as popen:
        try:
            assert popen.stdout is not None
            assert "/ui/enter?ticket=" in popen.stdout.readline()
            yield made
        finally:
            popen.terminate()
            popen.wait(30)


@pytest.fixture(scope="module")
def browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator["BrowserContext"]:
    """A browser that came in."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        profile = tmp_path_factory.mktemp("profile")
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=CHROMIUM, headless=True, args=QUIET.split(), bypass_csp=False
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.goto(site.server.link(folder=str(site.repository), project="shop"))
        page.close()
        yield context
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, brought by npm once."""
    packed = CACHE / "package" / "axe.min.js"
    if not packed.exists():
        if shutil.which("npm") is None:
            pytest.skip("axe-core comes from npm, which is not here")
        CACHE.mkdir(parents=True, exist_ok=True)
        brought = subprocess.run(["npm", "pack", AXE, "--silent"], cwd=CACHE, capture_output=True, text=True, timeout=100, check=False)
        if brought.returncode != 0:
            pytest.skip(f"npm could not bring {AXE}")
        with tarfile.open(CACHE / brought.stdout.split()[-1]) as archive:
            archive.extract("package/axe.min.js", CACHE, filter="data")
    return packed.read_text(encoding="utf-8")
