"""The packages that hosts install from say what the program is today."""

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, unquote, urlparse

import pytest

from mcp_memory.cli.install.entries import Launch
from mcp_memory.cli.install.hosts import HOSTS
from mcp_memory.server.tools import CORE, FULL

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
HOSTS_PAGE = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
UVX = Launch(command=("uvx", "mcp-episodic-memory", "stdio"))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_packages", ROOT / "packaging" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(os.name == "nt", reason="hooks are written for the machine they are made on")
def test_packages_are_up_to_date_and_nothing_is_left_of_earlier_ones() -> None:
    made: dict[str, str] = generator().files()
    for name, text in made.items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, "run `python packaging/generate.py`"
    folders = [ROOT / "packaging" / host for host in ("claude-code", "codex", "gemini")]
    kept = {path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert kept == {name for name in made if name.startswith("packaging/")}


@pytest.mark.parametrize(
    "name",
    [
        "packaging/claude-code/.claude-plugin/plugin.json",
        "packaging/codex/.codex-plugin/plugin.json",
        "packaging/gemini/gemini-extension.json",
        "packaging/mcpb/manifest.json",
    ],
)
def test_every_package_has_the_projects_version(name: str) -> None:
    assert json.loads((ROOT / name).read_text(encoding="utf-8"))["version"] == VERSION


@pytest.mark.parametrize("name", ["claude-code/.mcp.json", "codex/.mcp.json", "gemini/gemini-extension.json"])
def test_a_package_starts_the_program_of_its_own_version(name: str) -> None:
    (server,) = json.loads((ROOT / "packaging" / name).read_text(encoding="utf-8"))["mcpServers"].values()
    assert [server["command"], *server["args"]] == ["uvx", f"mcp-episodic-memory@{VERSION}", "stdio"]


@pytest.mark.parametrize("name", ["skill/SKILL.md", "AGENTS.md"])
def test_what_the_skill_speaks_of_exists(name: str) -> None:
    text = (ROOT / "packaging" / name).read_text(encoding="utf-8")
    mentioned = set(re.findall(r"`([a-z]+_[a-z_]+)`", text))
    arguments = {argument for tool in FULL for argument in tool.input_schema.get("properties", {})}
    assert mentioned
    assert mentioned <= {tool.name for tool in CORE} | arguments


def test_the_skill_has_the_form_that_hosts_read() -> None:
    text = (ROOT / "packaging" / "skill" / "SKILL.md").read_text(encoding="utf-8")
    head = re.match(r"---\nname: ([a-z0-9-]{1,64})\ndescription: (.{1,1024})\n---\n", text)
    assert head
    assert (ROOT / "packaging" / "claude-code" / "skills" / head[1] / "SKILL.md").exists()


def test_the_link_for_cursor_adds_the_entry_that_install_writes() -> None:
    (link,) = re.findall(r"\((https://cursor\.com/[^)]+)\)", HOSTS_PAGE)
    query = parse_qs(urlparse(link).query)
    assert query["name"] == ["memory"]
    assert json.loads(base64.b64decode(query["config"][0])) == HOSTS["cursor"].entry(UVX)


def test_the_link_for_vs_code_adds_the_entry_that_install_writes() -> None:
    (link,) = re.findall(r"\((https://vscode\.dev/[^)]+)\)", HOSTS_PAGE)
    inner = parse_qs(urlparse(link).query)["url"][0]
    assert inner.startswith("vscode:mcp/install?")
    assert json.loads(unquote(inner.partition("?")[2])) == {"name": "memory"} | HOSTS["vscode"].entry(UVX)


@pytest.mark.parametrize("given", ["${user_config.data_dir}", "", "  "])
def test_the_desktop_bundle_shares_the_command_lines_memory_unless_told_otherwise(given: str, tmp_path: Path) -> None:
    manifest = json.loads((ROOT / "packaging" / "mcpb" / "manifest.json").read_text(encoding="utf-8"))
    assert "default" not in manifest["user_config"]["data_dir"]
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); from mcp_memory.config_sources import load_config; print(load_config().data_dir)"
    )
    script = str(ROOT / "packaging" / "mcpb" / "server.py")
    environment = os.environ | {"MCP_MEMORY_DATA_DIR": given, "MCP_MEMORY_PROJECT": given}
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        environment[name] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", code, script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
    assert "mcp-memory" in done.stdout
