"""What is written is true: pages made from code are up to date, links lead somewhere, commands exist, examples parse."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from mcp_memory.cli.install.entries import Launch
from mcp_memory.cli.install.hosts import HOSTS
from mcp_memory.cli.main import COMMANDS
from mcp_memory.domain.hosts import HOOK_HOSTS
from tests.hosts.clients import CLIENTS

ROOT = Path(__file__).parent.parent
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "tools.md"])
def test_pages_made_from_the_code_are_up_to_date(name: str) -> None:
    made = generator().PAGES[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made, "run `python docs/generate.py`"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_every_command_that_is_mentioned_exists(path: Path) -> None:
    mentioned = re.findall(r"`mcp-memory ([a-z]+)", path.read_text(encoding="utf-8"))
    assert set(mentioned) <= set(COMMANDS)


def test_the_readme_shows_the_three_commands() -> None:
    shown = ["python3 dev.py run ui --import", "python3 dev.py demo", "python3 dev.py test"]
    assert [block.strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)] == shown


def test_the_readmes_entry_is_the_one_that_install_writes() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    expected = HOSTS["claude-code"].entry(Launch(command=("uvx", "mcp-episodic-memory", "stdio")))
    assert json.loads(block) == {"mcpServers": {"memory": expected}}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/design.md", "docs/hooks.md"])
def test_every_module_and_folder_of_ours_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`([\w/-]+\.py|(?:[\w-]+/)+)`", text)
    modules = {path.name for path in (ROOT / "mcp_memory").rglob("*.py")}
    of_others = {"cache/", "reproduce.py"}  # in a data directory; in an example
    missing = [
        name
        for name in set(named) - of_others
        if not any((ROOT / folder / name).exists() for folder in ("", "mcp_memory", "tests")) and name not in modules
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["server.json", "packaging/mcpb/manifest.json", "packaging/mcpb/pyproject.toml"])
def test_packaging_files_have_the_packages_version(name: str) -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert f'"{version[1]}"' in (ROOT / name).read_text(encoding="utf-8")


def test_the_registry_finds_its_name_in_the_readme() -> None:
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    assert f"<!-- mcp-name: {entry['name']} -->" in README
    assert len(entry["description"]) <= 100


def test_every_test_that_the_page_on_security_names_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 50
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), (file, test)
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


def test_what_is_said_to_have_been_run_names_every_host_in_the_versions_that_are_run() -> None:
    page = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
    run, hooked = page.split("| host | version |")[1], page.split("| host | recorded,")[1]
    rows = {row.split("|")[1].strip(): row for row in run.split("\n\n")[0].splitlines() if row.startswith("| ")}
    assert {name for names in rows for name in names.split(", ")} == set(HOSTS)
    packages = json.loads((ROOT / "tests" / "hosts" / "packages.json").read_text(encoding="utf-8"))
    for host, package in packages.items():
        version = package.rpartition("@")[2]
        assert rows[host].split("|")[2].strip() == version
        assert host not in CLIENTS or f"| {host} {version} |" in hooked
    assert len({len(row.split("|")) for row in rows.values()}) == 1  # no cell is left out


def test_every_host_has_its_commands() -> None:
    guide = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8").split("## In five minutes")[1].split("\n## ")[0]
    for host in HOSTS:
        assert re.search(rf"\b{host}\b", guide), host
        hooks = host in HOOK_HOSTS and HOOK_HOSTS[host].ready
        assert not hooks or f"mcp-memory install {host} --hooks\n" in guide
